"""The arguments X_val, y_val and sample_weight_val, in HistGradientBoosting's contract."""

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from support.estimators import plain
from support.marks import SOLVERS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, y = load_digits(return_X_y=True)
X = X / 16
TRAIN, VAL = slice(0, 300), slice(300, 500)


def early_on_digits(**params):
    return plain((20,), **{"early_stopping": True, "max_iter": 15, "random_state": 0, **params})


@SOLVERS
def test_X_val_is_scored_and_all_of_X_is_trained_on(solver):
    clf = early_on_digits(solver=solver).fit(X[TRAIN], y[TRAIN], X_val=X[VAL], y_val=y[VAL])
    assert clf.t_ == (0 if solver == "lbfgs" else 300 * clf.n_iter_)
    assert_allclose(clf.score(X[VAL], y[VAL]), max(clf.validation_scores_))


def test_sample_weight_val_weights_the_score_and_0_leaves_a_row_out():
    weights = np.where(np.arange(200) < 50, 0.0, np.linspace(0.1, 2, 200))
    clf = early_on_digits().fit(X[TRAIN], y[TRAIN], X_val=X[VAL], y_val=y[VAL], sample_weight_val=weights)
    expected = accuracy_score(y[VAL], clf.predict(X[VAL]), sample_weight=weights)
    assert_allclose(expected, clf.best_validation_score_)


def test_y_val_may_hold_string_labels_or_a_multilabel_target():
    for target in (y.astype(str), np.column_stack([y > 4, y % 2]).astype(int)):
        clf = early_on_digits().fit(X[TRAIN], target[TRAIN], X_val=X[VAL], y_val=target[VAL])
        assert_allclose(accuracy_score(target[VAL], clf.predict(X[VAL])), clf.best_validation_score_)


def test_y_val_of_soft_labels_is_scored_by_the_most_probable_class():
    soft = np.full((len(y), 10), 0.02) + 0.8 * np.eye(10)[y]
    clf = early_on_digits().fit(X[TRAIN], soft[TRAIN], X_val=X[VAL], y_val=soft[VAL])
    assert_allclose(clf.score(X[VAL], y[VAL]), clf.best_validation_score_)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"X_val": X[VAL]}, "X_val is provided, but y_val was not provided"),
        ({"y_val": y[VAL]}, "y_val is provided, but X_val was not provided"),
        ({"sample_weight_val": np.ones(200)}, "sample_weight_val is provided, but X_val and y_val, .* were not provided"),
        ({"X_val": X[VAL, :5], "y_val": y[VAL]}, "In X_val, y_val or sample_weight_val: X has 5 features"),
        ({"X_val": X[VAL], "y_val": y[TRAIN]}, "In X_val, y_val or sample_weight_val: .*inconsistent numbers of samples"),
        ({"X_val": X[VAL], "y_val": y[VAL] + 5}, r"In X_val, y_val or sample_weight_val: `y` has classes not in"),
        ({"X_val": X[VAL], "y_val": y[VAL], "sample_weight_val": -np.ones(200)}, "sample_weight_val: sample_weight must be"),
    ],
)
def test_X_val_y_val_and_sample_weight_val_that_do_not_fit_are_named(given, message):
    with pytest.raises(ValueError, match=message):
        early_on_digits().fit(X[TRAIN], y[TRAIN], **given)


def test_X_val_is_refused_if_early_stopping_is_false():
    with pytest.raises(ValueError, match="early_stopping should be set to either 'auto' or True"):
        early_on_digits(early_stopping=False).fit(X[TRAIN], y[TRAIN], X_val=X[VAL], y_val=y[VAL])


def test_a_pipeline_transforms_X_val_like_X():
    with sklearn.config_context(enable_metadata_routing=True):
        clf = early_on_digits().set_fit_request(X_val=True, y_val=True)
        pipeline = make_pipeline(StandardScaler(), clf, transform_input=["X_val"])
        pipeline.fit(X[TRAIN], y[TRAIN], X_val=X[VAL], y_val=y[VAL])
    assert_allclose(pipeline.score(X[VAL], y[VAL]), max(pipeline[-1].validation_scores_))


def test_partial_fit_trains_no_more_after_early_stopping_until_fit_is_called():
    clf = early_on_digits(n_iter_no_change=2, tol=1.0)
    with pytest.warns(UserWarning, match="does not train any more"):
        for _ in range(6):
            clf.partial_fit(X[TRAIN], y[TRAIN], classes=range(10), X_val=X[VAL], y_val=y[VAL])
    stopped = clf.coefs_[0].copy()
    with pytest.warns(UserWarning, match="does not train any more"):
        clf.partial_fit(X[TRAIN], y[TRAIN], X_val=X[VAL], y_val=y[VAL])
    assert_array_equal(clf.coefs_[0], stopped)
    assert len(clf.validation_scores_) == 4
    assert not np.array_equal(clf.fit(X[TRAIN], y[TRAIN]).coefs_[0], stopped)
