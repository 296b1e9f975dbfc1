"""The parameters `scoring`, `restore_best` and early_stopping='auto': what early stopping scores, and which weights it keeps."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import coo_matrix, csc_matrix, csr_matrix
from scipy.special import softmax
from sklearn.metrics import f1_score, get_scorer, log_loss, make_scorer, matthews_corrcoef
from sklearn.model_selection import train_test_split

from support.estimators import plain
from support.marks import SOLVERS, STEPWISE

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
rng = np.random.default_rng(0)
X = rng.normal(size=(120, 4))
noisy = X[:, :3] + 0.5 * rng.normal(size=(120, 3))
MULTICLASS = np.array(["b", "a", "c"])[noisy.argmax(axis=1)]
BINARY = (noisy[:, 0] > 0).astype(int)
MULTILABEL = (noisy > 0).astype(int)
SOFT = softmax(2 * noisy, axis=1)
TARGETS = {"multiclass": MULTICLASS, "binary": BINARY, "multilabel": MULTILABEL}
TRAIN, VAL = slice(0, 80), slice(80, 120)
FRAME = pd.DataFrame(X, columns=list("abcd"), index=np.arange(120) + 1000)
WEIGHTS = rng.uniform(0.5, 2, 120)


def early(**params):
    """A small network that learns fast, and so soon too much."""
    defaults = {"hidden_layer_sizes": (20,), "learning_rate_init": 0.05, "max_iter": 12, "batch_size": 20, "alpha": 0.0}
    return plain(**{**defaults, "early_stopping": True, "n_iter_no_change": 20, "random_state": 0, **params})


def fit_with_own_rows(clf, y, X=X, **kwargs):
    return clf.fit(X[TRAIN], y[TRAIN], X_val=X[VAL], y_val=y[VAL], **kwargs)


def recorder(value=lambda estimator, X, y: 0.0):
    """A scorer, and the list of estimator, X and y of its calls."""
    calls = []

    def scorer(estimator, X, y):
        calls.append((estimator, X, y))
        return value(estimator, X, y)

    return scorer, calls


# Which epoch is the best


@SOLVERS
def test_scoring_loss_keeps_the_epoch_of_the_lowest_validation_loss(solver):
    clf = fit_with_own_rows(early(solver=solver, scoring="loss"), MULTICLASS)
    losses = clf.validation_loss_curve_
    assert_array_equal(clf.validation_scores_, -np.array(losses))
    assert clf.best_iter_ == int(np.argmin(losses)) + 1 < clf.n_iter_
    assert clf.best_validation_score_ == -min(losses)
    assert log_loss(MULTICLASS[VAL], clf.predict_proba(X[VAL])) == pytest.approx(min(losses), rel=1e-9)


@SOLVERS
@pytest.mark.parametrize(
    ("target", "scoring"),
    [
        ("multiclass", "f1_macro"),
        ("multiclass", "neg_log_loss"),
        ("multiclass", "roc_auc_ovr"),
        ("multiclass", make_scorer(matthews_corrcoef)),
        ("binary", "roc_auc"),
        ("binary", "neg_brier_score"),
        ("multilabel", "f1_micro"),
        ("multilabel", "roc_auc"),
    ],
)
def test_scoring_by_name_gives_the_scores_of_scikit_learns_scorer(target, scoring, solver):
    y = TARGETS[target]
    scorer = get_scorer(scoring)
    best = fit_with_own_rows(early(solver=solver, scoring=scoring, max_iter=6), y)
    assert len(best.validation_scores_) == best.n_iter_
    assert best.best_validation_score_ == max(best.validation_scores_) == best.validation_scores_[best.best_iter_ - 1]
    assert scorer(best, X[VAL], y[VAL]) == pytest.approx(best.best_validation_score_, rel=1e-12)
    last = fit_with_own_rows(early(solver=solver, scoring=scoring, max_iter=6, restore_best=False), y)
    assert last.validation_scores_ == best.validation_scores_
    assert scorer(last, X[VAL], y[VAL]) == pytest.approx(last.validation_scores_[-1], rel=1e-12)


@SOLVERS
def test_a_scoring_callable_is_called_once_per_epoch_with_the_model_of_that_epoch(solver):
    scorer, calls = recorder(lambda estimator, X, y: float(estimator.predict_proba(X)[0, 0]))
    clf = fit_with_own_rows(early(solver=solver, scoring=scorer), MULTICLASS)
    assert len(calls) == len(clf.validation_scores_) == clf.n_iter_
    assert len(set(clf.validation_scores_)) == clf.n_iter_
    assert clf.predict_proba(X[VAL])[0, 0] == pytest.approx(max(clf.validation_scores_), rel=1e-12)


@SOLVERS
def test_early_stopping_ends_after_n_iter_no_change_epochs_without_a_better_scoring(solver):
    scorer, calls = recorder()
    clf = fit_with_own_rows(early(solver=solver, scoring=scorer, n_iter_no_change=3, max_iter=50), MULTICLASS)
    assert clf.n_iter_ == len(calls) == 5
    assert clf.best_iter_ == 1


@SOLVERS
def test_restore_best_false_returns_the_last_weights(solver):
    best, last = (fit_with_own_rows(early(solver=solver, restore_best=r, scoring="loss"), MULTICLASS) for r in (True, False))
    assert best.best_iter_ == last.best_iter_ < last.n_iter_
    assert best.loss_ == best.loss_curve_[best.best_iter_ - 1]
    assert last.loss_ == last.loss_curve_[-1]
    assert last.best_validation_score_ == best.best_validation_score_
    assert log_loss(MULTICLASS[VAL], last.predict_proba(X[VAL])) == pytest.approx(last.validation_loss_curve_[-1], rel=1e-9)


def test_restore_best_false_in_a_warm_start_still_keeps_the_best_of_all_calls():
    clf = early(restore_best=False, warm_start=True, scoring="loss")
    for _ in range(2):
        fit_with_own_rows(clf, MULTICLASS)
    assert clf.best_validation_score_ == max(clf.validation_scores_)
    fit_with_own_rows(clf.set_params(restore_best=True, learning_rate_init=1e-9), MULTICLASS)
    assert log_loss(MULTICLASS[VAL], clf.predict_proba(X[VAL])) == pytest.approx(-clf.best_validation_score_, rel=1e-6)


@SOLVERS
def test_restore_best_in_a_warm_start_restores_the_best_of_all_calls(solver):
    clf = early(solver=solver, scoring="f1_macro", warm_start=True, max_iter=4)
    for _ in range(3):
        fit_with_own_rows(clf, MULTICLASS)
        score = f1_score(MULTICLASS[VAL], clf.predict(X[VAL]), average="macro")
        assert score == pytest.approx(max(clf.validation_scores_), rel=1e-12)
        assert clf.best_iter_ == int(np.argmax(clf.validation_scores_)) + 1


@STEPWISE
def test_partial_fit_with_early_stopping_scores_each_call_and_restore_best_acts_when_it_stops(solver):
    clf = early(solver=solver, scoring="neg_log_loss", n_iter_no_change=3)
    own = {"X_val": X[VAL], "y_val": MULTICLASS[VAL]}
    with pytest.warns(UserWarning, match="partial_fit does not train any more"):
        for _ in range(100):
            clf.partial_fit(X[TRAIN], MULTICLASS[TRAIN], classes=["a", "b", "c"], **own)
            if clf.n_iter_ == 0:
                break
            last = log_loss(MULTICLASS[VAL], clf.predict_proba(X[VAL]))
            assert last == pytest.approx(-clf.validation_scores_[-1], rel=1e-9) or last == pytest.approx(
                -max(clf.validation_scores_), rel=1e-9
            )
    assert len(clf.validation_scores_) == clf.best_iter_ + 4
    assert last == pytest.approx(-max(clf.validation_scores_), rel=1e-9)


def test_partial_fit_with_restore_best_false_stops_with_the_last_weights():
    clf = early(scoring="loss", n_iter_no_change=2, restore_best=False)
    with pytest.warns(UserWarning, match="does not train any more") as warned:
        while clf.partial_fit(X[TRAIN], BINARY[TRAIN], classes=[0, 1], X_val=X[VAL], y_val=BINARY[VAL]).n_iter_:
            pass
    assert log_loss(BINARY[VAL], clf.predict_proba(X[VAL])) == pytest.approx(clf.validation_loss_curve_[-1], rel=1e-9)
    assert not any("restored" in str(warning.message) for warning in warned)


def test_scoring_loss_and_scoring_neg_log_loss_give_the_same_model():
    one = fit_with_own_rows(early(scoring="loss"), MULTICLASS)
    other = fit_with_own_rows(early(scoring="neg_log_loss"), MULTICLASS)
    assert_array_equal(one.coefs_[0], other.coefs_[0])


# The validation loss


@SOLVERS
@pytest.mark.parametrize("target", ["multiclass", "binary"])
@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
def test_the_validation_loss_is_scikit_learns_log_loss(target, solver, weighted):
    y, weights = TARGETS[target], WEIGHTS[VAL] if weighted else None
    clf = fit_with_own_rows(
        early(solver=solver, restore_best=False, alpha=1.0, max_iter=3, label_smoothing=0.3), y, sample_weight_val=weights
    )
    assert len(clf.validation_loss_curve_) == len(clf.loss_curve_) == 3
    expected = log_loss(y[VAL], clf.predict_proba(X[VAL]), sample_weight=weights)
    assert clf.validation_loss_curve_[-1] == pytest.approx(expected, rel=1e-9)


def test_the_validation_loss_of_a_multilabel_target_is_summed_and_that_of_soft_labels_is_the_cross_entropy():
    clf = fit_with_own_rows(early(restore_best=False, label_smoothing=0.2), MULTILABEL)
    p = clf.predict_proba(X[VAL])
    expected = -(MULTILABEL[VAL] * np.log(p) + (1 - MULTILABEL[VAL]) * np.log1p(-p)).sum(axis=1).mean()
    assert clf.validation_loss_curve_[-1] == pytest.approx(expected, rel=1e-9)
    clf = fit_with_own_rows(early(restore_best=False, label_smoothing=0.2), SOFT)
    assert clf.validation_loss_curve_[-1] == pytest.approx(-(SOFT[VAL] * clf.predict_log_proba(X[VAL])).sum(axis=1).mean())


def test_without_early_stopping_there_is_no_validation_curve():
    clf = early(early_stopping=False).fit(X, MULTICLASS)
    assert clf.validation_loss_curve_ is clf.validation_scores_ is clf.best_iter_ is None


# What the scorer is given


def split_off_rows(X, y):
    """The rows that scikit-learn's split takes after the initial weights of `early` have been drawn."""
    state = np.random.RandomState(0)
    for fan_in, fan_out in [(4, 20), (20, 3)]:
        state.uniform(size=(fan_in, fan_out)), state.uniform(size=fan_out)
    return train_test_split(np.arange(len(X)), test_size=24, random_state=state)[1]


@pytest.mark.parametrize("kept", [np.ones(120, bool), np.arange(120) % 3 > 0], ids=["all", "some of weight 0"])
def test_scoring_gets_the_rows_split_off_as_the_user_passed_them(kept):
    scorer, calls = recorder()
    n_val = 24 if kept.all() else 16
    early(scoring=scorer, validation_fraction=0.2, max_iter=2).fit(FRAME, MULTICLASS, kept.astype(float))
    _, X_seen, y_seen = calls[0]
    assert type(X_seen) is pd.DataFrame
    assert len(X_seen) == n_val
    pd.testing.assert_frame_equal(X_seen, FRAME.loc[X_seen.index])
    assert_array_equal(y_seen, MULTICLASS[X_seen.index - 1000])
    assert kept[X_seen.index - 1000].all()
    if kept.all():
        assert_array_equal(X_seen.index - 1000, split_off_rows(X, MULTICLASS))


def test_rows_scored_by_early_stopping_are_not_trained_on():
    scorer, calls = recorder()
    clf = early(scoring=scorer, validation_fraction=0.25, max_iter=3).fit(FRAME, MULTICLASS)
    rest = FRAME.index.difference(calls[0][1].index)
    assert (len(rest), clf.t_) == (90, 3 * 90)
    only_rest = early(early_stopping=False, max_iter=3, solver="lbfgs").fit(FRAME.loc[rest], MULTICLASS[rest - 1000])
    with_split = early(scoring=recorder()[0], validation_fraction=0.25, max_iter=3, solver="lbfgs", restore_best=False)
    assert with_split.fit(FRAME, MULTICLASS).loss_curve_[0] == pytest.approx(only_rest.loss_curve_[0], rel=1e-9)


def test_scoring_gets_X_val_and_y_val_as_the_user_passed_them():
    scorer, calls = recorder()
    labels = pd.Series(MULTICLASS, index=FRAME.index)
    early(scoring=scorer, max_iter=2).fit(FRAME[TRAIN], labels[TRAIN], X_val=FRAME[VAL], y_val=labels[VAL])
    for _, X_seen, y_seen in calls:
        pd.testing.assert_frame_equal(X_seen, FRAME[VAL])
        pd.testing.assert_series_equal(y_seen, labels[VAL])


@pytest.mark.parametrize("scoring", ["f1_macro", "neg_log_loss", "accuracy", "loss"])
@pytest.mark.parametrize("own", [False, True], ids=["split off", "own rows"])
def test_scoring_a_data_frame_with_named_columns_gives_no_warning(scoring, own):
    clf = early(scoring=scoring, max_iter=2)
    if own:
        fit_with_own_rows(clf, BINARY, FRAME)
    else:
        clf.fit(FRAME, BINARY)
    assert clf.feature_names_in_.tolist() == list("abcd")


@pytest.mark.parametrize("form", [csr_matrix, csc_matrix, coo_matrix, np.ndarray.tolist, pd.DataFrame, lambda X: X.astype("f4")])
@pytest.mark.parametrize("target", ["multiclass", "multilabel"])
def test_scoring_of_rows_split_off_is_the_same_for_any_kind_of_X(form, target):
    if target == "multilabel" and form is np.ndarray.tolist:
        form = np.asarray
    y = TARGETS[target]
    given = early(scoring="f1_macro", max_iter=3).fit(form(X), y)
    expected = early(scoring="f1_macro", max_iter=3).fit(X, y)
    assert_allclose(given.validation_scores_, expected.validation_scores_, rtol=1e-9)


@pytest.mark.parametrize("form", [csr_matrix, coo_matrix, pd.DataFrame])
def test_scoring_of_rows_split_off_is_the_same_for_any_kind_of_y(form):
    given, expected = (early(scoring="f1_macro", max_iter=3).fit(X, y) for y in (form(MULTILABEL), MULTILABEL))
    assert_array_equal(given.validation_scores_, expected.validation_scores_)


def intrusive(estimator, X, y):
    """Minus the log-loss, after all that may be done to an estimator has been done to copies of this one."""
    others = [pickle.loads(pickle.dumps(estimator)), copy.deepcopy(estimator), copy.copy(estimator)]
    p = estimator.predict_proba(X)
    for other in others:
        assert_array_equal(other.predict_proba(X), p)
        other.set_params(early_stopping=False).partial_fit(X, y)
    assert_array_equal(estimator.predict_proba(X), p)
    return -log_loss(y, p)


@STEPWISE
@pytest.mark.parametrize("ema_decay", [0.0, 0.5])
def test_a_scoring_callable_may_pickle_copy_and_train_the_model_without_changing_the_training(solver, ema_decay):
    params = {"solver": solver, "ema_decay": ema_decay, "warm_start": True, "max_iter": 4}
    one, other = early(scoring=intrusive, **params), early(scoring="neg_log_loss", **params)
    for _ in range(2):
        fit_with_own_rows(one, MULTICLASS), fit_with_own_rows(other, MULTICLASS)
    assert_allclose(one.validation_scores_, other.validation_scores_, rtol=1e-12)
    assert_array_equal(one.coefs_[0], other.coefs_[0])


# Weights


@pytest.mark.parametrize("scoring", ["f1_macro", "neg_log_loss", "accuracy"])
def test_scoring_is_weighted_by_sample_weight_val(scoring):
    clf = fit_with_own_rows(early(scoring=scoring, max_iter=5), MULTICLASS, sample_weight_val=WEIGHTS[VAL])
    score = get_scorer(scoring)
    assert score(clf, X[VAL], MULTICLASS[VAL], sample_weight=WEIGHTS[VAL]) == pytest.approx(clf.best_validation_score_, rel=1e-12)
    assert score(clf, X[VAL], MULTICLASS[VAL]) != pytest.approx(clf.best_validation_score_, rel=1e-6)


def test_a_scoring_callable_that_takes_sample_weight_gets_that_of_its_rows():
    seen = []

    def scorer(estimator, X, y, sample_weight=None):
        seen.append((X, sample_weight))
        return 0.0

    early(scoring=scorer, max_iter=1).fit(FRAME, MULTICLASS, WEIGHTS)
    assert_array_equal(seen[0][1], WEIGHTS[seen[0][0].index - 1000])
    early(scoring=scorer, max_iter=1).fit(FRAME, MULTICLASS)
    assert seen[1][1] is None


def test_scoring_by_a_metric_that_takes_no_sample_weight_ignores_it():
    """scikit-learn's clustering metrics."""
    scores = [
        fit_with_own_rows(early(scoring="adjusted_rand_score", max_iter=3), MULTICLASS, **given).validation_scores_
        for given in ({}, {"sample_weight_val": WEIGHTS[VAL]})
    ]
    assert scores[0] == scores[1]


# early_stopping="auto"


@pytest.mark.parametrize(("n_rows", "on"), [(10_000, False), (10_001, True)])
@SOLVERS
def test_early_stopping_auto_is_on_above_ten_thousand_rows(n_rows, on, solver):
    rows = np.resize(X, (n_rows, 4))
    clf = early(hidden_layer_sizes=(1,), early_stopping="auto", solver=solver, max_iter=2, batch_size=5000)
    clf.fit(rows, np.resize(BINARY, n_rows))
    assert (clf.validation_scores_ is not None) is on
    if solver != "lbfgs":
        assert clf.t_ == 2 * (n_rows - 1001 if on else n_rows)


def test_early_stopping_auto_does_not_count_rows_of_sample_weight_0():
    rows, labels, weights = np.resize(X, (10_001, 4)), np.resize(BINARY, 10_001), np.ones(10_001)
    weights[5] = 0
    clf = early(hidden_layer_sizes=(1,), early_stopping="auto", max_iter=2, batch_size=5000).fit(rows, labels, weights)
    assert clf.validation_scores_ is None


@SOLVERS
def test_early_stopping_auto_is_on_with_X_val(solver):
    clf = fit_with_own_rows(early(early_stopping="auto", solver=solver, max_iter=3), MULTICLASS)
    assert len(clf.validation_scores_) == clf.n_iter_


def test_early_stopping_auto_in_partial_fit_is_on_with_X_val_and_off_without():
    clf = early(early_stopping="auto").partial_fit(X, BINARY, classes=[0, 1])
    assert clf.validation_scores_ is None
    assert len(clf.partial_fit(X[TRAIN], BINARY[TRAIN], X_val=X[VAL], y_val=BINARY[VAL]).validation_scores_) == 1


# Errors


@SOLVERS
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_not_finite_is_an_error_that_names_scoring(solver, value):
    clf = early(solver=solver, scoring=recorder(lambda *_: value)[0])
    with pytest.raises(ValueError, match=rf"scoring=<function .* must give a finite number; got {value} on the 12 validation"):
        clf.fit(X, MULTICLASS)
    assert not hasattr(clf, "coefs_")


@SOLVERS
def test_an_error_in_scoring_is_raised_and_leaves_the_estimator_unchanged(solver):
    clf = fit_with_own_rows(early(solver=solver, warm_start=True), MULTICLASS)
    before, p = vars(clf).copy(), clf.predict_proba(X)

    def broken(estimator, X, y):
        raise ZeroDivisionError("of the user")

    clf.scoring = broken
    with pytest.raises(ZeroDivisionError, match="of the user"):
        fit_with_own_rows(clf, MULTICLASS)
    assert {name for name in before if vars(clf)[name] is not before[name]} == {"scoring"}
    assert_array_equal(clf.predict_proba(X), p)


@pytest.mark.parametrize("scoring", ["f1_macro", "neg_log_loss", "roc_auc_ovr"])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_scoring_of_labels_is_refused_if_y_holds_probabilities(scoring, method):
    with pytest.raises(ValueError, match=f"scoring='{scoring}' scores labels, but y holds class probabilities; use 'accuracy'"):
        getattr(early(scoring=scoring, early_stopping="auto"), method)(X, SOFT)


@pytest.mark.parametrize("scoring", ["accuracy", "loss", "callable"])
def test_scoring_of_soft_labels_may_be_accuracy_loss_or_a_callable(scoring):
    def cross_entropy(estimator, X, y):
        return float((y * estimator.predict_log_proba(X)).sum(axis=1).mean())

    clf = fit_with_own_rows(early(scoring=cross_entropy if scoring == "callable" else scoring), SOFT)
    if scoring == "accuracy":
        assert (clf.predict(X[VAL]) == SOFT[VAL].argmax(axis=1)).mean() == pytest.approx(clf.best_validation_score_)
    else:
        assert cross_entropy(clf, X[VAL], SOFT[VAL]) == pytest.approx(clf.best_validation_score_, rel=1e-9)


@pytest.mark.parametrize("scoring", ["acuracy", None, 3])
def test_an_unknown_scoring_is_refused_by_name(scoring):
    with pytest.raises(ValueError, match="The 'scoring' parameter of SoftmaxMLPClassifier must be"):
        early(scoring=scoring).fit(X, BINARY)


def test_scoring_refuses_a_metric_in_place_of_a_scorer():
    with pytest.raises(ValueError, match=r"scoring must be callable .* make_scorer"):
        early(scoring=f1_score).fit(X, BINARY)


def test_a_scoring_that_fails_on_the_validation_rows_is_named():
    with pytest.raises(ValueError, match=r"scoring='neg_log_loss' failed on the 40 validation rows: .*only one label"):
        early(scoring="neg_log_loss").fit(X[TRAIN], BINARY[TRAIN], X_val=X[VAL], y_val=np.zeros(40, dtype=int))
