"""Many parameters together."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

from sksoftmax.nn.schedules import cosine
from support.data import MULTICLASS, X
from support.estimators import plain, planned
from support.marks import STEPWISE, UNCONVERGED
from support.weights import assert_same_weights, pickled

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
def test_many_parameters_together_learn_digits(solver, dtype):
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
def test_a_grid_search_runs_over_many_parameters(n_jobs):
    grid = [
        {"hidden_layer_sizes": ["5-4", "6"], "activation": ["tanh"], "dropout": [0.0, 0.2], "label_smoothing": [0.1]},
        {"hidden_layer_sizes": ["5-4"], "activation": [["tanh", "relu"]], "dropout": [[0.1, 0.2]], "class_weight": ["balanced"]},
        {"clip_norm": [None, 0.1], "ema_decay": [0.5], "warmup": [0.2], "learning_rate": ["constant", cosine]},
        {"early_stopping": ["auto", True], "scoring": ["loss"], "restore_best": [False], "class_weight": [{0: 2}]},
    ]
    search = GridSearchCV(planned(), grid, cv=2, n_jobs=n_jobs, error_score="raise").fit(X, MULTICLASS)
    assert len(search.cv_results_["params"]) == 4 + 1 + 4 + 2
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
