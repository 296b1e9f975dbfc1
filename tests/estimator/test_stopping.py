"""When training ends: `max_iter`, `max_fun`, `tol`, `n_iter_no_change` and planned learning rates."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from support.data import MULTICLASS, X
from support.estimators import planned
from support.marks import SOLVERS, STEPWISE


@STEPWISE
@pytest.mark.parametrize("schedule", ["cosine", "one_cycle", "coslog4"])
def test_a_planned_learning_rate_runs_to_max_iter_without_a_warning(schedule, solver):
    clf = planned(learning_rate=schedule, solver=solver, max_iter=12, tol=10.0, n_iter_no_change=1)
    assert clf.fit(X, MULTICLASS).n_iter_ == 12


def test_early_stopping_ends_a_planned_learning_rate():
    clf = planned(max_iter=100, tol=2.0, n_iter_no_change=2, early_stopping=True)
    assert clf.fit(X, MULTICLASS).n_iter_ < 10


@SOLVERS
def test_max_iter_before_convergence_warns(solver):
    with pytest.warns(ConvergenceWarning, match="max_iter|Maximum iterations"):
        planned(solver=solver, learning_rate="constant", alpha=0.0, max_iter=2).fit(X, MULTICLASS)


def test_max_fun_before_convergence_warns():
    with pytest.warns(ConvergenceWarning, match="max_fun=3"):
        planned(solver="lbfgs", max_fun=3, max_iter=100).fit(X, MULTICLASS)


def test_n_iter_no_change_epochs_without_an_improvement_end_training_without_a_warning():
    assert planned(learning_rate="constant", max_iter=50, tol=10.0, n_iter_no_change=4).fit(X, MULTICLASS).n_iter_ == 6


def test_an_infinite_n_iter_no_change_never_ends_training():
    clf = planned(learning_rate="constant", max_iter=30, tol=10.0, n_iter_no_change=np.inf)
    with pytest.warns(ConvergenceWarning, match="Maximum iterations"):
        clf.fit(X, MULTICLASS)
    assert clf.n_iter_ == 30


@pytest.mark.parametrize("params", [{"learning_rate": "constant"}, {"solver": "sgd", "learning_rate": "adaptive"}], ids=str)
def test_max_iter_auto_that_ran_to_its_end_does_not_warn(params):
    rows = np.random.default_rng(0).normal(size=(900, 5))
    clf = planned(**{"max_iter": "auto", "hidden_layer_sizes": (3,), "tol": 0.0, "n_iter_no_change": np.inf, **params})
    assert clf.fit(rows, (rows[:, 0] > 0).astype(int)).n_iter_ >= 18


@pytest.mark.parametrize("scaling", ["robust", None])
def test_max_iter_of_lbfgs_before_convergence_advises_to_scale_X_only_without_scaling(scaling):
    with pytest.warns(ConvergenceWarning, match="lbfgs failed to converge") as caught:
        planned(solver="lbfgs", scaling=scaling, max_iter=2).fit(X, MULTICLASS)
    assert ("scale the columns" in str(caught[0].message)) == (scaling is None)
