"""Conversion to and from scikit-learn's MLPClassifier: the same hyper-parameters and, if fitted, the same model."""

import numpy as np
from sklearn.base import clone
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import LabelBinarizer

from sksoftmax.data.columns import Categories
from sksoftmax.data.preprocessing import unchanged
from sksoftmax.data.targets import Targets
from sksoftmax.layout import Layout
from sksoftmax.model import Model
from sksoftmax.nn.ensemble_weights import EnsembleWeights
from sksoftmax.nn.network import Architecture, network_from_arrays
from sksoftmax.nn.optimizers import SGD, Adam, make_optimizer
from sksoftmax.parameters import layer_sizes
from sksoftmax.training.config import TrainingConfig
from sksoftmax.training.progress import Progress
from sksoftmax.training.state import TrainingState, fixed_parameters

NEUTRAL = {
    "out_activation": "auto",
    "weight_decay": 0.0,
    "class_weight": None,
    "scoring": "accuracy",
    "restore_best": True,
    "dropout": 0.0,
    "label_smoothing": 0.0,
    "clip_norm": None,
    "ema_decay": 0.0,
    "warmup": 0.0,
    "scaling": None,
    "categorical_features": None,
    "handle_unknown": "ignore",
    "dtype": "auto",
    "parametrization": "standard",
    "n_members": 1,
    "companion": False,
    "n_bins": 0,
    "relevance": None,
    "target_type": "multilabel",
}
MLPCLASSIFIER_VALUES = {
    "activation": ("identity", "logistic", "tanh", "relu"),
    "learning_rate": ("constant", "invscaling", "adaptive"),
    "early_stopping": (False, True),
}


def parameters_from_sklearn(mlp):
    """The parameters with which our estimator trains as this MLPClassifier does."""
    if not isinstance(mlp, MLPClassifier):
        raise TypeError(f"mlp must be a scikit-learn MLPClassifier; got {type(mlp).__name__}.")
    return {**clone(mlp).get_params(deep=False), **NEUTRAL}


def model_from_sklearn(mlp, params):
    """The `Model` and the `TrainingState` of this fitted MLPClassifier; `params` are the estimator's parameters by name."""
    kind = "multilabel" if mlp._label_binarizer.y_type_.startswith("multilabel") else "labels"
    progress = _progress_from_sklearn(mlp)
    config = TrainingConfig.resolve(params, n_rows=max(progress.samples_seen // max(len(progress.loss_curve), 1), 1))
    targets = Targets(kind, np.asarray(mlp.classes_), "auto")
    hidden = tuple(W.shape[1] for W in mlp.coefs_[:-1])
    architecture = Architecture(Layout(mlp.n_features_in_), hidden, targets.head.n_outputs, config.activations)
    network = network_from_arrays(architecture, mlp.coefs_, mlp.intercepts_)
    preprocessor = unchanged(mlp.n_features_in_, Categories({}))
    model = Model(preprocessor, network, EnsembleWeights.equal(1), targets, network.dtype.name, companion=None)
    state = TrainingState(
        progress=progress,
        optimizer=_optimizer_from_sklearn(mlp, network, config) if hasattr(mlp, "_optimizer") else None,
        fixed=fixed_parameters(params, network.dtype.name),
        resolved=config.public(config.dropout, config.weight_decay),
    )
    state.may_be_continued = mlp.warm_start or mlp.n_iter_ == 1 or state.progress.n_before > 0
    return model, state


def parameters_to_sklearn(estimator, model):
    """MLPClassifier's parameters; raise ValueError if it has no counterpart of some of ours or of the model (None if not fitted).

    The error names all that is in the way.
    """
    params = clone(estimator).get_params(deep=False)
    obstacles = [*obstacles_in_parameters(params), *(obstacles_in_model(model, estimator) if model else ())]
    if obstacles:
        raise ValueError(f"{'; '.join(obstacles)} cannot be expressed by MLPClassifier.")
    if isinstance(params["hidden_layer_sizes"], str):
        params["hidden_layer_sizes"] = tuple(layer_sizes(params["hidden_layer_sizes"]))
    return {name: value for name, value in params.items() if name not in NEUTRAL}


def obstacles_in_parameters(params):
    """Each of these parameters that MLPClassifier cannot express, with what it takes."""
    if params["max_iter"] == "auto":
        yield "max_iter='auto' (it takes a number)"
    for name, allowed in MLPCLASSIFIER_VALUES.items():
        if np.ndim(params[name]) or params[name] not in allowed:
            yield f"{name}={params[name]!r} (it takes {' or '.join(map(repr, allowed))})"
    for name, neutral in NEUTRAL.items():
        if np.ndim(params[name]) or params[name] != neutral:
            yield f"{name}={params[name]!r} (it has {neutral!r})"


def obstacles_in_model(model, estimator):
    """Each part of the fitted model that MLPClassifier cannot express."""
    targets, preprocessor = model.targets, model.preprocessor
    if targets.head.out_activation == "softmax" and len(targets.classes) < 3:
        yield f"a fitted model of {len(targets.classes)} class(es) with a softmax output (it takes two classes or more)"
    if preprocessor.numbers.scaling is not None:
        yield f"a model that was fitted with scaling={preprocessor.numbers.scaling!r}"
    if len(preprocessor.categories):
        names = getattr(estimator, "feature_names_in_", range(estimator.n_features_in_))
        yield f"the categories of columns {[names[column] for column in preprocessor.categories.of_column]}"
    if model.network.architecture.n_members > 1:
        yield f"a fitted ensemble of {model.network.architecture.n_members} networks"


def model_to_sklearn(model, estimator, mlp):
    """Make this MLPClassifier predict as the estimator's model does; return it. Its optimizer starts without moments."""
    targets = model.targets
    multilabel = targets.kind == "multilabel"
    mlp._label_binarizer = LabelBinarizer().fit(np.eye(len(targets.classes), dtype=int) if multilabel else targets.classes)
    if not multilabel:
        mlp._label_binarizer.classes_ = targets.classes  # of soft labels they may not be sorted
    mlp.coefs_, mlp.intercepts_ = ([array.copy() for array in part] for part in (model.network.coefs, model.network.intercepts))
    mlp._best_coefs, mlp._best_intercepts = mlp.coefs_, mlp.intercepts_
    mlp._random_state, mlp._no_improvement_count = estimator._training.rng, estimator._no_improvement_count
    for name, value in vars(estimator).items():
        if name.endswith("_") and not hasattr(mlp, name):
            setattr(mlp, name, list(value) if isinstance(value, list) else value)
    return mlp


def _progress_from_sklearn(mlp):
    scores = getattr(mlp, "validation_scores_", None) or []
    loss_curve = list(getattr(mlp, "loss_curve_", [float(mlp.loss_)]))
    return Progress(
        loss_curve=loss_curve,
        validation_scores=list(scores),
        best_loss=min(getattr(mlp, "loss_curve_", [mlp.loss_]), default=np.inf),
        best_score=max(scores, default=-np.inf),
        best_epoch=int(np.argmax(scores)) if scores else -1,
        kept_epoch=int(np.argmax(scores)) if scores else -1,
        stale_epochs=getattr(mlp, "_no_improvement_count", 0),
        samples_seen=int(mlp.t_),
        n_before=len(loss_curve) - mlp.n_iter_,
    )


def _optimizer_from_sklearn(mlp, network, config):
    """Our optimizer with the moments and the rate of MLPClassifier's, if it is of the same kind."""
    theirs, ours = mlp._optimizer, make_optimizer(config, network)
    if type(ours) is SGD and hasattr(theirs, "velocities"):
        ours.learning_rate = theirs.learning_rate
        ours.velocity = _flat(theirs.velocities, network)
    elif type(ours) is Adam and hasattr(theirs, "ms"):
        ours.t = theirs.t
        ours.m = _flat(theirs.ms, network) / (1 - theirs.beta_1)
        ours.v = _flat(theirs.vs, network) / (1 - theirs.beta_2)
    return ours


def _flat(arrays, network):
    """A flat vector in the order of the network's parameters, from arrays in the order of `coefs` and then `intercepts`."""
    n_layers = len(network.coefs)
    return network_from_arrays(network.architecture, arrays[:n_layers], arrays[n_layers:]).parameters.astype(
        network.dtype, copy=False
    )
