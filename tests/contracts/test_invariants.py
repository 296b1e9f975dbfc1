"""What a change of the data that changes nothing must not change: units, names, order, weights for copies, calls for batches."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix

from sksoftmax import SoftmaxMLPClassifier
from support.estimators import plain
from support.marks import SOLVERS, STEPWISE
from support.weights import assert_same_weights

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
DTYPES = pytest.mark.parametrize("dtype", ["float64", "float32"])
SCALINGS = pytest.mark.parametrize("scaling", ["robust", "standard"])
ROUNDING = {"float64": 1e-7, "float32": 2e-3}
rng = np.random.default_rng(0)
N = 60
X = rng.normal(size=(N, 4)) + rng.integers(0, 3, (N, 1))
CODES = (X[:, :3] + rng.normal(size=(N, 3))).argmax(axis=1)
BINARY = CODES % 2
MULTILABEL = (X[:, :3] > 1).astype(int)
TARGETS = {"classes": CODES, "two classes": BINARY, "multilabel": MULTILABEL}
MANY = np.vstack([X, X + 0.1, X - 0.1])
MANY_CODES = np.tile(CODES, 3)


def frame_with_colors(X):
    """Numbers, some missing, and categories, some missing."""
    frame = pd.DataFrame(X.copy(), columns=list("abcd"))
    frame.loc[::7, "b"] = np.nan
    frame["color"] = pd.Series(np.array(["red", "green", "blue"])[np.arange(len(X)) % 3], dtype=object).where(X[:, 0] > 0, None)
    return frame


FRAME = frame_with_colors(X)


def two_layer_network(**params):
    """One network; a few epochs of full batches unless `params` say otherwise."""
    defaults = {"hidden_layer_sizes": (6, 5), "activation": "tanh", "learning_rate_init": 0.01, "max_iter": 5, "random_state": 0}
    return plain(**{**defaults, **params})


def two_layer_network_on_raw_columns(**params):
    """One network on raw columns with bins."""
    return two_layer_network(**{"scaling": "robust", "categorical_features": "from_dtype", "n_bins": 8, **params})


def two_layer_default(**params):
    """The defaults, small and short."""
    return SoftmaxMLPClassifier(**{"hidden_layer_sizes": (6, 5), "max_iter": 3, "random_state": 0, **params})


# Units of the columns


@SCALINGS
@SOLVERS
@DTYPES
def test_units_that_differ_by_powers_of_two_change_no_bit(solver, scaling, dtype):
    factors = np.array([2.0**-30, 2.0**5, 1.0, 2.0**60])
    clf = two_layer_network_on_raw_columns(solver=solver, scaling=scaling, dtype=dtype, batch_size=20)
    one, other = clf.fit(X, CODES).predict_proba(X), clf.fit(X * factors, CODES).predict_proba(X * factors)
    assert_array_equal(one, other)


@SCALINGS
@pytest.mark.parametrize("n_rows", [N, 3 * N])
def test_units_that_differ_by_powers_of_two_change_no_bit_of_the_defaults(n_rows, scaling):
    factors, rows, y = np.array([2.0**-30, 2.0**5, 1.0, 2.0**60]), MANY[:n_rows], MANY_CODES[:n_rows]
    clf = two_layer_default(scaling=scaling)
    one, other = clf.fit(rows, y).predict_proba(rows), clf.fit(rows * factors, y).predict_proba(rows * factors)
    assert_array_equal(one, other)


@SCALINGS
@SOLVERS
@pytest.mark.parametrize("weights", [None, np.arange(N) % 4], ids=["", "weighted"])
def test_units_and_origins_of_columns_do_not_matter_with_scaling(solver, scaling, weights):
    clf, other_units = (
        two_layer_network_on_raw_columns(solver=solver, scaling=scaling),
        X * [1e-9, 3.7, 1e3, 1e12] + [1e-8, -5.0, 0.0, 1e12],
    )
    one, other = clf.fit(X, CODES, weights).predict_proba(X), clf.fit(other_units, CODES, weights).predict_proba(other_units)
    assert_allclose(one, other, rtol=1e-7)


@SCALINGS
@SOLVERS
@pytest.mark.parametrize("factors", [1e-9, 3.7, [1, 1e3, 1, 1e3]], ids=["small", "large", "full columns"])
def test_units_of_sparse_columns_do_not_matter_with_scaling(solver, scaling, factors):
    """Thin columns share a scale, so that only a unit that they have in common does not matter."""
    rows, clf = np.where(X > [2, 0, 2, 0], X, 0), two_layer_network_on_raw_columns(solver=solver, scaling=scaling)
    rows[:, [0, 2]] *= np.arange(N)[:, None] % 3 == 0
    rows = csr_matrix(rows)
    assert rows.nnz < rows.shape[0] * rows.shape[1] / 2
    other_units = csr_matrix(rows.multiply(np.broadcast_to(factors, 4)))
    one, other = clf.fit(rows, CODES).predict_proba(rows), clf.fit(other_units, CODES).predict_proba(other_units)
    assert_allclose(one, other, rtol=1e-7)


# Order and names of columns, rows and classes


def begun(clf, frame, y):
    """The estimator after its first epochs and a pickle; its next fit is a warm start with new moments and the same seed."""
    return pickle.loads(pickle.dumps(clf.fit(frame, y))).set_params(warm_start=True)


@SOLVERS
@DTYPES
@pytest.mark.parametrize("recipe", ["raw", "default"])
def test_the_order_of_columns_does_not_matter_to_weights_that_follow_it(recipe, solver, dtype):
    if recipe == "default" and solver != "adam":
        pytest.skip("the defaults are for adam")
    clf = {"raw": two_layer_network_on_raw_columns, "default": two_layer_default}[recipe](solver=solver, dtype=dtype)
    one, other = (begun(clf, FRAME[order], CODES) for order in (["a", "b", "c", "d", "color"], ["color", "c", "a", "d", "b"]))
    names = one.encoded_feature_names_.tolist()
    order = [names.index(name) for name in other.encoded_feature_names_]
    assert sorted(order) == list(range(len(names)))
    other.coefs_ = [one.coefs_[0][..., order, :].copy(), *(W.copy() for W in one.coefs_[1:])]
    other.intercepts_ = [b.copy() for b in one.intercepts_]
    start = [W.copy() for W in one.coefs_]
    one.fit(FRAME, CODES)
    other.fit(FRAME[["color", "c", "a", "d", "b"]], CODES)
    assert_allclose(other.coefs_[0], one.coefs_[0][..., order, :], rtol=ROUNDING[dtype], atol=ROUNDING[dtype])
    for before, W, V in zip(start[1:], one.coefs_[1:], other.coefs_[1:]):
        assert_allclose(V, W, rtol=ROUNDING[dtype], atol=ROUNDING[dtype])
        assert (before != W).any()


@SOLVERS
@DTYPES
@pytest.mark.parametrize("target", TARGETS)
def test_the_order_of_rows_does_not_matter_to_full_batches(target, solver, dtype):
    order, y = np.random.default_rng(1).permutation(N), TARGETS[target]
    one = two_layer_network_on_raw_columns(solver=solver, dtype=dtype).fit(FRAME, y)
    other = two_layer_network_on_raw_columns(solver=solver, dtype=dtype).fit(FRAME.iloc[order], y[order])
    assert_allclose(one.predict_proba(FRAME), other.predict_proba(FRAME), rtol=ROUNDING[dtype])


def test_the_order_of_few_rows_does_not_matter_to_the_defaults():
    order, few, y = np.random.default_rng(1).permutation(48), FRAME[:48], CODES[:48]
    one, other = two_layer_default().fit(few, y), two_layer_default().fit(few.iloc[order], y[order])
    assert_allclose(one.predict_proba(FRAME), other.predict_proba(FRAME), rtol=1e-7)


@SOLVERS
@pytest.mark.parametrize("names", [[-7, 0, 10**12], ["a", "b", "c"], [0.0, 1.0, 2.0], ["", "0", "ß"]], ids=str)
def test_names_of_classes_change_no_bit(solver, names):
    clf, labels = two_layer_network(solver=solver, batch_size=20), np.array(names)[CODES]
    assert_array_equal(clf.fit(X, CODES).predict_proba(X), clf.fit(X, labels).predict_proba(X))
    assert set(clf.predict(X)) <= set(names)


@pytest.mark.parametrize("n_rows", [N, 3 * N])
def test_names_of_classes_change_no_bit_of_the_defaults(n_rows):
    rows, codes = MANY[:n_rows], MANY_CODES[:n_rows]
    labels = np.array(["a", "b", "c"], dtype=object)[codes]
    weights = {"class_weight": {0: 2.0}}, {"class_weight": {"a": 2.0}}
    for params, renamed in (({}, {}), weights):
        one, other = two_layer_default(**params).fit(rows, codes), two_layer_default(**renamed).fit(rows, labels)
        assert_array_equal(one.predict_proba(rows), other.predict_proba(rows))


@SOLVERS
@DTYPES
@pytest.mark.parametrize("target", ["classes", "two classes"])
def test_the_order_of_classes_does_not_matter_if_they_begin_with_equal_probabilities(target, solver, dtype):
    codes = TARGETS[target]
    place = np.array([2, 0, 1]) if target == "classes" else np.array([1, 0])
    clf = two_layer_network(
        solver=solver, dtype=dtype, parametrization="ntk", batch_size=20, learning_rate_init=1e-3, label_smoothing=0.1
    )
    one, other = clf.fit(X, codes).predict_proba(X), clf.fit(X, place[codes]).predict_proba(X)
    assert_allclose(one, other[:, place], rtol=ROUNDING[dtype])


@pytest.mark.parametrize("target", ["classes", "two classes", "multilabel"])
def test_the_order_of_few_rows_classes_does_not_matter_to_the_defaults(target):
    y = TARGETS[target]
    place = np.array([1, 0]) if target == "two classes" else np.array([2, 0, 1])
    moved = y[:, np.argsort(place)] if target == "multilabel" else place[y]
    one, other = (two_layer_default().fit(X[:48], labels[:48]).predict_proba(X) for labels in (y, moved))
    assert_allclose(one, other[:, place], rtol=1e-7)


# Weights for copies


# Calls of partial_fit for batches


@STEPWISE
@DTYPES
@pytest.mark.parametrize(
    "extra", [{}, {"ema_decay": 0.5, "weight_decay": 0.1, "clip_norm": 0.5, "label_smoothing": 0.1}], ids=str
)
def test_partial_fit_on_each_batch_equals_an_epoch_of_fit(solver, dtype, extra):
    """With equal frequencies of the classes in each batch, towards which labels are smoothed."""
    params = {"solver": solver, "dtype": dtype, "shuffle": False, "batch_size": 15, **extra}
    y = np.arange(N) % 3
    whole, parts = two_layer_network(max_iter=3, **params).fit(X, y), two_layer_network(**params)
    for start in [0, 15, 30, 45] * 3:
        parts.partial_fit(X[start : start + 15], y[start : start + 15], classes=range(3))
    assert_same_weights(parts, whole, rtol=1e-12)
    assert parts.t_ == whole.t_ == 3 * N
    assert_allclose(np.mean(np.reshape(parts.loss_curve_, (3, 4)), axis=1), whole.loss_curve_, rtol=1e-6)


@pytest.mark.parametrize("n_members", [1, 4])
def test_partial_fit_on_each_batch_of_raw_rows_equals_one_call_after_the_first(n_members):
    """Without dropout, as each call starts new masks, and with equal frequencies of the classes in each batch."""
    params, y = {"n_members": n_members, "shuffle": False, "batch_size": 15, "dropout": 0.0}, np.arange(N) % 3
    whole, parts = (two_layer_default(**params).partial_fit(FRAME, y, classes=range(3)) for _ in range(2))
    whole.partial_fit(FRAME, y)
    for start in (0, 15, 30, 45):
        parts.partial_fit(FRAME[start : start + 15], y[start : start + 15])
    assert_same_weights(parts, whole, rtol=1e-12)


# Copies that continue training


@STEPWISE
@DTYPES
@pytest.mark.filterwarnings("ignore:Validation score did not improve")
@pytest.mark.parametrize("copied", [lambda clf: pickle.loads(pickle.dumps(clf)), copy.deepcopy], ids=["pickle", "deepcopy"])
@pytest.mark.parametrize("recipe", [two_layer_network_on_raw_columns, two_layer_default])
def test_a_copy_between_calls_of_partial_fit_continues_identically(recipe, copied, dtype, solver):
    """With a scored part of the rows, missing values, categories, bins and dropout."""
    params = {"solver": solver, "dtype": dtype, "early_stopping": True, "n_iter_no_change": 2, "batch_size": 16, "dropout": 0.2}
    one, other = (recipe(**params, ema_decay=0.5 if recipe is two_layer_network_on_raw_columns else 0.0) for _ in range(2))
    for start in (0, 20, 40, 0, 20):
        rows = slice(start, start + 20)
        given = {"X_val": FRAME[50:], "y_val": CODES[50:], "classes": range(3)}
        one.partial_fit(FRAME[rows], CODES[rows], **given)
        other = copied(other).partial_fit(FRAME[rows], CODES[rows], **given)
    assert_same_weights(one, other)
    assert_array_equal(one.predict_proba(FRAME), other.predict_proba(FRAME))
    assert one.validation_scores_ == other.validation_scores_ and one.loss_curve_ == other.loss_curve_


@SOLVERS
def test_a_copy_in_a_warm_start_continues_identically(solver):
    one, other = (
        two_layer_network_on_raw_columns(solver=solver, warm_start=True, batch_size=20, learning_rate="constant").fit(
            FRAME, CODES
        )
        for _ in range(2)
    )
    one.fit(FRAME, CODES)
    other = pickle.loads(pickle.dumps(other)).fit(FRAME, CODES)
    assert_same_weights(one, other)


@SOLVERS
@pytest.mark.parametrize("recipe", [two_layer_network_on_raw_columns, two_layer_default])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_the_same_weights_set_by_hand_change_nothing_in_warm_start_and_partial_fit(recipe, method, solver):
    if solver == "lbfgs" and method == "partial_fit":
        pytest.skip("there is no partial_fit")
    one, other = (recipe(solver=solver, warm_start=True, dropout=0.0).fit(FRAME, CODES) for _ in range(2))
    other.coefs_, other.intercepts_ = ([array.copy() for array in arrays] for arrays in (other.coefs_, other.intercepts_))
    getattr(one, method)(FRAME, CODES), getattr(other, method)(FRAME, CODES)
    assert_same_weights(one, other)
