"""The estimator's contract: shapes, labels, fitted attributes, weights, randomness, going on, interruption and divergence."""

import copy
import doctest
import importlib
import inspect
import pickle
import pkgutil
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from neutral import plain
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csc_matrix, csr_matrix
from scipy.special import expit, log_softmax, logit, softmax
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV

import sksoftmax
from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.loss import cross_entropy
from sksoftmax.nn.network import Network
from sksoftmax.nn.optimizers import SGD, Adam
from sksoftmax.nn.schedules import cosine, one_cycle

X = np.random.default_rng(0).normal(size=(60, 4))
MULTICLASS = X[:, :3].argmax(axis=1)
BINARY = (X[:, 0] > 0).astype(int)
MULTILABEL = (X[:, :3] > 0).astype(int)
SOFT = softmax(2 * X[:, :3], axis=1)
SOFT_PAIR = softmax(2 * X[:, :2], axis=1)
UNCONVERGED = "ignore::sklearn.exceptions.ConvergenceWarning"
SOLVERS = ["adam", "sgd", "lbfgs"]
STEPWISE = pytest.mark.parametrize("solver", ["adam", "sgd"])
ARRAYS = {"multiclass": MULTICLASS, "binary": BINARY, "multilabel": MULTILABEL, "soft": SOFT, "soft pair": SOFT_PAIR}
SHAPES = {  # shape of predict, predict_proba and decision_function beyond the rows
    "multiclass": ((), (3,), (3,)),
    "binary": ((), (2,), ()),
    "multilabel": ((3,), (3,), (3,)),
    "soft": ((), (3,), (3,)),
    "soft pair": ((), (2,), ()),
}


def small(**params):
    """A small network on a planned schedule, which runs to its end without a warning."""
    defaults = {"hidden_layer_sizes": (5,), "learning_rate": "cosine", "learning_rate_init": 0.02, "max_iter": 3}
    return plain(**{**defaults, "random_state": 0, **params})


def converged(**params):
    """A small network that L-BFGS takes to its optimum."""
    return small(**{"solver": "lbfgs", "alpha": 1.0, "max_iter": 1000, **params})


def hard(y):
    """The labels that y's rows make most probable, where these are probabilities."""
    return y.argmax(axis=1) if y.dtype.kind == "f" else y


def saturated(y, size=1e4):
    """A softmax regression whose logits are ± size."""
    clf = small(hidden_layer_sizes=()).fit(X, y)
    clf.coefs_ = [np.zeros_like(clf.coefs_[0])]
    clf.intercepts_ = [size * np.where(np.arange(len(clf.intercepts_[0])) % 2, -1.0, 1.0)]
    return clf


def assert_same_weights(one, other, rtol=0):
    for a, b in zip(one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True):
        assert_allclose(a, b, rtol=rtol)


def interrupt(monkeypatch, owner, method, at_call):
    """Let the method raise KeyboardInterrupt at this call of it."""
    original, calls = getattr(owner, method), []

    def interrupted(*args, **kwargs):
        calls.append(1)
        if len(calls) == at_call:
            raise KeyboardInterrupt
        return original(*args, **kwargs)

    monkeypatch.setattr(owner, method, interrupted)


# Shapes and labels


@pytest.mark.parametrize("target", ARRAYS)
def test_outputs_have_scikit_learns_shapes(target):
    labels, probabilities, decision = SHAPES[target]
    clf = small().fit(X, ARRAYS[target])
    assert clf.predict(X).shape == (60, *labels)
    assert clf.predict_proba(X).shape == clf.predict_log_proba(X).shape == (60, *probabilities)
    assert clf.decision_function(X).shape == (60, *decision)


@pytest.mark.parametrize("target", ARRAYS)
def test_partial_fit_takes_every_target_and_gives_the_same_shapes(target):
    labels, probabilities, decision = SHAPES[target]
    y = ARRAYS[target]
    clf = small().partial_fit(X, y, classes=np.arange(probabilities[0])).partial_fit(X[:20], y[:20])
    assert clf.predict(X).shape == (60, *labels)
    assert clf.predict_proba(X).shape == (60, *probabilities)
    assert clf.decision_function(X).shape == (60, *decision)


@pytest.mark.parametrize("target", ARRAYS)
def test_score_is_the_accuracy(target):
    y = hard(ARRAYS[target])
    clf = converged().fit(X, ARRAYS[target])
    hits = clf.predict(X) == y
    assert clf.score(X, y) == (hits.all(axis=1) if hits.ndim == 2 else hits).mean() > 0.8


def test_one_class_gives_one_certain_column():
    clf = small().fit(X, np.full(60, "only"))
    assert (clf.predict(X) == "only").all()
    assert_array_equal(clf.predict_proba(X), np.ones((60, 1)))
    assert_array_equal(clf.predict_log_proba(X), np.zeros((60, 1)))
    assert clf.score(X, np.full(60, "only")) == 1


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("solver", SOLVERS)
def test_the_loss_of_one_class_is_a_number(solver, early_stopping):
    clf = small(solver=solver, alpha=0.0, early_stopping=early_stopping).fit(X, np.zeros(60))
    assert clf.loss_ == 0


@pytest.mark.parametrize(
    "names",
    [
        np.array(["b", "a", "c"]),
        np.array(["b", "a", "c"], dtype=object),
        np.array([7, -3, 12]),
        np.array([2.0, 1.0, 5.0]),
        np.array([True, False]),
        np.array([4, 3], dtype=np.uint8),
    ],
    ids=["str", "object", "int", "float", "bool", "uint8"],
)
def test_labels_of_any_type_come_back_as_they_were(names):
    codes = MULTICLASS if len(names) == 3 else BINARY
    clf = converged().fit(X, names[codes])
    assert_array_equal(clf.classes_, np.sort(names))
    assert clf.classes_.dtype == clf.predict(X).dtype
    assert clf.classes_.dtype.kind == names.dtype.kind.replace("O", "U")  # as MLPClassifier's
    assert clf.score(X, names[codes]) > 0.8


def test_labels_may_be_a_list_or_a_series():
    names = ["no" if code else "yes" for code in BINARY]
    assert_same_weights(small().fit(X.tolist(), names), small().fit(X, pd.Series(names)))


def test_classes_given_to_partial_fit_may_be_strings_in_any_order():
    clf = small().partial_fit(X, np.array(["b", "a"])[BINARY], classes=["c", "b", "a"])
    assert clf.classes_.tolist() == ["a", "b", "c"]
    assert clf.predict_proba(X).shape == (60, 3)


def test_a_multilabel_prediction_is_a_matrix_of_zeros_and_ones():
    prediction = small().fit(X, MULTILABEL).predict(X)
    assert prediction.dtype.kind == "i"
    assert set(np.unique(prediction)) == {0, 1}


def test_soft_labels_that_are_certain_train_like_labels():
    certain = np.where(np.eye(3)[MULTICLASS] == 1, 1 - 2e-12, 1e-12)
    clf = small().fit(X, certain)
    assert_allclose(clf.coefs_[0], small().fit(X, MULTICLASS).coefs_[0], rtol=1e-6)
    assert_array_equal(clf.classes_, np.arange(3))


def test_soft_labels_are_matched_as_distributions():
    p = converged(hidden_layer_sizes=(), alpha=0.0, tol=1e-8).fit(X, SOFT).predict_proba(X)
    assert_allclose(p, SOFT, atol=1e-3)


# Output


@pytest.mark.parametrize(
    ("target", "out_activation", "expected", "n_outputs"),
    [
        ("multiclass", "auto", "softmax", 3),
        ("binary", "auto", "logistic", 1),
        ("multilabel", "auto", "logistic", 3),
        ("soft", "auto", "softmax", 3),
        ("soft pair", "auto", "logistic", 1),
        ("multiclass", "softmax", "softmax", 3),
        ("binary", "softmax", "softmax", 2),
        ("multilabel", "softmax", "logistic", 3),
        ("soft pair", "softmax", "softmax", 2),
    ],
)
def test_the_output_activation_follows_the_target_unless_softmax_is_demanded(target, out_activation, expected, n_outputs):
    clf = small(out_activation=out_activation).fit(X, ARRAYS[target])
    assert (clf.out_activation_, clf.n_outputs_, clf.coefs_[-1].shape[1]) == (expected, n_outputs, n_outputs)


@pytest.mark.parametrize("target", ["binary", "soft pair"])
@pytest.mark.parametrize("out_activation", ["auto", "softmax"])
def test_the_decision_for_two_classes_is_the_log_odds_of_the_second(target, out_activation):
    clf = small(out_activation=out_activation).fit(X, ARRAYS[target])
    assert_allclose(clf.decision_function(X), logit(clf.predict_proba(X)[:, 1]), rtol=1e-10, atol=1e-13)
    assert_array_equal(clf.decision_function(X) > 0, clf.predict(X) == 1)


def test_two_softmax_units_reach_the_optimum_of_one_logistic_unit_with_their_difference():
    """The penalty on two columns ±w/2 is half that on one column w, so that twice the alpha gives the same model."""
    one = converged(hidden_layer_sizes=(), tol=1e-8).fit(X, BINARY)
    two = converged(hidden_layer_sizes=(), tol=1e-8, out_activation="softmax", alpha=2.0).fit(X, BINARY)
    assert_allclose(two.predict_proba(X), one.predict_proba(X), atol=1e-4)


@pytest.mark.parametrize("target", ["multiclass", "soft"])
def test_the_decision_for_many_classes_is_the_logits(target):
    clf = small().fit(X, ARRAYS[target])
    assert_allclose(softmax(clf.decision_function(X), axis=1), clf.predict_proba(X), rtol=1e-12)
    assert_allclose(clf.predict_log_proba(X), log_softmax(clf.decision_function(X), axis=1), rtol=1e-12)
    assert_array_equal(clf.predict(X), clf.decision_function(X).argmax(axis=1))


def test_the_decision_for_many_labels_is_their_log_odds():
    clf = small().fit(X, MULTILABEL)
    assert_allclose(clf.predict_proba(X), expit(clf.decision_function(X)), rtol=1e-12)
    assert_allclose(clf.predict_log_proba(X), np.log(clf.predict_proba(X)), rtol=1e-12)
    assert_array_equal(clf.predict(X), clf.decision_function(X) > 0)


def test_saturated_log_probabilities_are_exact():
    clf = saturated(MULTICLASS)
    assert_array_equal(clf.decision_function(X), np.tile([1e4, -1e4, 1e4], (60, 1)))
    assert_allclose(clf.predict_log_proba(X), log_softmax(clf.decision_function(X), axis=1), rtol=1e-15)
    assert clf.predict_log_proba(X).min() == pytest.approx(-2e4, rel=1e-4)


def test_a_saturated_binary_model_has_exact_log_probabilities():
    assert_array_equal(saturated(BINARY).predict_log_proba(X), np.tile([-1e4, 0.0], (60, 1)))


def test_saturated_multilabel_probabilities_stay_inside_0_and_1():
    clf = saturated(MULTILABEL)
    p = clf.predict_proba(X)
    assert 0 < p.min() < p.max() < 1
    assert_allclose(clf.predict_log_proba(X)[0], [0, -1e4, 0], atol=1e-15)


# Fitted attributes


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("solver", SOLVERS)
def test_every_documented_attribute_is_there_after_fit(solver, early_stopping):
    documented = re.findall(r"^(\w+_) :", inspect.getdoc(SoftmaxMLPClassifier), re.MULTILINE)
    clf = converged(solver=solver, early_stopping=early_stopping).fit(pd.DataFrame(X, columns=list("abcd")), MULTICLASS)
    assert {"coefs_", "t_", "best_validation_score_", "feature_names_in_"} <= set(documented)
    assert [name for name in documented if not hasattr(clf, name)] == []


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("solver", SOLVERS)
def test_curves_have_an_entry_for_each_iteration(solver, early_stopping):
    clf = converged(solver=solver, max_iter=20, tol=0.1, early_stopping=early_stopping).fit(X, MULTICLASS)
    assert len(clf.loss_curve_) == clf.n_iter_ > 1
    if early_stopping:
        assert len(clf.validation_scores_) == clf.n_iter_
        assert clf.best_validation_score_ == max(clf.validation_scores_)
        assert clf.best_loss_ is None
    else:
        assert clf.best_loss_ == min(clf.loss_curve_)
        assert clf.validation_scores_ is clf.best_validation_score_ is None


def test_attributes_describe_the_network():
    clf = small(hidden_layer_sizes=(6, 5)).fit(X, MULTICLASS)
    assert [W.shape for W in clf.coefs_] == [(4, 6), (6, 5), (5, 3)]
    assert [b.shape for b in clf.intercepts_] == [(6,), (5,), (3,)]
    assert (clf.n_layers_, clf.n_outputs_, clf.n_features_in_, clf.n_iter_, clf.t_) == (4, 3, 4, 3, 3 * 60)


def test_the_loss_of_lbfgs_is_that_of_the_weights_with_the_penalty():
    clf = converged().fit(X, MULTICLASS)
    penalty = 0.5 * clf.alpha * sum((W**2).sum() for W in clf.coefs_) / len(X)
    assert clf.loss_ == pytest.approx(log_loss(MULTICLASS, clf.predict_proba(X)) + penalty, rel=1e-9)


def test_n_iter_counts_the_last_call():
    clf = small(warm_start=True).fit(X, MULTICLASS).fit(X, MULTICLASS)
    assert (clf.n_iter_, len(clf.loss_curve_)) == (3, 6)
    assert clf.partial_fit(X, MULTICLASS).n_iter_ == 1


# The weights, seen and set by hand


def flat_vector(clf):
    """The array that all of the model's weights are views of."""
    (base,) = {id(array.base): array.base for array in clf.coefs_ + clf.intercepts_}.values()
    return base


def pickled(clf):
    return pickle.loads(pickle.dumps(clf))


@pytest.mark.parametrize("copied", [lambda clf: clf, pickled, copy.deepcopy], ids=["fitted", "pickled", "deep-copied"])
def test_weights_are_views_of_one_flat_vector(copied):
    clf = copied(small().fit(X, MULTICLASS))
    flat_vector(clf)[...] = 0
    assert_allclose(clf.predict_proba(X), 1 / 3)


@pytest.mark.parametrize("copied", [pickled, copy.deepcopy])
@pytest.mark.parametrize("target", ARRAYS)
def test_a_copy_predicts_alike_and_is_independent(target, copied):
    clf = small().fit(X, ARRAYS[target])
    probabilities = clf.predict_proba(X)
    other = copied(clf)
    assert_array_equal(other.predict_proba(X), probabilities)
    other.partial_fit(X, ARRAYS[target])
    assert_array_equal(clf.predict_proba(X), probabilities)


def set_items(clf):
    clf.coefs_[1] = np.zeros((5, 3))
    clf.intercepts_[1] = np.log([0.7, 0.2, 0.1])


def set_lists(clf):
    clf.coefs_ = [clf.coefs_[0].copy(), np.zeros((5, 3))]
    clf.intercepts_ = [clf.intercepts_[0].copy(), np.log([0.7, 0.2, 0.1])]


def set_in_place(clf):
    clf.coefs_[1][...] = 0
    clf.intercepts_[1][:] = np.log([0.7, 0.2, 0.1])


by_hand = pytest.mark.parametrize("set_weights", [set_items, set_lists, set_in_place])


@by_hand
def test_weights_set_by_hand_predict(set_weights):
    clf = small().fit(X, MULTICLASS)
    set_weights(clf)
    assert_allclose(clf.predict_proba(X), np.tile([0.7, 0.2, 0.1], (60, 1)))


@by_hand
def test_weights_set_by_hand_survive_a_pickle(set_weights):
    clf = small().fit(X, MULTICLASS)
    set_weights(clf)
    assert_allclose(pickled(clf).predict_proba(X), np.tile([0.7, 0.2, 0.1], (60, 1)))


@by_hand
def test_partial_fit_goes_on_from_weights_set_by_hand(set_weights):
    clf = small(learning_rate_init=1e-9).partial_fit(X, MULTICLASS, classes=range(3))
    set_weights(clf)
    clf.partial_fit(X, MULTICLASS)
    assert_allclose(clf.predict_proba(X), np.tile([0.7, 0.2, 0.1], (60, 1)), rtol=1e-6)
    assert not np.array_equal(clf.coefs_[1], np.zeros((5, 3)))


def test_weights_set_by_hand_do_not_change_under_training():
    mine = np.zeros((5, 3))
    clf = small().fit(X, MULTICLASS)
    clf.coefs_[1] = mine
    clf.partial_fit(X, MULTICLASS)
    assert not mine.any()


def test_a_wider_layer_set_by_hand_predicts_and_trains():
    clf = small().fit(X, MULTICLASS)
    clf.coefs_, clf.intercepts_ = [np.ones((4, 8)), np.ones((8, 3))], [np.zeros(8), np.zeros(3)]
    assert_allclose(clf.predict_proba(X), 1 / 3)
    assert clf.set_params(hidden_layer_sizes=(8,)).partial_fit(X, MULTICLASS).coefs_[0].shape == (4, 8)


def set_misfitting_bias(clf):
    clf.intercepts_[0] = np.zeros(7)


def set_misfitting_hidden_layer(clf):
    clf.coefs_[0] = np.zeros((4, 7))


def set_vector(clf):
    clf.coefs_[0] = np.zeros(5)


def set_other_inputs(clf):
    clf.coefs_[0] = np.zeros((9, 5))


def set_other_outputs(clf):
    clf.coefs_[1], clf.intercepts_[1] = np.zeros((5, 9)), np.zeros(9)


def set_too_few(clf):
    clf.intercepts_ = clf.intercepts_[:1]


def set_none(clf):
    clf.coefs_ = []


@pytest.mark.parametrize("method", ["predict", "predict_proba", "partial_fit"])
@pytest.mark.parametrize(
    "set_weights",
    [set_misfitting_bias, set_misfitting_hidden_layer, set_vector, set_other_inputs, set_other_outputs, set_too_few, set_none],
)
def test_ill_fitting_weights_set_by_hand_are_refused_by_name(set_weights, method):
    clf = small().fit(X, MULTICLASS)
    set_weights(clf)
    with pytest.raises(ValueError, match=r"coefs_|intercepts_|units"):
        getattr(clf, method)(*((X, MULTICLASS) if method == "partial_fit" else (X,)))


# sample_weight


@pytest.mark.filterwarnings(UNCONVERGED)
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("target", ARRAYS)
def test_weight_2_is_the_row_twice(target, solver):
    y, counts = ARRAYS[target], np.where(np.arange(60) % 3, 1, 2)
    one, other = small(solver=solver, max_iter=10), small(solver=solver, max_iter=10)
    one.fit(X, y, counts), other.fit(np.repeat(X, counts, axis=0), np.repeat(y, counts, axis=0))
    assert_allclose(one.predict_proba(X), other.predict_proba(X), rtol=1e-6)
    assert one.loss_ == pytest.approx(other.loss_, rel=1e-9)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_weight_0_is_the_row_absent_in_random_batches_and_splits_too(solver, early_stopping):
    kept = np.arange(60) % 3 > 0
    params = {"solver": solver, "batch_size": 7, "early_stopping": early_stopping}
    one, other = small(**params).fit(X, BINARY, kept.astype(float)), small(**params).fit(X[kept], BINARY[kept])
    assert_same_weights(one, other, rtol=1e-10)
    assert one.loss_curve_ == pytest.approx(other.loss_curve_, rel=1e-12)
    assert one.t_ == other.t_ == 3 * (36 if early_stopping else 40)


def test_weight_0_is_the_row_absent_in_partial_fit():
    kept = np.arange(60) % 3 > 0
    one = small(batch_size=7).partial_fit(X, MULTICLASS, kept.astype(float), classes=range(3))
    assert_same_weights(one, small(batch_size=7).partial_fit(X[kept], MULTICLASS[kept], classes=range(3)), rtol=1e-10)


def test_a_class_whose_rows_all_have_weight_0_remains_a_class():
    clf = converged().fit(X, MULTICLASS, sample_weight=(MULTICLASS != 2).astype(float))
    assert clf.classes_.tolist() == [0, 1, 2]
    assert clf.predict_proba(X)[:, 2].max() < 0.2


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    ("weights", "message"),
    [(np.zeros(60), "all of sample_weight are zero"), (np.where(np.arange(60) == 4, -2.0, 1.0), "got -2.0 in row 4")],
)
def test_weights_of_zero_altogether_or_below_zero_are_refused(method, weights, message):
    with pytest.raises(ValueError, match=message):
        getattr(small(), method)(X, MULTILABEL, sample_weight=weights)


def test_equal_weights_are_no_weights():
    assert_allclose(small().fit(X, BINARY, np.full(60, 0.3)).coefs_[0], small(alpha=1e-4 / 0.3).fit(X, BINARY).coefs_[0])


def test_score_takes_sample_weight():
    clf = small().fit(X, MULTICLASS)
    hits = clf.predict(X) == MULTICLASS
    assert 0 < hits.mean() < 1
    assert clf.score(X, MULTICLASS, sample_weight=hits) == 1


# Kinds of X


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("target", ARRAYS)
def test_float32_stays_float32(solver, target):
    X32 = X.astype(np.float32)
    clf = converged(solver=solver, max_iter=3 if solver != "lbfgs" else 200).fit(X32, ARRAYS[target])
    assert {W.dtype for W in clf.coefs_ + clf.intercepts_} == {np.dtype(np.float32)}
    for method in (clf.predict_proba, clf.predict_log_proba, clf.decision_function):
        assert method(X32).dtype == method(X).dtype == np.float32


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint8, bool, np.float16, object])
def test_other_numbers_become_float64(dtype):
    numbers = np.abs(X * 3).astype(dtype)
    clf = small().fit(numbers, MULTICLASS)
    assert clf.coefs_[0].dtype == clf.predict_proba(numbers).dtype == np.float64
    assert_same_weights(clf, small().fit(numbers.astype(np.float64), MULTICLASS))


def test_a_data_frame_trains_like_its_array_and_its_column_names_are_kept():
    frame = pd.DataFrame(X, columns=["length", "width", "height", "mass"])
    clf = small().fit(frame, MULTICLASS)
    assert clf.feature_names_in_.tolist() == list(frame.columns)
    assert_same_weights(clf, small().fit(X, MULTICLASS))
    assert_array_equal(clf.predict_proba(frame), small().fit(X, MULTICLASS).predict_proba(X))


@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba", "decision_function"])
def test_columns_in_another_order_are_refused(method):
    frame = pd.DataFrame(X, columns=["length", "width", "height", "mass"])
    clf = small().fit(frame, MULTICLASS)
    with pytest.raises(ValueError, match="Feature names must be in the same order"):
        getattr(clf, method)(frame[frame.columns[::-1]])


def test_partial_fit_checks_column_names():
    clf = small().partial_fit(pd.DataFrame(X, columns=list("abcd")), MULTICLASS, classes=range(3))
    with pytest.raises(ValueError, match="Feature names unseen at fit time:\n- e"):
        clf.partial_fit(pd.DataFrame(X, columns=list("abce")), MULTICLASS)


@pytest.mark.filterwarnings(UNCONVERGED)
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("to_sparse", [csr_matrix, csc_matrix])
def test_sparse_equals_dense(to_sparse, solver):
    rare = np.where(np.abs(X) > 1, X, 0)
    dense, thin = small(solver=solver, max_iter=5), small(solver=solver, max_iter=5)
    dense.fit(rare, MULTICLASS), thin.fit(to_sparse(rare), MULTICLASS)
    assert_same_weights(dense, thin, rtol=1e-6)
    assert_allclose(thin.predict_proba(rare), thin.predict_proba(to_sparse(rare)), rtol=1e-12)


def test_sparse_multilabel_targets_equal_dense_ones():
    assert_same_weights(small().fit(X, csr_matrix(MULTILABEL)), small().fit(X, MULTILABEL))


@pytest.mark.parametrize("hidden", [(), (5,)])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("target", ARRAYS)
def test_fit_and_predict_never_write_to_their_input(target, solver, hidden):
    arrays = [X.copy(), ARRAYS[target].copy(), np.linspace(0.5, 1, 60)]
    before = [array.copy() for array in arrays]
    for array in arrays:
        array.flags.writeable = False
    clf = converged(solver=solver, hidden_layer_sizes=hidden, shuffle=False, max_iter=1000 if solver == "lbfgs" else 2)
    clf.fit(*arrays).predict_proba(arrays[0])
    for array, original in zip(arrays, before):
        assert_array_equal(array, original)


def test_fit_never_writes_to_sparse_input():
    thin = csr_matrix(np.where(np.abs(X) > 1, X, 0))
    before = thin.copy()
    small(shuffle=False).fit(thin, MULTICLASS)
    assert (thin != before).nnz == 0


# Randomness


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("solver", SOLVERS)
def test_the_same_seed_gives_the_same_model(solver, early_stopping):
    params = {"solver": solver, "early_stopping": early_stopping, "batch_size": 9}
    assert_same_weights(converged(**params).fit(X, BINARY), converged(**params).fit(X, BINARY))


@pytest.mark.parametrize("seed", [1, None])
def test_another_seed_or_none_gives_another_model(seed):
    one, other = small(random_state=seed).fit(X, BINARY), small(random_state=0 if seed else None).fit(X, BINARY)
    assert not np.allclose(one.coefs_[0], other.coefs_[0])


def test_a_random_state_instance_is_drawn_from():
    rng = np.random.RandomState(0)
    first, second = small(random_state=rng).fit(X, BINARY), small(random_state=rng).fit(X, BINARY)
    assert_same_weights(first, small(random_state=0).fit(X, BINARY))
    assert not np.allclose(first.coefs_[0], second.coefs_[0])


def test_fit_again_starts_afresh():
    clf = small().fit(X, MULTICLASS).partial_fit(X, MULTICLASS)
    assert_same_weights(clf.fit(X[:, :2], BINARY), small().fit(X[:, :2], BINARY))
    assert len(clf.loss_curve_) == 3


# Going on


@pytest.mark.filterwarnings(UNCONVERGED)
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_warm_start_goes_on_and_a_cold_one_does_not(solver):
    warm, cold = (small(solver=solver, warm_start=warm).fit(X, MULTICLASS) for warm in (True, False))
    after_first = warm.loss_
    assert warm.fit(X, MULTICLASS).loss_ < after_first == cold.fit(X, MULTICLASS).loss_
    assert (len(warm.loss_curve_), len(cold.loss_curve_)) == (6, 3)


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_warm_start_with_other_classes_is_refused(solver):
    clf = converged(solver=solver, warm_start=True).fit(X, MULTICLASS)
    with pytest.raises(ValueError, match=r"warm_start.*same classes.*\[0 1 2\].*\[0 1\]"):
        clf.fit(X, BINARY)


def test_a_warm_start_with_another_kind_of_target_is_refused_by_its_kind():
    clf = small(warm_start=True).fit(X, SOFT)
    with pytest.raises(ValueError, match="it held probabilities, now labels"):
        clf.fit(X, MULTICLASS)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_soft_labels_may_all_be_certain_where_training_goes_on(method):
    clf = small(warm_start=True).fit(X, SOFT)
    assert getattr(clf, method)(X, np.eye(3)[MULTICLASS]).classes_.tolist() == [0, 1, 2]


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    ("name", "value", "began"),
    [
        ("hidden_layer_sizes", (9,), r"\[5\]"),
        ("hidden_layer_sizes", (), r"\[5\]"),
        ("out_activation", "softmax", "1 output unit"),
        ("scaling", "robust", "None"),
        ("n_bins", 8, "0"),
        ("relevance", "auto", "None"),
        ("categorical_features", [0], "None"),
        ("parametrization", "ntk", "'standard'"),
        ("dtype", "float32", "'float64'"),
    ],
)
def test_training_that_goes_on_refuses_a_parameter_that_the_first_call_has_settled(method, name, value, began):
    clf = small(warm_start=True).fit(X, BINARY).set_params(**{name: value})
    with pytest.raises(ValueError, match=rf"cannot go on with {name}={re.escape(repr(value))}: it began with {began}.*Undo"):
        getattr(clf, method)(X, BINARY)
    assert len(clf.set_params(warm_start=False).fit(X, BINARY).loss_curve_) == 3


@pytest.mark.parametrize(
    ("params", "then"),
    [
        ({"categorical_features": [3]}, {"categorical_features": np.array([3])}),
        ({"dtype": "float32"}, {"dtype": "auto"}),
        ({"dtype": "auto"}, {"dtype": "float64"}),
        ({"out_activation": "auto"}, {"out_activation": "softmax"}),  # of three classes
    ],
)
def test_training_goes_on_where_a_parameter_says_the_same_in_another_form(params, then):
    clf = small(warm_start=True, **params).fit(X.round(), MULTICLASS).set_params(**then)
    assert len(clf.fit(X.round(), MULTICLASS).partial_fit(X.round(), MULTICLASS).loss_curve_) == 7


@pytest.mark.parametrize(("solver", "then"), [("adam", "sgd"), ("sgd", "adam"), ("adam", "lbfgs"), ("lbfgs", "adam")])
@pytest.mark.filterwarnings(UNCONVERGED)
def test_another_solver_goes_on_from_the_weights_without_moments(solver, then):
    clf = small(solver=solver, warm_start=True).fit(X, MULTICLASS)
    fresh = small(solver=then, warm_start=True).fit(X, MULTICLASS)
    fresh.coefs_, fresh.intercepts_ = ([array.copy() for array in arrays] for arrays in (clf.coefs_, clf.intercepts_))
    fresh._optimizer = None
    assert_same_weights(clf.set_params(solver=then).fit(X, MULTICLASS), fresh.fit(X, MULTICLASS))


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_another_activation_takes_effect_where_training_goes_on(method):
    """As in MLPClassifier, whose weights do not depend on it either."""
    clf = small(warm_start=True).fit(X, MULTICLASS).set_params(activation="identity")
    getattr(clf, method)(X, MULTICLASS)
    (V, W), (a, b) = clf.coefs_, clf.intercepts_
    assert_allclose(clf.decision_function(X), (X @ V + a) @ W + b, rtol=1e-9)


def test_partial_fit_needs_classes_first_where_y_has_labels():
    with pytest.raises(ValueError, match="classes must be passed on the first call to partial_fit"):
        small().partial_fit(X, MULTICLASS)


def test_partial_fit_refuses_other_classes_later():
    clf = small().partial_fit(X, MULTICLASS, classes=[0, 1, 2])
    with pytest.raises(ValueError, match=r"classes=\[0, 1\].*is not the same as on last call to partial_fit"):
        clf.partial_fit(X, BINARY, classes=[0, 1])


@pytest.mark.parametrize("first", [True, False])
def test_partial_fit_names_an_unseen_label(first):
    clf = small() if first else small().partial_fit(X, BINARY, classes=[0, 1])
    with pytest.raises(ValueError, match=r"`y` has classes not in `self.classes_`: \[2\]"):
        clf.partial_fit(X, MULTICLASS, classes=[0, 1])


def test_partial_fit_refuses_another_kind_of_target():
    with pytest.raises(ValueError, match=r"shape \(n_samples, 3\) as before"):
        small().partial_fit(X, SOFT).partial_fit(X, MULTICLASS)
    with pytest.raises(ValueError, match="one label a row as before"):
        small().partial_fit(X, MULTICLASS, classes=range(3)).partial_fit(X, MULTILABEL)


def test_partial_fit_after_fit_needs_no_classes_and_lowers_the_loss():
    clf = small(max_iter=1).fit(X, MULTICLASS)
    for _ in range(20):
        clf.partial_fit(X, MULTICLASS)
    assert clf.loss_curve_[-1] < clf.loss_curve_[0]
    assert (len(clf.loss_curve_), clf.t_) == (21, 21 * 60)


def test_lbfgs_has_no_partial_fit():
    assert not hasattr(small(solver="lbfgs"), "partial_fit")
    assert hasattr(small(solver="sgd"), "partial_fit")


def test_partial_fit_has_room_for_one_epoch_whatever_max_iter_is():
    assert small(max_iter=50).partial_fit(X, BINARY, classes=[0, 1]).n_iter_ == 1


# Stopping


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("schedule", ["cosine", "one_cycle", "coslog4"])
def test_a_planned_schedule_runs_to_its_end_without_a_warning(schedule, solver):
    clf = small(learning_rate=schedule, solver=solver, max_iter=12, tol=10.0, n_iter_no_change=1)
    assert clf.fit(X, MULTICLASS).n_iter_ == 12


def test_early_stopping_ends_a_planned_schedule():
    clf = small(max_iter=100, tol=2.0, n_iter_no_change=2, early_stopping=True)
    assert clf.fit(X, MULTICLASS).n_iter_ < 10


@pytest.mark.parametrize("solver", SOLVERS)
def test_max_iter_before_convergence_warns(solver):
    with pytest.warns(ConvergenceWarning, match="max_iter|Maximum iterations"):
        small(solver=solver, learning_rate="constant", alpha=0.0, max_iter=2).fit(X, MULTICLASS)


def test_max_fun_before_convergence_warns():
    with pytest.warns(ConvergenceWarning, match="max_fun=3"):
        small(solver="lbfgs", max_fun=3, max_iter=100).fit(X, MULTICLASS)


def test_stale_epochs_end_training_without_a_warning():
    assert small(learning_rate="constant", max_iter=50, tol=10.0, n_iter_no_change=4).fit(X, MULTICLASS).n_iter_ == 6


def test_infinite_patience_never_ends_training():
    clf = small(learning_rate="constant", max_iter=30, tol=10.0, n_iter_no_change=np.inf)
    with pytest.warns(ConvergenceWarning, match="Maximum iterations"):
        clf.fit(X, MULTICLASS)
    assert clf.n_iter_ == 30


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("early_stopping", [False, True])
def test_verbose_prints_each_iteration_and_silence_prints_none(solver, early_stopping, capsys):
    params = {"solver": solver, "early_stopping": early_stopping, "tol": 1e-2}
    clf = converged(verbose=True, **params).fit(X, MULTICLASS)
    out = capsys.readouterr().out
    assert out.count("Iteration ") == clf.n_iter_
    assert f"Iteration {clf.n_iter_}, loss = {clf.loss_curve_[-1]:.8f}" in out
    assert out.count("Validation score: ") == (clf.n_iter_ if early_stopping else 0)
    converged(**params).fit(X, MULTICLASS)
    assert capsys.readouterr().out == ""


def test_verbose_says_why_training_ended(capsys):
    small(learning_rate="constant", max_iter=50, tol=10.0, n_iter_no_change=4, verbose=1).fit(X, MULTICLASS)
    assert "did not improve more than tol=10.000000 for 4 consecutive epochs. Stopping." in capsys.readouterr().out


@pytest.mark.parametrize(("solver", "optimizer"), [("adam", Adam), ("sgd", SGD)])
def test_an_interrupt_keeps_a_usable_model_with_a_warning(solver, optimizer, monkeypatch):
    interrupt(monkeypatch, optimizer, "step", at_call=8)
    clf = small(solver=solver, batch_size=20, max_iter=100)
    with pytest.warns(UserWarning, match="interrupted by user"):
        clf.fit(X, MULTICLASS)
    assert clf.n_iter_ == len(clf.loss_curve_) == 2
    assert np.isfinite(clf.predict_log_proba(X)).all()
    assert clf.partial_fit(X, MULTICLASS).loss_ < clf.loss_curve_[0]


def test_an_interrupt_under_early_stopping_keeps_the_best_weights(monkeypatch):
    interrupt(monkeypatch, Adam, "step", at_call=6)
    clf = small(early_stopping=True, max_iter=100)
    with pytest.warns(UserWarning, match="interrupted by user"):
        clf.fit(X, MULTICLASS)
    assert clf.loss_ == clf.loss_curve_[int(np.argmax(clf.validation_scores_))]


def test_an_interrupt_in_the_first_step_keeps_a_model_that_predicts(monkeypatch):
    interrupt(monkeypatch, Adam, "step", at_call=1)
    clf = small()
    with pytest.warns(UserWarning, match="interrupted by user"):
        clf.fit(X, MULTICLASS)
    assert clf.n_iter_ == 0
    assert clf.predict_proba(X).shape == (60, 3)


def test_an_interrupt_of_lbfgs_keeps_the_last_accepted_weights(monkeypatch):
    interrupt(monkeypatch, Network, "forward", at_call=10)
    clf = converged()
    with pytest.warns(UserWarning, match="interrupted by user"):
        clf.fit(X, MULTICLASS)
    monkeypatch.undo()
    penalty = 0.5 * clf.alpha * sum((W**2).sum() for W in clf.coefs_) / len(X)
    assert 0 < clf.n_iter_ < 10
    assert clf.loss_ == pytest.approx(log_loss(MULTICLASS, clf.predict_proba(X)) + penalty, rel=1e-9)


@pytest.mark.parametrize("solver", SOLVERS)
def test_an_interrupt_in_the_first_evaluation_keeps_a_model_that_predicts(solver, monkeypatch):
    interrupt(monkeypatch, Network, "forward", at_call=1)
    clf = small(solver=solver)
    with pytest.warns(UserWarning, match="interrupted by user"):
        fit_uninterrupted(clf)
    assert clf.predict_proba(X).shape == (60, 3)


def fit_uninterrupted(clf):
    """Fit, where an interrupt that comes through fails one test, not the whole run."""
    try:
        clf.fit(X, MULTICLASS)
    except KeyboardInterrupt:
        pytest.fail("KeyboardInterrupt came through")


@pytest.mark.parametrize("early_stopping", [False, True])
def test_divergence_stops_with_a_warning_and_the_last_good_weights(early_stopping):
    clf = small(solver="sgd", batch_size=10, warm_start=True, early_stopping=early_stopping).fit(X, MULTICLASS)
    learnt = copy.deepcopy(clf)
    with pytest.warns(ConvergenceWarning, match=r"diverged.*in epoch \d.*last good weights.*learning_rate_init=1e\+80"):
        clf.set_params(learning_rate_init=1e80, max_iter=100).fit(X, MULTICLASS)
    assert len(clf.loss_curve_) == 3
    assert_same_weights(clf, learnt)


def test_divergence_in_the_first_epoch_restores_the_initial_weights_and_says_so():
    params = {"solver": "sgd", "batch_size": 10, "max_iter": 50}
    initial = small(**params, learning_rate_init=1e-300).fit(X, MULTICLASS)
    with pytest.warns(
        ConvergenceWarning, match=r"epoch 1\. The initial weights, which have learnt nothing, were restored; the loss"
    ):
        clf = small(**params, learning_rate_init=1e80).fit(X, MULTICLASS)
    assert clf.n_iter_ == 0
    assert_same_weights(clf, initial)


def test_divergence_says_what_the_loss_of_the_restored_weights_was():
    params = {"activation": "identity", "solver": "sgd", "hidden_layer_sizes": (20, 20), "batch_size": 20, "max_iter": 50}
    with pytest.warns(ConvergenceWarning, match="The last good weights were restored; the loss from there was"):
        clf = small(**params, learning_rate="constant", learning_rate_init=30.0).fit(X, MULTICLASS)
    assert np.isfinite(clf.predict_log_proba(X)).all()


@pytest.mark.filterwarnings(UNCONVERGED)
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_training_goes_on_after_a_batch_of_numbers_too_large(solver):
    clf = small(solver=solver, batch_size=20, activation="identity").partial_fit(X, MULTICLASS, classes=range(3))
    before = log_loss(MULTICLASS, clf.predict_proba(X))
    stuck = clf.partial_fit(X * 1e160, MULTICLASS).coefs_[0].copy()
    for _ in range(20):
        clf.partial_fit(X, MULTICLASS)
    assert log_loss(MULTICLASS, clf.predict_proba(X)) < before
    assert (clf.coefs_[0] != stuck).all()


def test_numbers_too_large_to_square_are_an_error_not_a_model_that_has_learnt_nothing():
    with pytest.raises(ValueError, match="Scale the columns of X"):
        small().fit(X * 1e200, MULTICLASS)


def test_weights_so_small_that_the_penalty_overflows_are_named():
    weights = np.full(60, 1e-300)
    with pytest.raises(ValueError, match=r"alpha=1.0 is divided by the sum of sample_weight: multiply small weights"):
        small(alpha=1.0).fit(X, MULTICLASS, sample_weight=weights)
    assert np.isfinite(small(alpha=0.0).fit(X, MULTICLASS, sample_weight=weights).loss_)


# Threads, clones, documentation


def test_threads_may_predict_at_once():
    rows = np.tile(X, (200, 1))
    clf = small(hidden_layer_sizes=(20, 20)).fit(X, MULTICLASS)
    expected = clf.predict_proba(rows)
    with ThreadPoolExecutor(8) as pool:
        for result in pool.map(clf.predict_proba, [rows] * 32):
            assert_array_equal(result, expected)


def test_predictions_of_many_rows_equal_those_of_few():
    rows = np.tile(X, (3000, 1))
    clf = small().fit(X, MULTICLASS)
    assert_allclose(clf.predict_proba(rows)[-60:], clf.predict_proba(X), rtol=1e-12)


def test_the_constructor_keeps_every_parameter_as_it_is():
    odd = {name: object() for name in SoftmaxMLPClassifier().get_params()}
    clf = plain(**odd)
    assert set(vars(clf)) == set(odd)
    assert all(vars(clf)[name] is value for name, value in odd.items())


@pytest.mark.parametrize("solver", SOLVERS)
def test_fit_leaves_parameters_untouched(solver):
    sizes, rng = [5], np.random.RandomState(0)
    clf = converged(solver=solver, hidden_layer_sizes=sizes, random_state=rng)
    before = clf.get_params()
    clf.fit(X, MULTICLASS)
    assert all(clf.get_params()[name] is value for name, value in before.items())
    assert sizes == [5]


def test_unusual_but_valid_hidden_layer_sizes():
    for sizes, shapes in [(5, [(4, 5), (5, 3)]), ([], [(4, 3)]), (np.array([3, 2]), [(4, 3), (3, 2), (2, 3)])]:
        assert [W.shape for W in small(hidden_layer_sizes=sizes).fit(X, MULTICLASS).coefs_] == shapes


PUBLIC_METHODS = [name for name in vars(SoftmaxMLPClassifier) if not name.startswith("_") and name != "loss"]


@pytest.mark.parametrize("method", [None, *PUBLIC_METHODS])
def test_docstrings_pass_numpydoc(method):
    validate = pytest.importorskip("numpydoc.validate", reason="numpydoc is not installed").validate
    name = "sksoftmax.SoftmaxMLPClassifier" + (f".{method}" if method else "")
    ignored = {"RT02", "GL01", "GL02"} | ({"EX01", "SA01", "ES01"} if method else set())
    assert [error for error in validate(name)["errors"] if error[0] not in ignored] == []


PUBLIC_FUNCTIONS = ["softmax", "log_softmax", "softmax_jacobian", "cross_entropy"]
PUBLIC_FUNCTIONS += ["sigmoid", "log_sigmoid", "binary_cross_entropy"]


@pytest.mark.parametrize("function", PUBLIC_FUNCTIONS)
def test_docstrings_of_the_mathematics_pass_numpydoc(function):
    validate = pytest.importorskip("numpydoc.validate", reason="numpydoc is not installed").validate
    errors = validate(f"sksoftmax.loss.{function}")["errors"]
    assert [error for error in errors if error[0] not in {"RT02", "GL01", "GL02"}] == []


def test_every_parameter_is_documented_with_its_default():
    doc = inspect.getdoc(SoftmaxMLPClassifier)  # Python 3.13 takes the indentation away by itself
    for name, default in SoftmaxMLPClassifier().get_params().items():
        assert re.search(rf"^{name} : (.|\\\n)*, default={re.escape(repr(default))}$", doc, re.M) or (
            isinstance(default, float) and re.search(rf"^{name} : float.*, default=", doc, re.M)
        ), name


@pytest.mark.parametrize("module", ["sksoftmax", *(f"sksoftmax.{m.name}" for m in pkgutil.iter_modules(sksoftmax.__path__))])
def test_doctests_pass(module):
    assert doctest.testmod(importlib.import_module(module)).failed == 0


def test_weights_set_to_nan_by_hand_are_named():
    clf = small().fit(X, MULTICLASS)
    clf.coefs_[0][0, 0] = np.nan
    with pytest.raises(ValueError, match="coefs_, intercepts_ or embeddings_ hold numbers that are not finite"):
        clf.predict(X)


# Nothing is lost where a call fails


def state(clf):
    return [*(array.copy() for array in clf.coefs_), len(clf.loss_curve_), clf.t_, clf._optimizer.t, clf._optimizer.m.copy()]


def assert_same_state(one, other):
    for mine, theirs in zip(one, other):
        assert_array_equal(mine, theirs)


def test_a_refused_partial_fit_changes_nothing_though_a_parameter_was_changed():
    clf = small().fit(X, MULTICLASS)
    before, predicted = state(clf), clf.predict_proba(X)
    with pytest.raises(ValueError, match="negative"):
        clf.set_params(activation="tanh").partial_fit(X, MULTICLASS, sample_weight=-np.ones(60))
    assert_same_state(state(clf), before)
    assert_array_equal(clf.predict_proba(X), predicted)


def test_an_interrupted_partial_fit_comes_through_and_changes_nothing(monkeypatch):
    clf = small(batch_size=10).partial_fit(X, MULTICLASS, classes=range(3))
    before = state(clf)
    interrupt(monkeypatch, Adam, "step", at_call=3)
    with pytest.raises(KeyboardInterrupt):
        clf.partial_fit(X, MULTICLASS)
    assert_same_state(state(clf), before)


def test_a_warm_start_whose_warning_is_an_error_changes_nothing():
    clf = small(learning_rate="constant", warm_start=True)
    with pytest.warns(ConvergenceWarning):
        clf.fit(X, MULTICLASS)
    before = state(clf)
    with pytest.raises(ConvergenceWarning):
        clf.fit(X, MULTICLASS)
    assert_same_state(state(clf), before)


def test_training_a_shallow_copy_leaves_the_original():
    clf = small().fit(X, MULTICLASS)
    before = state(clf)
    copy.copy(clf).partial_fit(X, MULTICLASS)
    assert_same_state(state(clf), before)


def test_changed_betas_leave_the_moments_what_they_were():
    clf = small(shuffle=False, alpha=0.0).fit(X, MULTICLASS)
    m, v = clf._optimizer.m * (1 - 0.9), clf._optimizer.v * (1 - 0.999)
    clf.set_params(beta_1=0.5, beta_2=0.9, learning_rate_init=1e-300).partial_fit(X, MULTICLASS)
    logits, backprop = clf._network.forward(X)
    gradient = clf._network.gradient
    _, d_logits = cross_entropy(logits, MULTICLASS)
    backprop(d_logits)
    assert_allclose(clf._optimizer.m * 0.5, 0.5 * m + 0.5 * gradient, rtol=1e-9, atol=1e-15)
    assert_allclose(clf._optimizer.v * 0.1, 0.9 * v + 0.1 * gradient**2, rtol=1e-9, atol=1e-15)


def test_lbfgs_that_does_no_iteration_in_a_warm_start_ends_quietly():
    clf = small(solver="lbfgs", early_stopping=True, warm_start=True, n_iter_no_change=1, tol=10.0)
    for _ in range(6):
        assert clf.fit(X, MULTICLASS).n_iter_ >= 1


def test_scores_are_forgotten_where_a_call_has_no_validation_rows():
    clf = small(early_stopping=True, warm_start=True).fit(X, MULTICLASS)
    assert clf.validation_scores_ and clf.best_loss_ is None
    clf.set_params(early_stopping=False).fit(X, MULTICLASS)
    assert clf.validation_scores_ is clf.best_validation_score_ is None
    assert clf.best_loss_ == min(clf.loss_curve_)


def test_a_matrix_of_two_other_values_is_no_multilabel_target():
    with pytest.raises(ValueError, match="only 0 and 1 make a multilabel indicator matrix"):
        small().fit(X, MULTILABEL + 2)


def test_float32_probabilities_stay_above_zero():
    clf = small(hidden_layer_sizes=()).fit(X.astype(np.float32), MULTICLASS)
    assert clf.predict_proba((X * 1e9).astype(np.float32)).min() > 0


def test_a_sparse_column_of_labels_is_one_label_a_row():
    with pytest.warns(DataConversionWarning):
        clf = small().fit(X, csr_matrix(BINARY[:, None]))
    assert clf.classes_.tolist() == [0, 1]


# Label smoothing


def smoothed(y, smoothing, n_classes):
    rows = y if y.ndim == 2 else np.eye(n_classes)[y]
    return (1 - smoothing) * rows + smoothing / n_classes


@pytest.mark.filterwarnings(UNCONVERGED)
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("target", ["multiclass", "binary", "soft", "soft pair"])
@pytest.mark.parametrize("out_activation", ["auto", "softmax"])
def test_label_smoothing_trains_as_on_smoothed_soft_labels(target, solver, out_activation):
    params = {"solver": solver, "out_activation": out_activation, "batch_size": 13, "max_iter": 6}
    y, weights = ARRAYS[target], np.linspace(0.5, 2, 60)
    soft = smoothed(y, 0.3, 2 if target in ("binary", "soft pair") else 3)
    one = small(label_smoothing=0.3, **params).fit(X, y, weights)
    assert_same_weights(one, small(**params).fit(X, soft, weights), rtol=1e-6)
    assert one.loss_curve_ == pytest.approx(small(**params).fit(X, soft, weights).loss_curve_, rel=1e-9)


@pytest.mark.filterwarnings(UNCONVERGED)
def test_label_smoothing_of_many_labels_trains_as_on_rows_with_all_and_with_no_labels():
    """(1 − ε) y + ε / 2 is the mean of y, all ones and all zeros, of which the loss is a linear function."""
    shares = np.repeat([0.7, 0.15, 0.15], 60)
    rows, labels = np.tile(X, (3, 1)), np.vstack([MULTILABEL, np.ones_like(MULTILABEL), np.zeros_like(MULTILABEL)])
    one = small(solver="lbfgs", max_iter=10, label_smoothing=0.3).fit(X, MULTILABEL)
    other = small(solver="lbfgs", max_iter=10).fit(rows, labels, shares)
    assert_allclose(one.predict_proba(X), other.predict_proba(X), rtol=1e-6)
    assert one.loss_curve_ == pytest.approx(other.loss_curve_, rel=1e-9)


@pytest.mark.parametrize(("target", "certainty"), [("multiclass", 0.8), ("binary", 0.85), ("multilabel", 0.85)])
def test_label_smoothing_keeps_probabilities_from_certainty(target, certainty):
    clf = converged(hidden_layer_sizes=(20,), alpha=0.0, label_smoothing=0.3, tol=1e-3).fit(X, ARRAYS[target])
    assert clf.score(X, ARRAYS[target]) == 1
    assert clf.predict_proba(X).max() == pytest.approx(certainty, abs=0.05)
    clf.set_params(label_smoothing=0.0).fit(X, ARRAYS[target])
    assert clf.predict_proba(X).max() > 0.99


@STEPWISE
def test_label_smoothing_is_that_of_partial_fit_too(solver):
    params = {"solver": solver, "shuffle": False}
    one, other = small(label_smoothing=0.3, **params), small(**params)
    for _ in range(3):
        one.partial_fit(X, MULTICLASS, classes=range(3)), other.partial_fit(X, smoothed(MULTICLASS, 0.3, 3))
    assert_same_weights(one, other, rtol=1e-6)


# Clipping


def flat(clf):
    return np.concatenate([array.ravel() for array in clf.coefs_ + clf.intercepts_])


def one_step(**params):
    """The parameters after one step on all rows, and how far they went."""
    params = {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 0.5, "batch_size": 60, "max_iter": 1, **params}
    start = small(**{**params, "learning_rate_init": 1e-300}).fit(X, MULTICLASS)
    end = small(**params).fit(X, MULTICLASS)
    return end, flat(end) - flat(start)


@pytest.mark.parametrize("alpha", [0.0, 5.0])
def test_a_clipped_step_has_the_length_of_the_rate_times_clip_norm_and_the_same_direction(alpha):
    _, free = one_step(alpha=alpha)
    _, cut = one_step(alpha=alpha, clip_norm=0.05)
    assert np.linalg.norm(free) > 2 * 0.5 * 0.05
    assert np.linalg.norm(cut) == pytest.approx(0.5 * 0.05, rel=1e-9)
    assert_allclose(cut / np.linalg.norm(cut), free / np.linalg.norm(free), rtol=1e-7, atol=1e-12)


@STEPWISE
def test_a_gradient_that_is_short_enough_is_not_clipped(solver):
    assert_same_weights(*(small(solver=solver, clip_norm=norm).fit(X, MULTICLASS) for norm in (None, 1e3)))


@STEPWISE
def test_every_step_is_clipped_in_partial_fit_too(solver, monkeypatch):
    optimizer, lengths = {"adam": Adam, "sgd": SGD}[solver], []
    step = optimizer.step
    monkeypatch.setattr(optimizer, "step", lambda self, w, g, rate: lengths.append(np.linalg.norm(g)) or step(self, w, g, rate))
    clf = small(solver=solver, clip_norm=0.05, batch_size=20).fit(X, MULTICLASS)
    clf.partial_fit(X, MULTICLASS)
    assert lengths == pytest.approx([0.05] * 12, rel=1e-9)


def test_clipping_survives_gradients_whose_square_overflows():
    """An outlier that float32 can hold, but not the square of."""
    rows = X.astype(np.float32)
    rows[3] *= 1e25
    params = {"hidden_layer_sizes": (), "solver": "sgd", "momentum": 0.0, "alpha": 0.0, "batch_size": 60, "max_iter": 1}
    with np.errstate(over="ignore"):
        start = small(**params, learning_rate_init=1e-30, clip_norm=1e-6).fit(rows, MULTICLASS)
        end = small(**params, learning_rate_init=0.5, clip_norm=0.1).fit(rows, MULTICLASS)
    assert np.linalg.norm(flat(end) - flat(start)) == pytest.approx(0.05, rel=1e-4)


# Averaging of weights


def averaged(points, decay):
    """The bias-corrected exponential average of a sequence."""
    total = 0.0
    for point in points:
        total = decay * total + (1 - decay) * point
    return total / (1 - decay ** len(points))


def points_of(solver, n, monkeypatch, **params):
    """The parameters after each step of a training without averaging."""
    optimizer, points = {"adam": Adam, "sgd": SGD}[solver], []
    step = optimizer.step

    def recorded(self, w, g, rate):
        step(self, w, g, rate)
        points.append(w.copy())

    with monkeypatch.context() as patch:
        patch.setattr(optimizer, "step", recorded)
        small(solver=solver, max_iter=n, **params).fit(X, MULTICLASS)
    return points


@STEPWISE
@pytest.mark.parametrize("decay", [0.5, 0.95])
def test_the_weights_are_the_average_over_the_steps_of_a_training_without_averaging(solver, decay, monkeypatch):
    points = points_of(solver, 5, monkeypatch, batch_size=20)
    clf = small(solver=solver, max_iter=5, batch_size=20, ema_decay=decay).fit(X, MULTICLASS)
    assert len(points) == 15
    assert_allclose(clf._network.parameters, averaged(points, decay), rtol=1e-9, atol=1e-13)


@STEPWISE
def test_each_epoch_scores_the_average(solver, monkeypatch):
    points, seen = points_of(solver, 4, monkeypatch, batch_size=20), []

    def remember(estimator, X, y):
        seen.append(flat_vector(estimator).copy())
        return float(len(seen))

    clf = small(solver=solver, max_iter=4, batch_size=20, ema_decay=0.9, early_stopping=True, scoring=remember)
    clf.fit(X, MULTICLASS, X_val=X, y_val=MULTICLASS)
    for epoch, parameters in enumerate(seen, start=1):
        assert_allclose(parameters, averaged(points[: 3 * epoch], 0.9), rtol=1e-9, atol=1e-13)
    assert_array_equal(flat_vector(clf), seen[-1])


EVERYTHING = {
    "dropout": 0.3,
    "label_smoothing": 0.1,
    "clip_norm": 0.5,
    "ema_decay": 0.8,
    "weight_decay": 0.01,
    "class_weight": {0: 2.0, 2: 0.5},
}


@STEPWISE
@pytest.mark.filterwarnings(UNCONVERGED)
@pytest.mark.parametrize("extra", [{}, {"ema_decay": 0.8}, EVERYTHING], ids=["plain", "averaged", "everything"])
def test_calls_of_partial_fit_are_the_epochs_of_fit(solver, extra):
    """Without dropout, whose masks each call begins anew."""
    extra = {**extra, "dropout": 0.0}
    params = {"solver": solver, "learning_rate": "constant", "shuffle": False, "batch_size": 20, **extra}
    fitted, parts = small(max_iter=5, **params).fit(X, MULTICLASS), small(**params)
    for _ in range(5):
        parts.partial_fit(X, MULTICLASS, classes=range(3))
    assert_same_weights(parts, fitted)
    assert parts.loss_curve_ == fitted.loss_curve_


@STEPWISE
@pytest.mark.parametrize("extra", [{"ema_decay": 0.8}, EVERYTHING], ids=["averaged", "everything"])
def test_a_pickle_between_calls_of_partial_fit_changes_nothing(solver, extra):
    one, other = (small(solver=solver, **extra).partial_fit(X, MULTICLASS, classes=range(3)) for _ in range(2))
    for _ in range(3):
        one.partial_fit(X, MULTICLASS)
        other = pickled(other).partial_fit(X, MULTICLASS)
    assert_same_weights(one, other)


@STEPWISE
@pytest.mark.filterwarnings(UNCONVERGED)
def test_a_warm_start_goes_on_from_the_weights_that_are_not_averaged(solver):
    params = {"solver": solver, "learning_rate": "constant", "shuffle": False, "ema_decay": 0.9}
    warm, cold = small(warm_start=True, **params), small(max_iter=6, **params)
    assert_same_weights(warm.fit(X, MULTICLASS).fit(X, MULTICLASS), cold.fit(X, MULTICLASS))


@STEPWISE
@pytest.mark.filterwarnings(UNCONVERGED)
def test_restored_averages_are_the_best_and_training_goes_on_from_them(solver):
    params = {"solver": solver, "ema_decay": 0.7, "early_stopping": True, "scoring": "loss", "momentum": 0.0}
    rate = 0.5 if solver == "adam" else 10.0
    clf = small(**params, learning_rate_init=rate, max_iter=15, warm_start=True, hidden_layer_sizes=(20,))
    given = {"X_val": X[40:], "y_val": MULTICLASS[40:]}
    clf.fit(X[:40], MULTICLASS[:40], **given)
    assert clf.best_iter_ < clf.n_iter_
    assert log_loss(MULTICLASS[40:], clf.predict_proba(X[40:])) == pytest.approx(min(clf.validation_loss_curve_), rel=1e-9)
    restored = flat(clf)
    clf.set_params(learning_rate_init=1e-12, max_iter=1, restore_best=False).fit(X[:40], MULTICLASS[:40], **given)
    assert_allclose(flat(clf), restored, atol=1e-10)


@by_hand
@STEPWISE
def test_weights_set_by_hand_are_those_that_averaging_goes_on_from(set_weights, solver):
    clf = small(solver=solver, ema_decay=0.5, momentum=0.0).partial_fit(X, MULTICLASS, classes=range(3))
    clf.set_params(learning_rate_init=1e-9)
    set_weights(clf)
    clf.partial_fit(X, MULTICLASS)
    assert_allclose(clf.predict_proba(X), np.tile([0.7, 0.2, 0.1], (60, 1)), rtol=1e-6)


@STEPWISE
@pytest.mark.parametrize("at_call", [2, 5, 8])
def test_an_interrupt_keeps_the_average_of_the_steps_so_far(solver, at_call, monkeypatch):
    points = points_of(solver, 4, monkeypatch, batch_size=20)[: at_call - 1]
    interrupt(monkeypatch, {"adam": Adam, "sgd": SGD}[solver], "step", at_call)
    clf = small(solver=solver, max_iter=4, batch_size=20, ema_decay=0.6, warm_start=True)
    with pytest.warns(UserWarning, match="interrupted by user"):
        clf.fit(X, MULTICLASS)
    assert_allclose(clf._network.parameters, averaged(points, 0.6), rtol=1e-9, atol=1e-13)
    monkeypatch.undo()
    clf.set_params(learning_rate_init=1e-12, ema_decay=0.999999, momentum=0.0).partial_fit(X, MULTICLASS)
    assert_allclose(clf._optimizer.other, points[-1], rtol=1e-6, atol=1e-8)


def test_an_interrupt_in_the_first_step_of_an_average_keeps_the_initial_weights(monkeypatch):
    initial = small(learning_rate_init=1e-300, max_iter=1).fit(X, MULTICLASS)
    interrupt(monkeypatch, Adam, "step", at_call=1)
    clf = small(ema_decay=0.5)
    with pytest.warns(UserWarning, match="interrupted by user"):
        clf.fit(X, MULTICLASS)
    assert_same_weights(clf, initial)


@pytest.mark.filterwarnings("default::sklearn.exceptions.ConvergenceWarning")
def test_divergence_restores_good_averages_and_training_goes_on():
    clf = small(solver="sgd", batch_size=10, warm_start=True, ema_decay=0.9).fit(X, MULTICLASS)
    learnt = copy.deepcopy(clf)
    with pytest.warns(ConvergenceWarning, match="diverged.*last good weights"):
        clf.set_params(learning_rate_init=1e80).fit(X, MULTICLASS)
    assert_same_weights(clf, learnt)
    clf.set_params(learning_rate_init=0.02).fit(X, MULTICLASS)
    assert clf.loss_curve_[-1] < learnt.loss_curve_[-1]


# Dropout


@STEPWISE
def test_dropout_is_repeated_by_the_same_seed_and_changes_what_is_learnt(solver):
    one, other = (small(solver=solver, dropout=0.5).fit(X, MULTICLASS) for _ in range(2))
    assert_same_weights(one, other)
    assert not np.allclose(one.coefs_[0], small(solver=solver).fit(X, MULTICLASS).coefs_[0])


@pytest.mark.parametrize("target", ARRAYS)
def test_predictions_and_validation_losses_drop_nothing(target):
    y = ARRAYS[target]
    clf = small(dropout=0.9, early_stopping=True, restore_best=False).fit(X, y, X_val=X, y_val=y)
    (V, W), (a, b) = clf.coefs_, clf.intercepts_
    logits = np.maximum(X @ V + a, 0) @ W + b
    assert_allclose(clf._network.logits(X), logits, rtol=1e-12, atol=1e-14)
    assert_array_equal(clf.predict_proba(X), clf.predict_proba(X))
    head = clf._encoder.head
    loss = head.loss(logits.copy(), clf._encoder.encode(y, np.float64), None)[0]
    assert clf.validation_loss_curve_[-1] == pytest.approx(loss, rel=1e-9)


def test_listed_dropout_is_that_of_its_layers():
    def fitted(dropout):
        return small(hidden_layer_sizes=(6, 5), dropout=dropout).fit(X, MULTICLASS)

    assert_same_weights(fitted([0.4, 0.4]), fitted(0.4))
    assert_same_weights(fitted((0.0, 0.0)), fitted(0.0))
    first, second = fitted([0.4, 0.0]), fitted(np.array([0.0, 0.4]))
    assert not np.allclose(first.coefs_[0], second.coefs_[0])


def test_the_loss_of_an_epoch_is_that_under_dropout():
    """One step on all rows: its loss is that of the initial weights under the masks that the generator's next draw seeds."""
    clf = small(dropout=0.5, max_iter=1, alpha=0.0, shuffle=False).fit(X, MULTICLASS)
    rng = np.random.RandomState(0)
    network = Network((4, 5, 3), "relu", np.float64, dropout=0.5)
    network.initialize(rng)
    bits = np.random.SFC64(rng.randint(2**31))
    assert clf.loss_ == pytest.approx(cross_entropy(network.forward(X, bits=bits)[0], MULTICLASS)[0], rel=1e-12)


@pytest.mark.parametrize("form", [csr_matrix, lambda X: X.astype(np.float32)], ids=["sparse", "float32"])
def test_dropout_of_sparse_and_single_precision_rows_is_that_of_dense_and_double_ones(form):
    one, other = (small(dropout=0.5, max_iter=2).fit(rows, MULTICLASS) for rows in (form(X), X))
    assert_allclose(one.predict_proba(X), other.predict_proba(X), atol=1e-4)


def test_without_hidden_layers_there_is_nothing_to_drop():
    params = {"hidden_layer_sizes": (), "shuffle": False}
    one, other = (small(**params, dropout=dropout).fit(X, MULTICLASS) for dropout in (0.5, 0.0))
    assert_same_weights(one, other)


def test_a_dropout_rate_changed_between_calls_takes_effect():
    clf, other = (small(shuffle=False).partial_fit(X, MULTICLASS, classes=range(3)) for _ in range(2))
    clf.set_params(dropout=0.5).partial_fit(X, MULTICLASS), other.partial_fit(X, MULTICLASS)
    assert not np.allclose(clf.coefs_[0], other.coefs_[0])


# Forms of activation and hidden_layer_sizes


@pytest.mark.filterwarnings(UNCONVERGED)
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("form", [list, tuple, np.array])
def test_listed_activations_are_those_of_the_layers(solver, form):
    clf = small(hidden_layer_sizes=(6, 5), activation=form(["tanh", "relu"]), solver=solver).fit(X, MULTICLASS)
    (A, B, C), (a, b, c) = clf.coefs_, clf.intercepts_
    logits = np.maximum(np.tanh(X @ A + a) @ B + b, 0) @ C + c
    assert_allclose(clf.decision_function(X), logits, rtol=1e-10)
    assert_allclose(pickled(clf).decision_function(X), logits, rtol=1e-10)


@pytest.mark.parametrize("sizes", ["6-5", [6, 5], np.array([6, 5])])
def test_hidden_layer_sizes_of_every_form_make_the_same_network(sizes):
    assert_same_weights(small(hidden_layer_sizes=sizes).fit(X, MULTICLASS), small(hidden_layer_sizes=(6, 5)).fit(X, MULTICLASS))


def test_a_warm_start_takes_another_form_of_the_same_sizes():
    clf = small(hidden_layer_sizes=(6, 5), warm_start=True).fit(X, MULTICLASS)
    assert len(clf.set_params(hidden_layer_sizes="6-5").fit(X, MULTICLASS).loss_curve_) == 6


# Schedules of one's own, warmup


def rates_of(solver, monkeypatch, method="fit", **params):
    """The rate of each step."""
    optimizer, rates = {"adam": Adam, "sgd": SGD}[solver], []
    step = optimizer.step
    with monkeypatch.context() as patch:
        patch.setattr(optimizer, "step", lambda self, w, g, rate: rates.append(rate) or step(self, w, g, rate))
        clf = small(solver=solver, batch_size=20, max_iter=4, **params)
        clf.fit(X, MULTICLASS) if method == "fit" else clf.partial_fit(X, MULTICLASS, classes=range(3))
    return rates


@STEPWISE
@pytest.mark.parametrize("function", [cosine, one_cycle])
def test_a_function_as_learning_rate_is_like_the_schedule_of_its_name(solver, function):
    one, other = (small(solver=solver, learning_rate=rate, max_iter=6) for rate in (function, function.__name__))
    assert_same_weights(one.fit(X, MULTICLASS), other.fit(X, MULTICLASS))


@STEPWISE
def test_a_function_as_learning_rate_plans_each_step_and_runs_to_the_end(solver, monkeypatch):
    params = {"learning_rate": lambda progress: 1 - progress, "tol": 10.0, "n_iter_no_change": 1}
    rates = rates_of(solver, monkeypatch, **params)
    assert rates == pytest.approx([0.02 * (1 - step / 12) for step in range(12)], rel=1e-12)


@STEPWISE
@pytest.mark.filterwarnings(UNCONVERGED)
def test_warmup_raises_the_rates_of_the_first_steps(solver, monkeypatch):
    rates = rates_of(solver, monkeypatch, learning_rate="constant", warmup=0.5)
    assert rates == pytest.approx([0.02 * min(step / 6, 1) for step in range(12)], rel=1e-12)
    rates = rates_of(solver, monkeypatch, learning_rate="cosine", warmup=0.25)
    assert rates == pytest.approx([0.02 * (step / 3 if step < 3 else cosine((step - 3) / 9)) for step in range(12)], rel=1e-12)


@STEPWISE
@pytest.mark.parametrize("params", [{"warmup": 0.5}, {"learning_rate": lambda progress: 0.1}], ids=["warmup", "function"])
def test_partial_fit_knows_no_plan(solver, params, monkeypatch):
    assert rates_of(solver, monkeypatch, "partial_fit", **params) == [0.02] * 3


@STEPWISE
def test_a_function_that_gives_no_rate_is_named(solver):
    with pytest.raises(ValueError, match="learning_rate must return a finite factor >= 0; got -1 at progress 0"):
        small(solver=solver, learning_rate=lambda progress: -1).fit(X, MULTICLASS)


@pytest.mark.filterwarnings(UNCONVERGED)
def test_warmup_multiplies_the_rates_that_sgd_lowers_by_itself(monkeypatch):
    rates = rates_of("sgd", monkeypatch, learning_rate="invscaling", power_t=0.5, warmup=0.5)
    base = [0.02] * 3 + [0.02 / (60 * epoch + 1) ** 0.5 for epoch in (1, 2, 3) for _ in range(3)]
    assert rates == pytest.approx([rate * min(step / 6, 1) for step, rate in enumerate(base)], rel=1e-12)


# All of it together

ALL = {
    "hidden_layer_sizes": "64-32",
    "activation": ["selu", "silu"],
    "learning_rate": "one_cycle",
    "learning_rate_init": 0.01,
    "warmup": 0.1,
    "max_iter": 15,
    "dropout": [0.1, 0.2],
    "label_smoothing": 0.1,
    "clip_norm": 1.0,
    "ema_decay": 0.9,
    "class_weight": "balanced",
    "early_stopping": True,
    "scoring": "loss",
    "weight_decay": 0.01,
    "random_state": 0,
}


@STEPWISE
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_all_of_it_together_learns_digits(solver, dtype):
    rows, digit = load_digits(return_X_y=True)
    rows = (rows / 16).astype(dtype)
    clf = plain(**ALL, solver=solver).set_params(learning_rate_init=0.01 if solver == "adam" else 0.5)
    clf.fit(rows[:1200], digit[:1200])
    assert clf.score(rows[1200:], digit[1200:]) > 0.9
    assert clf.coefs_[0].dtype == dtype
    assert_array_equal(pickled(clf).predict_proba(rows), clf.predict_proba(rows))
    assert clf.validation_loss_curve_[clf.best_iter_ - 1] == min(clf.validation_loss_curve_)
    again = clone(clf)
    assert not hasattr(again, "coefs_")
    assert_same_weights(again.fit(rows[:1200], digit[:1200]), clf)


@pytest.mark.filterwarnings(UNCONVERGED)
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_grid_search_runs_over_the_new_parameters(n_jobs):
    grid = [
        {"hidden_layer_sizes": ["5-4", "6"], "activation": ["tanh"], "dropout": [0.0, 0.2], "label_smoothing": [0.1]},
        {"hidden_layer_sizes": ["5-4"], "activation": [["tanh", "relu"]], "dropout": [[0.1, 0.2]], "class_weight": ["balanced"]},
        {"clip_norm": [None, 0.1], "ema_decay": [0.5], "warmup": [0.2], "learning_rate": ["constant", cosine]},
        {"early_stopping": ["auto", True], "scoring": ["loss"], "restore_best": [False], "class_weight": [{0: 2}]},
    ]
    search = GridSearchCV(small(), grid, cv=2, n_jobs=n_jobs, error_score="raise").fit(X, MULTICLASS)
    assert len(search.cv_results_["params"]) == 4 + 1 + 4 + 2
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
