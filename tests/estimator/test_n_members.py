"""The parameter `n_members`: ensembles as whole models."""

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array, csr_matrix
from scipy.special import log_softmax, softmax
from sklearn.base import clone
from sklearn.metrics import log_loss

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.nn.ensemble_weights import EnsembleWeights
from sksoftmax.training import ensemble
from sksoftmax.training.ensemble import FOLD_ROWS, EnsemblePlan
from support.callbacks import Recorder
from support.data import ENSEMBLE_X as X
from support.data import KINDS, MANY_X, N_INPUTS, MANY_y, N
from support.data import ENSEMBLE_y as y
from support.estimators import quick_ensemble
from support.marks import UNCONVERGED, has_callbacks
from support.networks import fitted_model, logits_of_members
from support.processes import peak_of, watch

# Calibration and weights


def test_members_that_see_n_bins_get_more_weight_if_only_bins_help():
    rng = np.random.RandomState(0)
    steps = rng.uniform(-3, 3, (600, 1))
    stripes = (np.floor(steps[:, 0] * 3) % 2).astype(int)
    weights = SoftmaxMLPClassifier((8,), n_members=4, max_iter=40, random_state=0).fit(steps, stripes).member_weights_
    assert weights[2:].min() > weights[:2].max()


def one_network(calibrated_by, monkeypatch, kind, **params):
    """A fitted network whose calibration would be this factor and this bias."""
    found = replace(EnsembleWeights.equal(1), inverse_temperature=calibrated_by[0], bias=calibrated_by[1])
    monkeypatch.setattr(ensemble, "fit_calibration", lambda *args: found)
    params = {"n_members": 1, "companion": False, "max_iter": 4, "dropout": 0.0, "random_state": 0, **params}
    return SoftmaxMLPClassifier((6,), **params).fit(MANY_X, np.concatenate([kind] * 3))


@pytest.mark.parametrize("kind", ["classes", "two classes", "multilabel", "soft"])
def test_the_calibration_of_one_network_is_in_its_last_layer_when_training_ends(kind, monkeypatch):
    plain, other = (one_network(by, monkeypatch, KINDS[kind]) for by in ((1.0, 0.0), (2.0, 0.5)))
    for ours, theirs in zip(plain.coefs_[:-1], other.coefs_[:-1], strict=True):
        assert_array_equal(ours, theirs)
    assert_allclose(other.coefs_[-1], 2 * plain.coefs_[-1])
    assert_allclose(other.intercepts_[-1], 2 * plain.intercepts_[-1] + 0.5, rtol=1e-6)
    assert other.temperature_ == 1 and not other.ensemble_bias_.any()
    assert other.n_fold_epochs_ == 2


@has_callbacks
def test_models_that_callbacks_see_are_calibrated_as_the_last_one_is(monkeypatch):
    recorder = Recorder()
    clf = SoftmaxMLPClassifier((6,), n_members=1, max_iter=4, random_state=0).set_callbacks(recorder).fit(MANY_X, MANY_y)
    assert_array_equal(recorder.models[-1][1], clf.predict_proba(MANY_X))
    assert_array_equal(recorder.models[-1][0].predict_proba(MANY_X), clf.predict_proba(MANY_X))


@pytest.mark.parametrize(
    "params", [{"early_stopping": True}, {"learning_rate": "constant", "max_iter": 9}, {"solver": "lbfgs"}], ids=str
)
@pytest.mark.filterwarnings(UNCONVERGED)
def test_one_network_trains_on_all_rows_if_its_end_is_not_planned(params):
    clf = SoftmaxMLPClassifier((6,), **{"n_members": 1, "max_iter": 4, "random_state": 0, **params}).fit(MANY_X, MANY_y)
    assert clf.n_fold_epochs_ == 0


def test_one_network_that_learns_noise_by_heart_is_not_overconfident():
    rng = np.random.default_rng(0)
    rows, test = rng.normal(size=(600, 10)), rng.normal(size=(2000, 10))
    labels, truth = ((Z[:, 0] + rng.normal(0, 1, len(Z)) > 0).astype(int) for Z in (rows, test))
    params = {"n_members": 1, "dropout": 0.0, "weight_decay": 0.0, "label_smoothing": 0.0, "random_state": 0}
    ours = SoftmaxMLPClassifier(**params).fit(rows, labels)
    without = SoftmaxMLPClassifier(ema_decay=0.5, **params).fit(rows, labels)  # an average of weights has no calibration
    assert log_loss(truth, ours.predict_proba(test)) < 0.8 * log_loss(truth, without.predict_proba(test))


# Whole models


@pytest.mark.parametrize("kind", KINDS)
def test_n_members_learn_every_kind_of_target(kind):
    clf = quick_ensemble().fit(X, KINDS[kind])
    p = clf.predict_proba(X)
    assert clf.n_members_ == 8
    assert np.isfinite(p).all()
    assert_allclose(np.exp(clf.predict_log_proba(X)), p, rtol=1e-5)
    if kind != "multilabel":
        assert_allclose(p.sum(axis=1), 1, rtol=1e-5)
    assert clf.predict(X).shape == (KINDS[kind].shape if kind == "multilabel" else (N,))


def test_n_members_accept_a_class_of_one_row():
    rare = y.copy()
    rare[[5, 9]] = 3, 4
    clf = quick_ensemble().fit(X, rare)
    assert_array_equal(clf.classes_, range(5))
    assert clf.predict_proba(X).shape == (N, 5)


def test_early_stopping_scores_the_members_of_a_committee_together():
    clf = quick_ensemble(early_stopping=True, max_iter=1, n_members=4).fit(X, y, X_val=X[:50], y_val=y[:50])
    assert clf.validation_scores_ == [clf.score(X[:50], y[:50])]
    assert clf.validation_loss_curve_ == pytest.approx([log_loss(y[:50], clf.predict_proba(X[:50]))], rel=1e-5)
    assert min(map(np.ptp, (clf.member_weights_, clf.member_temperatures_, clf.ensemble_bias_))) > 0  # before it is scored


@pytest.mark.parametrize("scoring", ["accuracy", "loss", "neg_log_loss", "f1_macro"])
def test_scoring_of_a_committee_may_be_any_scorer(scoring):
    clf = quick_ensemble(early_stopping=True, scoring=scoring).fit(X, y, X_val=X[:60], y_val=y[:60])
    assert len(clf.validation_scores_) == clf.n_iter_ == len(clf.validation_loss_curve_)


def test_class_weight_equals_sample_weight_in_a_committee():
    weights = np.where(y == 1, 3.0, 1.0)
    clf = quick_ensemble(scaling=None)  # which sample weights would count in
    by_class, by_row = clone(clf).set_params(class_weight={1: 3.0}).fit(X, y), clf.fit(X, y, sample_weight=weights)
    assert_allclose(by_class.predict_proba(X), by_row.predict_proba(X), rtol=1e-7)
    assert quick_ensemble(class_weight="balanced").fit(X, y).score(X, y) > 0.4


def test_sample_weight_acts_on_the_training_and_the_mixture_of_a_committee():
    weights = np.where(X[:, 0] > 0, 5.0, 0.5)
    plain, weighted = quick_ensemble().fit(X, y), quick_ensemble().fit(X, y, sample_weight=weights)
    assert not np.allclose(plain.member_temperatures_, weighted.member_temperatures_)
    assert not np.allclose(plain.coefs_[-1], weighted.coefs_[-1])


@pytest.mark.filterwarnings(UNCONVERGED)
@pytest.mark.parametrize(("kind", "smoothing"), [("classes", 0.0), ("multilabel", 0.0), ("classes", 0.3), ("soft", 0.3)])
def test_sample_weight_trains_each_of_n_members_as_if_it_were_alone(kind, smoothing, monkeypatch):
    """A step of SGD on all rows outside a member's fold: the weights of these rows have another sum for each member.

    Labels are smoothed towards the weighted mean of all rows, so that it is the same for all members.
    """
    plain = {"n_bins": 0, "scaling": None, "relevance": None, "shuffle": False, "weight_decay": 0.0, "dropout": 0.0}
    plain |= {"solver": "sgd", "momentum": 0.0, "learning_rate": "constant", "alpha": 0.1, "batch_size": N, "max_iter": 1}
    weights, orders = np.random.RandomState(2).uniform(0.1, 20.0, N), []
    watch(monkeypatch, EnsemblePlan, "of", keep=lambda planned: orders.append(planned.order.copy()))
    targets, of_four = KINDS[kind], {**plain, "n_members": 4, "label_smoothing": smoothing}
    before = quick_ensemble(**of_four, learning_rate_init=1e-300).fit(X, targets, weights)
    after = quick_ensemble(**of_four, learning_rate_init=0.1).fit(X, targets, weights)
    monkeypatch.undo()
    if smoothing:
        targets = np.eye(3)[targets] if kind == "classes" else targets
        targets = (1 - smoothing) * targets + smoothing * (0.99 * np.average(targets, axis=0, weights=weights) + 0.01 / 3)
    assert np.ptp([weights[rows].sum() for rows in orders[1]]) > 1
    for member, rows in enumerate(orders[1]):
        alone = quick_ensemble(**plain, n_members=1, label_smoothing=0.0, learning_rate_init=0.1)
        alone.coefs_, alone.intercepts_ = [W[member] for W in before.coefs_], [b[member] for b in before.intercepts_]
        alone.partial_fit(X[rows], targets[rows], weights[rows], classes=[0, 1, 2] if targets.ndim == 1 else None)
        for mine, theirs in zip(alone.coefs_ + alone.intercepts_, after.coefs_ + after.intercepts_, strict=True):
            assert_allclose(mine, theirs[member], rtol=1e-9, atol=1e-14)
        assert (alone.coefs_[-1] != before.coefs_[-1][member]).any()


@pytest.mark.parametrize("n_rows", [100 + FOLD_ROWS - 1, 100 + FOLD_ROWS, 230])
def test_sample_weight_0_equals_leaving_the_row_out_of_a_committee(n_rows):
    """The counts for folds and float32 do not include them either."""
    rng = np.random.RandomState(0)
    rows = rng.normal(size=(n_rows, 3))
    labels, weights = (rows[:, 0] > 0).astype(int), (np.arange(n_rows) >= 100).astype(float)
    with_them = quick_ensemble(max_iter=2).fit(rows, labels, sample_weight=weights)
    without = quick_ensemble(max_iter=2).fit(rows[100:], labels[100:])
    assert_array_equal(with_them.predict_proba(rows), without.predict_proba(rows))


@pytest.mark.parametrize("kind", ["classes", "two classes", "soft", "multilabel"])
@pytest.mark.parametrize("params", [{}, {"n_members": 1}, {"n_members": 8}, {"solver": "sgd"}], ids=str)
@pytest.mark.filterwarnings("ignore:Only .* distinct")
def test_an_integer_sample_weight_equals_repeated_rows_if_rows_are_too_few_for_folds(params, kind):
    repeats = np.random.RandomState(0).permutation(np.arange(60) % 4)
    rows, targets = X[:60], KINDS[kind][:60]
    clf = SoftmaxMLPClassifier((16, 16), n_bins=8, random_state=0, **params)
    weighted = clone(clf).fit(rows, targets, sample_weight=repeats)
    repeated = clone(clf).fit(np.repeat(rows, repeats, axis=0), np.repeat(targets, repeats, axis=0))
    assert np.count_nonzero(repeats) == 45 < FOLD_ROWS
    assert weighted.n_iter_ == repeated.n_iter_
    assert_allclose(weighted.predict_proba(rows), repeated.predict_proba(rows), rtol=1e-7)


def test_members_have_equal_weights_if_rows_are_too_few_for_folds():
    clf = quick_ensemble().fit(X[: FOLD_ROWS - 1], y[: FOLD_ROWS - 1])
    assert_array_equal(clf.member_weights_, [0.25] * 4)
    assert_array_equal(clf.member_temperatures_, [1] * 4)
    assert clf.temperature_ == 1 and not clf.ensemble_bias_.any()


def test_members_differ():
    clf = quick_ensemble().fit(X, y)
    model = fitted_model(clf)
    answers = logits_of_members(model.network, model.preprocessor.transform(X[:1], np.float32))
    assert len(np.unique(answers[:, 0, 0])) == 8


def test_the_mixture_of_the_members_is_what_predicts():
    clf = quick_ensemble(n_members=4, companion=False).fit(X, y)
    model = fitted_model(clf)
    answers = logits_of_members(model.network, model.preprocessor.transform(X, np.float32))
    p = [softmax(logits / s, axis=1) for s, logits in zip(clf.member_temperatures_, answers)]
    logits = np.log(np.average(p, axis=0, weights=clf.member_weights_)) / clf.temperature_ + clf.ensemble_bias_
    assert_allclose(clf.predict_log_proba(X), log_softmax(logits, axis=1), rtol=1e-4, atol=1e-5)
    assert np.ptp(clf.ensemble_bias_) > 0.1


@pytest.mark.parametrize("n_rows", [30, N])
def test_a_pickled_committee_predicts_the_same_and_continues_in_partial_fit(n_rows):
    clf = quick_ensemble().partial_fit(X[:n_rows], y[:n_rows], classes=[0, 1, 2])
    restored = pickle.loads(pickle.dumps(clf))
    assert_array_equal(restored.predict_proba(X), clf.predict_proba(X))
    for estimator in (clf, restored):
        estimator.partial_fit(X, y)
    assert_array_equal(restored.predict_proba(X), clf.predict_proba(X))


@pytest.mark.parametrize("sizes", [(30, 150, N), (N, 30, N), (N, N)])
def test_partial_fit_keeps_n_members_whatever_the_number_of_rows(sizes):
    """'auto' keeps the members that training began with."""
    clf = quick_ensemble()
    for n_rows in sizes:
        clf.partial_fit(X[:n_rows], y[:n_rows], classes=[0, 1, 2])
        assert clf.n_members_ == (4 if sizes[0] < FOLD_ROWS else 8)
    assert len(clf.loss_curve_) == len(sizes)
    assert clf.loss_curve_[-1] < clf.loss_curve_[0]


def test_partial_fit_after_fit_keeps_the_ensemble_weights():
    clf = quick_ensemble(companion=False).fit(X, y)
    weights, coef = clf.member_weights_, clf.coefs_[0].copy()
    clf.partial_fit(X[:50], y[:50])
    assert_array_equal(clf.member_weights_, weights)
    assert (clf.coefs_[0] != coef).any()


def test_warm_start_keeps_n_members_whatever_the_number_of_rows():
    clf = quick_ensemble(warm_start=True).fit(X[:40], y[:40])
    loss = clf.loss_
    clf.fit(X, y)
    assert clf.n_members_ == 4
    assert len(clf.loss_curve_) == 6
    assert clf.loss_ < loss


def test_warm_start_keeps_n_members_1():
    clf = quick_ensemble(n_members=1, warm_start=True).fit(X, y)
    clf.set_params(n_members="auto").fit(X, y)
    assert clf.n_members_ == 1


@pytest.mark.parametrize("then", [1, 6])
def test_warm_start_refuses_another_n_members(then):
    clf = quick_ensemble(n_members=4, warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match=f"cannot continue with n_members={then}: it began with 4"):
        clf.set_params(n_members=then).fit(X, y)
    assert clf.n_members_ == 4


def test_warm_start_of_a_committee_refuses_solver_lbfgs():
    clf = quick_ensemble(warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match="n_members='auto': it began with 8, and solver='lbfgs' trains 1"):
        clf.set_params(solver="lbfgs").fit(X, y)


@pytest.mark.parametrize("n_members", [1.5, None, "many"])
def test_n_members_is_an_integer_or_auto(n_members):
    with pytest.raises(ValueError, match="'n_members' parameter"):
        quick_ensemble(n_members=n_members).fit(X, y)


def test_n_members_above_1_is_refused_for_lbfgs():
    with pytest.raises(ValueError, match="n_members=4 acts on the steps of solver 'adam' or 'sgd'"):
        quick_ensemble(n_members=4, solver="lbfgs", max_iter=200).fit(X, y)


@pytest.mark.parametrize(
    "params",
    [
        {"solver": "sgd", "n_members": 4},
        {"hidden_layer_sizes": (), "n_members": 4},
        {"activation": ["tanh", "gelu"]},
        {"dropout": [0.3, 0.1]},
        {"dropout": [0.3, 0.1, 0.2, 0.1], "hidden_layer_sizes": (4, 4, 4, 4), "n_members": 4},
        {"ema_decay": 0.9, "clip_norm": 1.0, "alpha": 0.1, "warmup": 0.2},
        {"parametrization": "standard", "learning_rate_init": 1e-2},
        {"scaling": None, "n_bins": 0},
        {"n_bins": 0},
        {"out_activation": "softmax"},
        {"batch_size": 1, "n_members": 4, "max_iter": 1},
        {"batch_size": 10_000},
        {"n_members": 2 * N + 4, "hidden_layer_sizes": (2,), "max_iter": 1},
        {"learning_rate": "one_cycle", "shuffle": False},
    ],
    ids=lambda params: " ".join(params),
)
def test_n_members_works_with_the_other_parameters(params):
    clf = quick_ensemble(**params).fit(X, y > 0)
    assert np.isfinite(clf.predict_log_proba(X)).all()
    assert np.isfinite(clf.loss_)


def test_a_list_of_dropout_rates_for_layers_is_not_taken_as_one_for_members():
    """Only the first of four layers drops: without it, the four are the same network."""
    layers = {"hidden_layer_sizes": (4,) * 4, "n_members": 4}
    with_it, without = (quick_ensemble(dropout=[rate, 0, 0, 0], **layers).fit(X, y) for rate in (0.9, 0.0))
    assert all((A != B).any() for A, B in zip(with_it.coefs_[-1], without.coefs_[-1]))


def test_weights_of_members_set_by_hand_are_used():
    clf = quick_ensemble(n_members=4, companion=False).fit(X, y)
    expected, copies = clf.predict_proba(X), [W.copy() for W in clf.coefs_]
    assert copies[0].shape == (4, len(clf.encoded_feature_names_), 8)
    clf.coefs_ = copies
    assert_allclose(clf.predict_proba(X), expected, rtol=1e-5)
    copies[-1][...] = 0
    clf.intercepts_[-1][...] = 0
    of_the_bias = np.tile(softmax(clf.ensemble_bias_), (N, 1))
    assert_allclose(clf.predict_proba(X), of_the_bias, rtol=1e-6)
    assert_allclose(pickle.loads(pickle.dumps(clf)).predict_proba(X), of_the_bias, rtol=1e-6)
    clf.partial_fit(X, y)


def test_weights_of_n_bins_set_by_hand_are_used_in_members_that_skipped_them():
    clf = quick_ensemble(n_members=4).fit(X, y)
    before = clf.predict_proba(X)
    clf.coefs_ = [W.copy() for W in clf.coefs_]
    clf.coefs_[0][0, 0] = 10.0
    assert (clf.predict_proba(X) != before).any(axis=1).mean() > 0.5


def test_units_that_saturate_on_huge_unscaled_numbers_are_mixed_without_a_warning():
    huge = X.astype(np.float32)
    huge[:, 0] *= np.finfo(np.float32).max / np.abs(huge[:, 0]).max()
    clf = SoftmaxMLPClassifier((8,), "logistic", scaling=None, max_iter=2, random_state=0).fit(huge, y)
    assert np.isfinite(clf.predict_proba(huge)).all()


def test_weights_of_one_network_are_refused_by_a_committee():
    clf = quick_ensemble(n_members=4).fit(X, y)
    clf.coefs_ = [W[0] for W in clf.coefs_]
    with pytest.raises(ValueError, match=r"coefs_\[0\] must have shape \(4, \d+, 8\)"):
        clf.predict(X)


def test_the_defaults_take_a_raw_frame_of_strings_numbers_and_missing_values():
    rng = np.random.RandomState(0)
    frame = pd.DataFrame({"income": rng.lognormal(10, 2, N), "town": rng.choice(["A", "B", None], N), "member": y > 1})
    frame["grade"] = pd.Categorical(rng.choice(["low", "high"], N), ["low", "high", "unused"])
    frame.loc[::5, "income"] = np.nan
    labels = np.where((frame["town"] == "A") ^ (frame["income"] > 2e4), "yes", "no")
    clf = SoftmaxMLPClassifier(max_iter=20, random_state=0).fit(frame, labels)
    assert clf.score(frame, labels) > 0.9
    unseen = frame.assign(town="Z", income=np.nan, grade=pd.Categorical([None] * N, ["low", "high"]))
    assert set(clf.predict(unseen)) <= {"yes", "no"}
    assert clf.coefs_[0].shape[1] == len(clf.encoded_feature_names_)


def test_predictions_of_a_committee_need_little_memory():
    clf = SoftmaxMLPClassifier(max_iter=1, random_state=0).fit(X, y)
    rows = np.tile(X, (100, 1))
    clf.predict(rows[:1000])
    answer_bytes = 4 * len(rows) * 3
    assert (
        peak_of(lambda: clf.predict_proba(rows)) < 20e6 + 4 * answer_bytes + 2 * rows.nbytes
    )  # all activations at once would take 400 MB


def test_predictions_of_a_committee_in_chunks_equal_those_of_few_rows():
    clf = quick_ensemble().fit(X, y)
    rows = np.tile(X, (30, 1))
    assert_allclose(clf.decision_function(rows)[-N:], clf.decision_function(X), rtol=1e-4, atol=1e-5)
    assert_allclose(clf.predict_proba(X[:1]), clf.predict_proba(X)[:1], rtol=1e-4)


def test_sparse_rows_are_taken_by_all_members():
    for as_sparse in (csr_matrix, csr_array):
        rows = as_sparse(np.where(X > 0, X, 0))
        clf = quick_ensemble(n_members=4).fit(rows, y)
        assert clf.n_features_in_ == clf.coefs_[0].shape[1] == N_INPUTS
        assert_allclose(clf.predict_proba(rows), clf.predict_proba(rows.toarray()), rtol=1e-4)
        assert_array_equal(pickle.loads(pickle.dumps(clf)).predict_proba(rows), clf.predict_proba(rows))


def test_callbacks_get_a_committee_that_predicts_and_may_stop_it():
    pytest.importorskip("sklearn.callback")
    recorder = Recorder(stop_at=1)
    clf = quick_ensemble().set_callbacks(recorder).fit(X, y)
    assert clf.n_iter_ == len(recorder.models) == 2
    assert all(p.shape == (N, 3) for _, p in recorder.models)
    assert clf.temperature_ != 1
