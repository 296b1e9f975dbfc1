"""The fitted attributes: which there are and what they hold."""

import inspect
import re

import pandas as pd
import pytest
from sklearn.metrics import log_loss

from sksoftmax import SoftmaxMLPClassifier
from support.data import MULTICLASS, X
from support.estimators import converged, planned, short_default
from support.marks import SOLVERS, UNCONVERGED


@pytest.mark.parametrize("early_stopping", [False, True])
@SOLVERS
def test_every_documented_attribute_exists_after_fit(solver, early_stopping):
    documented = re.findall(r"^(\w+_) :", inspect.getdoc(SoftmaxMLPClassifier), re.MULTILINE)
    clf = converged(solver=solver, early_stopping=early_stopping).fit(pd.DataFrame(X, columns=list("abcd")), MULTICLASS)
    assert {"coefs_", "t_", "best_validation_score_", "feature_names_in_"} <= set(documented)
    assert [name for name in documented if not hasattr(clf, name)] == []


@pytest.mark.parametrize("early_stopping", [False, True])
@SOLVERS
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
    clf = planned(hidden_layer_sizes=(6, 5)).fit(X, MULTICLASS)
    assert [W.shape for W in clf.coefs_] == [(4, 6), (6, 5), (5, 3)]
    assert [b.shape for b in clf.intercepts_] == [(6,), (5,), (3,)]
    assert (clf.n_layers_, clf.n_outputs_, clf.n_features_in_, clf.n_iter_, clf.t_) == (4, 3, 4, 3, 3 * 60)


@SOLVERS
@pytest.mark.filterwarnings(UNCONVERGED)
def test_a_fitted_default_estimator_has_at_most_three_private_attributes(solver):
    """The model, the state of its training, and a count under the name that it has in MLPClassifier."""
    clf = short_default(solver=solver)
    unfitted = set(vars(clf))
    clf.fit(X, MULTICLASS)
    private = {name for name in set(vars(clf)) - unfitted if name.startswith("_")}
    assert private <= {"_model", "_training", "_no_improvement_count"}


def test_the_loss_of_lbfgs_includes_the_alpha_penalty():
    clf = converged().fit(X, MULTICLASS)
    penalty = 0.5 * clf.alpha * sum((W**2).sum() for W in clf.coefs_) / len(X)
    assert clf.loss_ == pytest.approx(log_loss(MULTICLASS, clf.predict_proba(X)) + penalty, rel=1e-9)


def test_n_iter_counts_the_iterations_of_the_last_call():
    clf = planned(warm_start=True).fit(X, MULTICLASS).fit(X, MULTICLASS)
    assert (clf.n_iter_, len(clf.loss_curve_)) == (3, 6)
    assert clf.partial_fit(X, MULTICLASS).n_iter_ == 1
