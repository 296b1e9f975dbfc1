"""To and from scikit-learn's MLPClassifier: the same hyper-parameters and, where fitted, the same model."""

import numpy as np
from sklearn.base import clone
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import LabelBinarizer

from sksoftmax.data.heads import SoftmaxHead
from sksoftmax.data.targets import TargetEncoder
from sksoftmax.nn.network import Network
from sksoftmax.nn.optimizers import make_optimizer
from sksoftmax.parameters import layer_sizes
from sksoftmax.training.progress import Progress

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
    "dtype": "auto",
    "parametrization": "standard",
    "n_members": 1,
    "n_bins": 0,
    "relevance": None,
}
KNOWN_THERE = {
    "activation": ("identity", "logistic", "tanh", "relu"),
    "learning_rate": ("constant", "invscaling", "adaptive"),
    "early_stopping": (False, True),
}


def parameters_from_sklearn(mlp):
    """The estimator's parameters that make it what this MLPClassifier is."""
    if not isinstance(mlp, MLPClassifier):
        raise TypeError(f"mlp must be a scikit-learn MLPClassifier; got {type(mlp).__name__}.")
    return {**clone(mlp).get_params(deep=False), **NEUTRAL}


def state_from_sklearn(mlp, options):
    """The fitted parts of this MLPClassifier: encoder, network, optimizer and progress."""
    kind = "multilabel" if mlp._label_binarizer.y_type_.startswith("multilabel") else "labels"
    encoder = TargetEncoder(kind, np.asarray(mlp.classes_), "auto")
    network = Network.from_arrays(mlp.coefs_, mlp.intercepts_, mlp.activation)
    optimizer = _optimizer_from_sklearn(mlp, network, options) if hasattr(mlp, "_optimizer") else None
    return encoder, network, optimizer, _progress_from_sklearn(mlp)


def parameters_to_sklearn(estimator):
    """MLPClassifier's parameters; ValueError where a parameter of ours has no counterpart there."""
    params = clone(estimator).get_params(deep=False)
    if isinstance(params["hidden_layer_sizes"], str):
        params["hidden_layer_sizes"] = tuple(layer_sizes(params["hidden_layer_sizes"]))
    if params["max_iter"] == "auto":
        raise ValueError("max_iter='auto' cannot be expressed by MLPClassifier, only a number.")
    for name, allowed in KNOWN_THERE.items():
        if np.ndim(params[name]) or params[name] not in allowed:
            raise ValueError(
                f"{name}={params[name]!r} cannot be expressed by MLPClassifier, which has {', '.join(map(str, allowed))}."
            )
    for name, neutral in NEUTRAL.items():
        value = params.pop(name)
        if np.ndim(value) or value != neutral:
            raise ValueError(f"{name}={getattr(estimator, name)!r} cannot be expressed by MLPClassifier, only {neutral!r}.")
    return params


def state_to_sklearn(estimator, mlp):
    """Make this MLPClassifier predict as the fitted estimator does; its optimizer will start afresh."""
    encoder = estimator._encoder
    if isinstance(encoder.head, SoftmaxHead) and len(encoder.classes) < 3:
        raise ValueError(
            f"A model of {len(encoder.classes)} class(es) with a softmax output cannot be expressed by MLPClassifier; "
            "out_activation must be 'auto' and y have two classes or more."
        )
    if not estimator._preprocessor.changes_nothing:
        names = getattr(estimator, "feature_names_in_", range(estimator.n_features_in_))
        embedded = [names[column] for column in estimator._preprocessor.embedded]
        raise ValueError(
            "A model that was fitted with scaling or categorical_features cannot be expressed by MLPClassifier"
            + (f", nor the embeddings of columns {embedded}." if embedded else ".")
        )
    multilabel = encoder.kind == "multilabel"
    mlp._label_binarizer = LabelBinarizer().fit(np.eye(len(encoder.classes), dtype=int) if multilabel else encoder.classes)
    network = estimator._current_network(encoder)
    mlp.coefs_, mlp.intercepts_ = ([array.copy() for array in arrays] for arrays in (network.coefs, network.intercepts))
    mlp._best_coefs, mlp._best_intercepts = mlp.coefs_, mlp.intercepts_
    mlp._random_state = getattr(estimator, "_random_state", None)
    for name, value in vars(estimator).items():
        if (name.endswith("_") and not hasattr(mlp, name)) or name == "_no_improvement_count":
            setattr(mlp, name, list(value) if isinstance(value, list) else value)
    return mlp


def _progress_from_sklearn(mlp):
    scores = getattr(mlp, "validation_scores_", None) or []
    return Progress(
        loss_curve=list(getattr(mlp, "loss_curve_", [float(mlp.loss_)])),
        validation_scores=list(scores),
        best_loss=min(getattr(mlp, "loss_curve_", [mlp.loss_]), default=np.inf),
        best_score=max(scores, default=-np.inf),
        best_epoch=int(np.argmax(scores)) if scores else -1,
        kept_epoch=int(np.argmax(scores)) if scores else -1,
        stale_epochs=getattr(mlp, "_no_improvement_count", 0),
        samples_seen=int(mlp.t_),
    )


def _optimizer_from_sklearn(mlp, network, options):
    """Our optimizer with the moments and the rate of theirs."""
    theirs, ours = mlp._optimizer, make_optimizer(options, network)
    if hasattr(ours, "velocity") and hasattr(theirs, "velocities"):
        ours.learning_rate = theirs.learning_rate
        ours.velocity = network.flatten(theirs.velocities)
    elif hasattr(ours, "m") and hasattr(theirs, "ms"):
        ours.t = theirs.t
        ours.m = network.flatten(theirs.ms) / (1 - theirs.beta_1)
        ours.v = network.flatten(theirs.vs) / (1 - theirs.beta_2)
    return ours
