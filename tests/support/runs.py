"""Runs of a small untrained network on all of a few rows, which it also scores."""

import numpy as np

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.data.rows import Samples
from sksoftmax.data.targets import Targets
from sksoftmax.model import Model
from sksoftmax.nn.ensemble_weights import EnsembleWeights
from sksoftmax.training.callbacks import NoTasks
from sksoftmax.training.config import TrainingConfig
from sksoftmax.training.ensemble import EnsemblePlan
from sksoftmax.training.progress import Report
from sksoftmax.training.run import Run
from support.networks import form_of, initialized

X = np.random.default_rng(0).normal(size=(30, 4))
y = X[:, :3].argmax(axis=1)
WEIGHTS = np.random.default_rng(1).uniform(0.1, 2, len(X))


def untrained_network(n_members=1):
    """With four inputs, five hidden units and three outputs."""
    return initialized(form_of(4, (5,), 3, n_members=n_members))


def run_on_all_rows(weights=None, n_members=1, **params):
    """A run whose members train on all rows, without folds; `params` are the estimator's parameters."""
    params = {"hidden_layer_sizes": (5,), "n_members": n_members, "label_smoothing": 0.0, "dropout": 0.0, **params}
    config = TrainingConfig.resolve(SoftmaxMLPClassifier(**params).get_params(deep=False), len(X))
    targets, rows = Targets("labels", np.arange(3), "auto"), Samples(X, y, weights, strata=y)
    model = Model(None, untrained_network(n_members), EnsembleWeights.equal(n_members), targets, "float64", None)
    plan = EnsemblePlan.of(config, rows, np.random.RandomState(0), with_folds=False)
    return Run(model, rows, rows, plan, config, NoTasks(), None, Report(0))
