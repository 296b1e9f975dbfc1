"""One call of fit or partial_fit, from what the user passed to a model and what training can continue from."""

import copy
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse

from sksoftmax.data.class_weight import class_factors, weighted
from sksoftmax.data.column_warnings import warn_of_columns
from sksoftmax.data.columns import Categories
from sksoftmax.data.copies import find_copies, warn_of_known_rows
from sksoftmax.data.groups import group_codes
from sksoftmax.data.inputs import (
    FitArguments,
    check_sample_weight,
    check_validation_pair,
    check_X_y,
    split_by_class,
    split_like_mlp,
    without_zero_weights,
)
from sksoftmax.data.preprocessing import encoded, fit_preprocessor, network_dtype_for
from sksoftmax.data.relevance import MIN_ROWS, has_small_classes
from sksoftmax.data.rows import LazyRows, Samples, is_large, row_numbers
from sksoftmax.data.sparse_columns import without_sparse_form
from sksoftmax.data.targets import Targets, column_names
from sksoftmax.model import Model
from sksoftmax.nn.ensemble_weights import EnsembleWeights
from sksoftmax.nn.layers import EMBEDDING_UNITS
from sksoftmax.nn.optimizers import WeightAverage, make_optimizer
from sksoftmax.parameters import stops_early
from sksoftmax.summary import known_categories, unused_columns
from sksoftmax.training.callbacks import fit_tasks
from sksoftmax.training.config import TrainingConfig, fold_epochs, new_network
from sksoftmax.training.ensemble import Ensemble
from sksoftmax.training.lbfgs import train_by_lbfgs
from sksoftmax.training.progress import Progress, Report
from sksoftmax.training.run import Run, end_fold_phase_unless_interrupted
from sksoftmax.training.scoring import check_scoring_fits, make_score
from sksoftmax.training.steps import train_by_steps, train_one_epoch
from sksoftmax.training.warm_start import Earlier, TrainingState, fixed_parameters

UNIFORM_SHARE = 0.01  # share of equal frequencies in what label smoothing moves the targets towards


class Call(NamedTuple):
    """One call of fit or, if `incremental`, of partial_fit.

    `params` are the estimator's parameters by name, `given` is what the user passed, `earlier` the model and state from which
    training continues, or None; `weights` are coefs_, intercepts_ and embeddings_ to begin with, or None to draw them.
    """

    estimator: object
    params: dict
    given: FitArguments
    earlier: Earlier | None
    rng: np.random.RandomState
    incremental: bool = False
    weights: tuple | None = None


def train(call):
    """The model that this call trains, and the `TrainingState` from which the next call can continue."""
    params, earlier = call.params, call.earlier

    # 1. What the user passed, as arrays and targets
    categories = read_categories(call)
    check = partial(check_X_y, call.estimator, categories=categories, accepts_missing=params["scaling"] is not None)
    X, y = check(call.given.X, call.given.y, reset=earlier is None)
    X = X if earlier or params["scaling"] is None else without_sparse_form(X)
    targets = read_targets(call, y)

    # 2. The rows that count, and rows to score
    dtype = network_dtype(call, X)
    groups = group_codes(call.given.groups, X.shape[0])
    training = samples(X, y, call.given.sample_weight, targets, dtype, groups)
    validation = given_validation(call, check, targets, dtype)
    if validation is not None and not call.incremental:
        warn_of_known_rows(training, validation)
    if learns_from_left_out_rows(call):
        training = with_copies(training, categories, targets)
    factors, n_rows, n_distinct = class_factors(params["class_weight"], targets, training), len(training), training.n_distinct
    split_early, split_late = planned_splits(call, targets, training, validation)
    training, validation = split_early(training, validation)

    # 3. What the columns become
    preprocessor = fit_columns(call, training, categories, targets)
    training, validation = (inputs(rows, preprocessor, factors, targets, dtype) for rows in (training, validation))

    # 4. The recipe, and the network that it asks for
    config = resolve_config(call, targets, n_rows, n_distinct, preprocessor)
    model = make_model(call, config, preprocessor, targets, dtype, output_dtype(call, X))

    # 5. Rows to leave out
    training, validation = split_late(training, validation)
    with_folds = not (earlier or call.incremental) and config.has_folds(validation)
    ensemble = Ensemble.plan(config, targets, training, call.rng, with_folds)

    # 6. Train
    state = training_state(call, model, config)
    prior = smoothing_prior_of(call, model, state, config, training)
    run = make_run(call, model, state, config, ensemble, training, validation, prior)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        solver_of(config, call.incremental)(run, state)
        end_fold_phase_unless_interrupted(run)
        model.absorb_calibration()
    state.resolved = config.public(ensemble.dropout, ensemble.weight_decay)
    run.tasks.finish()
    return model, state


def read_categories(call):
    """The categorical columns of X; those of the first call if training continues."""
    if call.earlier:
        return call.earlier.model.preprocessor.categories
    return Categories.from_X(call.given.X, call.params["categorical_features"])


def network_dtype(call, X):
    """The floating-point format of the network; that of the first call if training continues."""
    if call.earlier:
        return call.earlier.model.network.dtype
    return network_dtype_for(call.params["dtype"], X, call.params["scaling"], call.given.sample_weight)


def output_dtype(call, X):
    """The name of the dtype of predictions; that of the first call if training continues."""
    if call.earlier:
        return call.earlier.model.output_dtype
    return X.dtype.name if call.params["dtype"] == "auto" else call.params["dtype"]


def read_targets(call, y):
    """The `Targets` of y; those of the first call, to which y must fit, if training continues."""
    out_activation, target_type, earlier = call.params["out_activation"], call.params["target_type"], call.earlier
    if earlier is None and call.incremental:
        targets = Targets.from_classes(y, call.given.classes, out_activation, target_type, column_names(call.given.y))
    elif earlier is None:
        targets = Targets.from_y(y, out_activation, target_type, column_names(call.given.y))
    else:
        earlier.check_outputs(out_activation)
        targets = earlier.model.targets
        targets.check_names(call.given.y)
        if call.incremental:
            targets.check_classes(call.given.classes)
        else:
            earlier.check_y(y, target_type)
    check_scoring_fits(call.params["scoring"], targets.kind)
    return targets


def samples(X, y, sample_weight, targets, dtype, groups=None):
    """Checked X and y, raw weights and the groups' numbers as the rows that count."""
    weights = check_sample_weight(sample_weight, X.shape[0], dtype)
    if not issparse(X) and is_large(X.shape, X.dtype):
        X = LazyRows.of(X)
    return without_zero_weights(Samples(X, targets.encode(y, dtype), weights, row_numbers(X.shape[0]), groups=groups))


def learns_from_left_out_rows(call):
    """Whether this call of fit may leave out rows, or counts rows to find what "auto" means."""
    params = call.params
    has_auto = any(isinstance(params[name], str) for name in ("max_iter", "dropout", "weight_decay"))
    return (params["n_members"] != 1 or has_auto) and not (call.incremental or call.earlier)


def with_copies(training, categories, targets):
    """The training rows with the number of the distinct row of each; copies are groups, unless the user passed groups."""
    copies = find_copies(training, categories, len(targets.classes))
    return replace(training, copies=copies, groups=copies if training.groups is None else training.groups)


def given_validation(call, check, targets, dtype):
    """The validation rows that the user passed, or None."""
    given = call.given
    if not check_validation_pair(given.X_val, given.y_val, call.params["early_stopping"]):
        return None
    try:
        targets.check_names(given.y_val)
        return samples(*check(given.X_val, given.y_val, reset=False), given.sample_weight_val, targets, dtype)
    except ValueError as error:
        raise ValueError(f"In X_val, y_val or sample_weight_val: {error}") from error


def planned_splits(call, targets, training, validation):
    """Two functions of training and validation rows, of which at most one splits: before the columns are fitted, and after.

    The split comes first, so that validation rows do not inform scales, bins and relevance. Without `scaling` it comes after the
    initial weights are drawn, in the order of MLPClassifier's draws, unless there are groups.
    """
    n_rows = len(training)

    def keep(training, validation):
        return training, validation

    def split(training, validation):
        labels = training.targets.ravel().astype(np.intp) if targets.kind == "labels" else np.zeros(n_rows, np.intp)
        return split_by_class(training, call.params["validation_fraction"], labels, call.rng)

    def split_late(training, validation):
        strata = targets.strata(training.targets)
        return split_like_mlp(training, call.params["validation_fraction"], strata, call.rng)

    if call.incremental or validation is not None or not stops_early(call.params["early_stopping"], n_rows):
        return keep, keep
    return (keep, split_late) if call.params["scaling"] is None and training.groups is None else (split, keep)


def fit_columns(call, training, categories, targets):
    """The preprocessor that the training rows ask for; warn of columns that teach the network nothing.

    If training continues it is that of the first call, but for columns that were constant until now.
    """
    if call.earlier:
        return call.earlier.model.preprocessor.after(training)
    asked = {name: call.params[name] for name in ("scaling", "n_bins", "relevance")}
    if call.incremental and len(training) < MIN_ROWS and isinstance(asked["relevance"], str):
        asked["relevance"] = None  # `partial_fit` may see many more rows
    preprocessor = fit_preprocessor(training, categories, **asked, kind=targets.kind, rng=call.rng, keeps_unseen=call.incremental)
    if categories:
        warn_of_columns(preprocessor, training.X, getattr(call.estimator, "feature_names_in_", None))
    return preprocessor


def inputs(samples, preprocessor, factors, targets, dtype):
    """The samples, or None, as the network takes them, with their weights times the factors of their classes."""
    if samples is None:
        return None
    samples = encoded(samples, preprocessor, dtype)
    return samples if factors is None else without_zero_weights(weighted(samples, factors, targets.head, dtype))


def resolve_config(call, targets, n_rows, n_distinct, preprocessor):
    """The recipe for these parameters and data. `partial_fit` may see more rows: that the first ones are few says little."""
    network = call.earlier.model.network if call.earlier else None
    n_sparse = preprocessor.n_sparse_columns
    if call.incremental:
        return TrainingConfig.resolve(call.params, n_rows, network, n_sparse=n_sparse)
    are_small = has_small_classes(n_distinct, targets.head.n_outputs, targets.kind)
    return TrainingConfig.resolve(
        call.params,
        n_rows,
        network,
        n_distinct=n_distinct,
        small_classes=are_small,
        n_columns=len(preprocessor.relevance),
        n_sparse=n_sparse,
    )


def make_model(call, config, preprocessor, targets, dtype, output_dtype):
    """The model before training: with a copy of the earlier network, with weights that the user set, or with initial weights."""
    earlier = call.earlier
    if earlier:
        network = earlier.network(config, call.params["n_members"])
        return Model(preprocessor, network, earlier.model.ensemble_weights, targets, output_dtype)
    network = new_network(config, preprocessor, targets.head.n_outputs, dtype, call.rng)
    model = Model(preprocessor, network, EnsembleWeights.equal(config.n_members), targets, output_dtype)
    return model if call.weights is None else model.with_weights(*call.weights)


def training_state(call, model, config):
    """The state that this call begins with: a new one, or one that continues the earlier call's."""
    network, earlier = model.network, call.earlier
    state = TrainingState(
        progress=earlier.state.progress.copy() if earlier else Progress(),
        optimizer=make_optimizer(config, network, model.preprocessor.rates_of_codes),
        average=WeightAverage(network.parameters, config.ema_decay) if config.ema_decay else None,
        rng=call.rng,
        fixed=fixed_parameters(call.params, network.dtype.name),
        is_continued=call.incremental or call.params["warm_start"],
        resolved=config.public(config.dropout, config.weight_decay),
    )
    state.progress.n_before = len(state.progress.loss_curve)
    if earlier and state.optimizer:
        state.optimizer.resume(earlier.state.optimizer, keep_rate=call.incremental)
    if earlier and state.average:
        state.average.resume(earlier.state.average)
    return state


def smoothing_prior_of(call, model, state, config, training):
    """What label smoothing moves the targets towards, (n_outputs,); None without smoothing.

    It is the mean target of these rows, or of all that partial_fit saw, and in a small part the same for all classes: so logits
    stay finite even where a class has nearly no weight.
    """
    if not config.label_smoothing:
        return None
    weight = training.total_weight
    seen = np.array([*(weight * model.head.frequencies(training.targets, training.weights)), weight])
    if call.incremental and call.earlier and call.earlier.state.seen is not None:
        seen += call.earlier.state.seen
    state.seen = seen
    return ((1 - UNIFORM_SHARE) * seen[:-1] / seen[-1] + UNIFORM_SHARE * model.head.uniform_target).astype(model.network.dtype)


def make_run(call, model, state, config, ensemble, training, validation, prior):
    """The run of this call, with its callbacks and its scorer."""
    estimator, given = call.estimator, call.given
    name, n_epochs = ("partial_fit", 1) if call.incremental else ("fit", config.max_iter)
    return Run(
        model,
        training,
        validation,
        ensemble,
        config,
        tasks=fit_tasks(estimator, name, n_epochs, given, partial(fitted_attributes, estimator, model, state, copied=True)),
        score=make_score(config.scoring, estimator, partial(fitted_so_far, estimator, model, state), given, validation),
        report=make_report(call, config, ensemble),
        fold_epochs=fold_epochs(config, ensemble.folds, validation, len(training)),
        prior=prior,
    )


def make_report(call, config, ensemble):
    """What prints the progress of this call."""
    unit = "iteration" if config.solver == "lbfgs" else "epoch"
    return Report(config.verbose, None if call.incremental else config.max_iter, unit, ensemble.folds is not None)


def solver_of(config, incremental):
    """The function that trains a run."""
    if config.solver == "lbfgs":
        return train_by_lbfgs
    return train_one_epoch if incremental else train_by_steps


def fitted_so_far(estimator, model, state):
    """A copy of the estimator as if training had ended here; its arrays continue to change."""
    fitted = copy.copy(estimator)
    vars(fitted).update(fitted_attributes(fitted, model, state.copy()))
    return fitted


def fitted_attributes(estimator, model, state, copied=False):
    """The attributes that make this estimator a fitted one, public and private; on request, with arrays that no longer change."""
    if copied:
        model, state = replace(model, network=model.network.copy()), state.copy()
        model.absorb_calibration()
    return {
        "_model": model,
        "_training": state,
        "_no_improvement_count": state.progress.stale_epochs,  # by this name scikit-learn's tests of MLPClassifier know it
        **attributes_of_columns(estimator, model.preprocessor),
        **model.public(),
        **state.progress.public(),
        **state.resolved,
    }


def attributes_of_columns(estimator, preprocessor):
    """The attributes that say what the columns of X became."""
    names = getattr(estimator, "feature_names_in_", None)
    names = [f"x{i}" for i in range(estimator.n_features_in_)] if names is None else names
    return {
        "encoded_feature_names_": preprocessor.get_feature_names_out(names, EMBEDDING_UNITS),
        "categories_": known_categories(preprocessor, names),
        "unused_columns_": unused_columns(preprocessor, names),
    }
