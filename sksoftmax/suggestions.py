"""Suggests our name for a parameter, an argument or a value that does not exist."""

from difflib import get_close_matches
from functools import wraps
from inspect import signature
from typing import cast

from sksoftmax.hints import Method

ALIASES = {  # parameters and arguments of other libraries → ours
    "C": "alpha (a larger alpha is stronger, a larger C weaker)",
    "cat_features": "categorical_features",
    "class_weights": "class_weight",
    "early_stopping_rounds": "early_stopping=True and n_iter_no_change",
    "epochs": "max_iter",
    "eval_metric": "scoring",
    "eval_set": "X_val and y_val in fit",
    "hidden_dim": "hidden_layer_sizes",
    "hidden_layers": "hidden_layer_sizes",
    "lr": "learning_rate_init",
    "max_epochs": "max_iter",
    "n_epochs": "max_iter",
    "n_estimators": "max_iter (epochs) or n_members (networks)",
    "optimizer": "solver",
    "patience": "n_iter_no_change",
    "seed": "random_state",
    "weights": "sample_weight in fit",
}
THREADS = "Set the number of threads by the environment variable OMP_NUM_THREADS or by threadpoolctl.threadpool_limits."
UNSUPPORTED = {  # parameters of other libraries that we do not have → what to know instead
    "callbacks": "With scikit-learn 1.9 or newer, pass them to the method set_callbacks.",
    "device": "Training runs on the CPU.",
    "loss": "The loss is always the cross-entropy, 'log_loss'; scoring is what early stopping computes.",
    "n_jobs": THREADS,
    "n_threads": THREADS,
    "num_threads": THREADS,
}
VALUES = {"auc": "roc_auc", "linear": "identity", "sigmoid": "logistic", "swish": "silu"}  # other names of allowed values


def nearest_value(value, allowed):
    """The allowed string that a wrong value probably means, or None."""
    if not isinstance(value, str):
        return None
    candidates = [VALUES.get(value), value.lower(), f"neg_{value}", *get_close_matches(value, allowed, 1)]
    return next((name for name in candidates if name in allowed), None)


def unknown_name(beginning, name, known):
    """The sentence that says that there is no such name, with ours if one fits, or with what to know instead."""
    if name in UNSUPPORTED:
        return f"{beginning} {name!r}. {UNSUPPORTED[name]}"
    ours = ALIASES.get(name) or next(iter(get_close_matches(name, known, 1)), None)
    return f"{beginning} {name!r}." + (f" Use {ours}." if ours else "")


def answers_unknown_names(method: Method) -> Method:
    """Decorate a method: its TypeError for an unknown keyword argument suggests ours."""
    known = signature(method).parameters

    @wraps(method)
    def wrapper(self, *args, **kwargs):
        unknown = [name for name in kwargs if name not in known]
        if unknown:
            parameters = [*known, *signature(type(self)).parameters]
            what = f"{type(self).__name__}.{method.__name__}() has no argument"
            raise TypeError(unknown_name(what, unknown[0], parameters))
        return method(self, *args, **kwargs)

    return cast(Method, wrapper)
