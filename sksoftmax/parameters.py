"""The allowed values of the estimator's parameters, in seven groups. scikit-learn checks them and words the errors."""

from inspect import signature
from numbers import Integral, Real

import numpy as np
from sklearn import get_config
from sklearn.metrics import get_scorer_names

from sksoftmax.data.heads import OUT_ACTIVATIONS
from sksoftmax.nn.layers import ACTIVATIONS
from sksoftmax.nn.optimizers import OPTIMIZERS
from sksoftmax.nn.schedules import PLANNED
from sksoftmax.sklearn_private import (
    Interval,
    InvalidParameterError,
    Options,
    StrOptions,
    validate_parameter_constraints,
)
from sksoftmax.suggestions import nearest_value


class ScorerNames(StrOptions):
    """The allowed names of scorers, which an error does not list: there are more than sixty."""

    def __str__(self):
        """What an error says is allowed."""
        return "'accuracy', 'loss', another name in sklearn.metrics.get_scorer_names()"


PARAMETER_GROUPS = {  # title → the allowed values of each parameter
    "Network": {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left"), str],
        "activation": [StrOptions(set(ACTIVATIONS)), "array-like"],
        "out_activation": [StrOptions({"auto", *OUT_ACTIVATIONS})],
        "target_type": [StrOptions({"auto", "multilabel", "probabilities"})],
        "parametrization": [StrOptions({"standard", "ntk"})],
        "dtype": [StrOptions({"auto", "float32", "float64"})],
    },
    "Raw columns": {
        "scaling": [StrOptions({"robust", "standard"}), None],
        "categorical_features": [StrOptions({"from_dtype"}), "array-like", None],
        "handle_unknown": [StrOptions({"ignore", "error"})],
        "n_bins": [Interval(Integral, 0, None, closed="left")],
        "relevance": [StrOptions({"auto"}), "array-like", None],
    },
    "Ensemble": {
        "n_members": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "companion": [StrOptions({"auto"}), Options(bool, {False})],
    },
    "Loss and regularization": {
        "class_weight": [dict, list, StrOptions({"balanced"}), None],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "weight_decay": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
        "dropout": [Interval(Real, 0, 1, closed="left"), "array-like", StrOptions({"auto"})],
        "clip_norm": [Interval(Real, 0, None, closed="neither"), None],
        "ema_decay": [Interval(Real, 0, 1, closed="left")],
    },
    "Optimizer and rate": {
        "solver": [StrOptions({"lbfgs", *OPTIMIZERS})],
        "learning_rate": [StrOptions({"constant", "invscaling", "adaptive", *PLANNED}), callable],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "warmup": [Interval(Real, 0, 1, closed="left")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "momentum": [Interval(Real, 0, 1, closed="both")],
        "nesterovs_momentum": ["boolean"],
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "power_t": [Interval(Real, 0, None, closed="left")],
        "max_fun": [Interval(Integral, 1, None, closed="left")],
    },
    "Length and stopping": {
        "max_iter": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "tol": [Interval(Real, 0, None, closed="left")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), Options(Real, {np.inf})],
        "early_stopping": ["boolean", StrOptions({"auto"})],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "scoring": [ScorerNames({"loss", *get_scorer_names()}), callable],
        "restore_best": ["boolean"],
    },
    "Running": {
        "random_state": ["random_state"],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
    },
}
PARAMETER_CONSTRAINTS = {name: allowed for group in PARAMETER_GROUPS.values() for name, allowed in group.items()}
STEP_PARAMETERS = {  # parameters that act on optimizer steps, with their neutral values
    "weight_decay": 0.0,
    "dropout": 0.0,
    "clip_norm": None,
    "ema_decay": 0.0,
    "warmup": 0.0,
    "n_members": 1,
}
CALLABLE_ARGUMENTS = {"learning_rate": ("progress",), "scoring": ("estimator", "X", "y")}  # of parameters that may be functions
AUTO_EARLY_STOPPING = 10_000  # rows above which early_stopping="auto" is on, as in HistGradientBoosting


def check_parameters(estimator):
    """ValueError if a parameter is wrong by itself or beside others, with the nearest allowed value.

    scikit-learn's `skip_parameter_validation` skips the checks of single parameters.
    """
    if not get_config()["skip_parameter_validation"]:
        for name, value in estimator.get_params(deep=False).items():
            _check_value(type(estimator), name, value)
    check_combination(estimator)
    for name, arguments in CALLABLE_ARGUMENTS.items():
        _check_signature(name, getattr(estimator, name), arguments)


def _check_signature(name, function, arguments):
    """ValueError if this value of a parameter is a function that cannot be called with these arguments."""
    try:
        if callable(function):
            signature(function).bind(*arguments)
    except TypeError as error:
        advice = " make_scorer of sklearn.metrics makes one from a metric of (y_true, y_pred)." if name == "scoring" else ""
        call = f"{name}({', '.join(arguments)})"
        raise ValueError(f"{name} must be callable as {call}; got {function!r}: {error}.{advice}") from None
    except ValueError:  # a function of C, whose signature is not known
        pass


def _check_value(estimator_class, name, value):
    """Raise ValueError if this value of a parameter is not allowed, with the nearest allowed string."""
    constraints = estimator_class._parameter_constraints.get(name, "no_validation")  # a subclass may have more parameters
    try:
        validate_parameter_constraints({name: constraints}, {name: value}, estimator_class.__name__)
    except InvalidParameterError as error:
        allowed = {option for choice in constraints if isinstance(choice, StrOptions) for option in choice.options}
        nearest = nearest_value(value, sorted(allowed))
        raise InvalidParameterError(f"{error} Did you mean {nearest!r}?" if nearest else str(error)) from None


def check_combination(options):
    """ValueError if parameters that are valid by themselves do not fit together."""
    n_hidden = len(layer_sizes(options.hidden_layer_sizes))
    layer_activations(options.activation, n_hidden)
    if not isinstance(options.dropout, str):
        dropout_rates(options.dropout, n_hidden)
    if options.scaling is None and not (options.relevance is None or isinstance(options.relevance, str)):
        raise ValueError(f"relevance={options.relevance!r} multiplies scaled columns; scaling=None has none. Leave it at 'auto'.")
    if options.solver == "lbfgs":
        for name, off in STEP_PARAMETERS.items():
            value = getattr(options, name)
            if value is not off and not isinstance(value, str) and np.any(np.asarray(value) != off):
                raise ValueError(
                    f"{name}={value!r} acts on the steps of solver 'adam' or 'sgd'; solver='lbfgs' has none. "
                    f"Leave it at {off!r}, or change the solver."
                )


def layer_sizes(hidden_layer_sizes):
    """`hidden_layer_sizes` as a list of int; ValueError if one is not a positive integer."""
    sizes = hidden_layer_sizes
    if isinstance(sizes, str):
        parts = [part.strip() for part in sizes.split("-")] if sizes.strip() else []
        sizes = [int(part) if part.isdecimal() else part for part in parts]
    sizes = [sizes] if isinstance(sizes, Integral) else list(sizes)
    if not all(isinstance(size, Integral) and not isinstance(size, bool) and size > 0 for size in sizes):
        raise ValueError(
            "hidden_layer_sizes must be > 0 and of integers, one for each hidden layer, as in (256, 128) or '256-128'; "
            f"got {hidden_layer_sizes!r}."
        )
    return [int(size) for size in sizes]


def layer_activations(activation, n_hidden):
    """`activation` as a name, or as a tuple with one for each hidden layer; ValueError if it is neither."""
    if isinstance(activation, str):
        return activation
    names = tuple(np.asarray(activation, dtype=object).ravel())
    if len(names) != n_hidden or not all(isinstance(name, str) and name in ACTIVATIONS for name in names):
        raise ValueError(
            f"activation must be one of {sorted(ACTIVATIONS)}, or a list of {n_hidden} of them, one for each hidden layer; "
            f"got {activation!r}."
        )
    return names


def dropout_rates(dropout, n_hidden):
    """`dropout` as a number, or as a tuple with one for each hidden layer; ValueError if it is neither."""
    if isinstance(dropout, Real):
        return float(dropout)
    rates = tuple(np.asarray(dropout, dtype=object).ravel())
    if len(rates) != n_hidden or not all(isinstance(rate, Real) and 0 <= rate < 1 for rate in rates):
        raise ValueError(
            f"dropout must be a rate in [0, 1), or a list of {n_hidden} of them, one for each hidden layer; got {dropout!r}."
        )
    return tuple(float(rate) for rate in rates)


def stops_early(early_stopping, n_samples):
    """Whether `early_stopping` asks for a validation part of this many rows."""
    return n_samples > AUTO_EARLY_STOPPING if early_stopping == "auto" else bool(early_stopping)
