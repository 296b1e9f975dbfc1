"""Everything of scikit-learn that has no public name. It may change in any release, so it is used only through this module."""

import numpy as np
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.ensemble._forest import BaseForest
from sklearn.ensemble._hist_gradient_boosting.gradient_boosting import BaseHistGradientBoosting
from sklearn.utils._param_validation import (
    Interval,
    InvalidParameterError,
    Options,
    StrOptions,
    validate_parameter_constraints,
)
from threadpoolctl import threadpool_limits  # a dependency of scikit-learn

__all__ = [
    "ForestClassifier",
    "ForestRegressor",
    "Interval",
    "InvalidParameterError",
    "Options",
    "StrOptions",
    "baseline_of_boosting",
    "callback_context",
    "fit_boosting",
    "fit_forest",
    "metric_of",
    "trees_of_boosting",
    "validate_parameter_constraints",
]


class DirectTrees:
    """Makes the trees of a forest directly. scikit-learn clones one for each, which takes longer than to fit a small one."""

    def _make_estimator(self, append=True, random_state=None):
        """A tree with the forest's parameters and the seed that it would have; `append` adds it to the forest."""
        given = {name: getattr(self, name) for name in self.estimator_params}
        tree = type(self.estimator_)(**given | {"random_state": random_state.randint(np.iinfo(np.int32).max)})
        if append:
            self.estimators_.append(tree)
        return tree


class ForestClassifier(DirectTrees, RandomForestClassifier):
    """A random forest of classes."""


class ForestRegressor(DirectTrees, RandomForestRegressor):
    """A random forest of numbers."""


def fit_forest(forest, X, y, sample_weight):
    """Fit a forest by the method of its base class, and return it.

    Tools that patch the public `fit` of scikit-learn's estimators, as MLflow's autolog does, would take the forest for the user's
    model.
    """
    return BaseForest.fit(forest, X, y, sample_weight)


def fit_boosting(model, X, y, sample_weight):
    """Fit a HistGradientBoostingClassifier by the method of its base class, for the reason above, and return it.

    It runs on one thread: its parallel regions are short, so that threads wait for each other beside other work, and a process
    that forks after them hangs.
    """
    with threadpool_limits(1, user_api="openmp"):
        return BaseHistGradientBoosting.fit(model, X, y, sample_weight)


def trees_of_boosting(model):
    """Yield the number of the output and the array of nodes of each tree of a HistGradientBoostingClassifier."""
    for trees in model._predictors:
        for output, tree in enumerate(trees):
            yield output, tree.nodes


def baseline_of_boosting(model):
    """Return the outputs of a HistGradientBoostingClassifier without trees."""
    return model._baseline_prediction


def metric_of(scorer):
    """Return the metric of one of scikit-learn's scorers, or any other scorer itself."""
    return getattr(scorer, "_score_func", scorer)


def callback_context(estimator, task_name, max_subtasks):
    """Return the context in which an estimator calls its callbacks, or None if it has none (as before scikit-learn 1.9)."""
    if not hasattr(estimator, "_init_callback_context"):
        return None
    context = estimator._init_callback_context(task_name=task_name, max_subtasks=max_subtasks)
    return context if getattr(context, "_callbacks", True) else None
