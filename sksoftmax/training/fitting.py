"""A call of fit or partial_fit, from the user's arguments to a model and the state that the next call continues from.

What is made anew and what stays from an earlier call is up to `start`, one of `Fresh`, `FreshPartial`, `Continued` and
`ContinuedPartial`.
"""

from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse

from sksoftmax.data.class_weight import class_factors, weighted
from sksoftmax.data.columns import Categories
from sksoftmax.data.copies import warn_of_known_rows
from sksoftmax.data.groups import group_codes
from sksoftmax.data.inputs import (
    check_sample_weight,
    check_validation_pair,
    split_by_class,
    split_like_mlp,
    weights_in,
)
from sksoftmax.data.preprocessing import encoded
from sksoftmax.data.rows import LazyRows, Samples, is_large, row_numbers, rows_in_random_order
from sksoftmax.data.targets import Targets
from sksoftmax.parameters import stops_early
from sksoftmax.training.attributes import estimator_so_far, fitted_attributes
from sksoftmax.training.callbacks import fit_tasks
from sksoftmax.training.config import planned_fold_epochs
from sksoftmax.training.lbfgs import train_by_lbfgs
from sksoftmax.training.progress import Report
from sksoftmax.training.run import Run, end_fold_phase_unless_interrupted
from sksoftmax.training.scoring import check_scoring_fits, make_score
from sksoftmax.training.steps import train_by_steps, train_one_epoch

UNIFORM_SHARE = 0.01  # share of equal frequencies in what label smoothing moves the targets towards


class Data(NamedTuple):
    """The user's arguments, checked: `categories` of X, `targets`, dtypes, and the rows to train on and to score (or None)."""

    categories: Categories
    targets: Targets
    dtype: np.dtype
    output_dtype: str
    training: Samples
    validation: Samples | None


def fit(start, arguments):
    """Train on all rows; return the `Model` and the `TrainingState` from which a later call can continue."""
    params, rng = start.params, start.rng

    # 1. Read the arguments: targets, rows that count, rows to score
    categories, targets, dtype, output_dtype, training, validation = read(start, arguments)
    if validation is not None:
        warn_of_known_rows(training, validation)

    # 2. Find copies of rows, and weigh classes; both count all rows
    training = start.with_copies(training, categories, targets)
    factors = class_factors(params["class_weight"], targets, training)
    n_rows, n_distinct = len(training), training.n_distinct

    # 3. Set rows aside to score before they can inform scales, bins and relevance
    splits = validation is None and stops_early(params["early_stopping"], n_rows)
    splits_late = splits and params["scaling"] is None and training.groups is None
    if splits and not splits_late:
        training, validation = split_by_class(training, params["validation_fraction"], targets.kind, rng)

    # 4. Find what the columns become, and encode the rows
    preprocessor = start.preprocessor(training, categories, targets)
    training, validation = (inputs(rows, preprocessor, factors, targets, dtype) for rows in (training, validation))

    # 5. Resolve "auto", and draw the initial weights
    config = start.config(targets, n_rows, n_distinct, preprocessor)
    model = start.model(config, preprocessor, targets, dtype, output_dtype)

    # 6. Without scaling, set rows aside in the order of MLPClassifier's draws: after the weights
    if splits_late:
        training, validation = split_like_mlp(training, params["validation_fraction"], targets, rng)

    # 7. Plan which rows each member leaves out, fit the companion, and train
    plan = start.plan(config, training, validation)
    training = start.with_companion(model, plan, training)
    state = start.state(model, config)
    run = make_run(start, arguments, model, state, config, plan, training, validation)
    shuffled = training.X if config.shuffle and config.solver != "lbfgs" else None
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"), rows_in_random_order(shuffled):
        if config.solver == "lbfgs":
            train_by_lbfgs(run, state)
        else:
            train_by_steps(run, state)
        end_fold_phase_unless_interrupted(run)
    return finish(run, state)


def partial_fit(start, arguments):
    """Train on these rows for one epoch; return the `Model` and the `TrainingState` from which the next call continues."""
    # 1. Read the arguments: targets, rows that count, rows to score
    categories, targets, dtype, output_dtype, training, validation = read(start, arguments)
    factors, n_rows = class_factors(start.params["class_weight"], targets, training), len(training)

    # 2. Find what the columns become, and encode the rows
    preprocessor = start.preprocessor(training, categories, targets)
    training, validation = (inputs(rows, preprocessor, factors, targets, dtype) for rows in (training, validation))

    # 3. Resolve "auto", and draw or copy the weights
    config = start.config(targets, n_rows, n_rows, preprocessor)
    model = start.model(config, preprocessor, targets, dtype, output_dtype)

    # 4. Train
    plan = start.plan(config, training, validation)
    state = start.state(model, config)
    run = make_run(start, arguments, model, state, config, plan, training, validation)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        train_one_epoch(run, state)
    return finish(run, state)


def read(start, arguments):
    """The `Data` of these arguments; ValueError or TypeError if one is wrong."""
    params = start.params
    categories = start.categories(arguments.X)
    X, y = start.checked(arguments.X, arguments.y, categories)
    n_rows = X.shape[0]
    targets = start.targets(y, arguments)
    check_scoring_fits(params["scoring"], targets.kind)
    weights = check_sample_weight(arguments.sample_weight, n_rows)
    dtype = start.network_dtype(X, weights)
    groups = group_codes(arguments.groups, n_rows)
    training = samples(X, y, weights, targets, dtype, groups)
    validation = None
    if check_validation_pair(arguments.X_val, arguments.y_val, params["early_stopping"]):
        try:
            targets.check_names(arguments.y_val)
            X_val, y_val = start.checked_validation(arguments.X_val, arguments.y_val, categories)
            weights = check_sample_weight(arguments.sample_weight_val, X_val.shape[0])
            validation = samples(X_val, y_val, weights, targets, dtype)
        except ValueError as error:
            raise ValueError(f"In X_val, y_val or sample_weight_val: {error}") from error
    return Data(categories, targets, dtype, start.output_dtype(X), training, validation)


def samples(X, y, weights, targets, dtype, groups=None):
    """Checked X, y and weights, and the groups' numbers, as the rows that count: those of a weight above 0."""
    weights = weights_in(dtype, weights)
    if not isinstance(X, LazyRows) and not issparse(X) and is_large(X.shape, X.dtype):
        X = LazyRows.of(X)
    encoded_y = targets.encode(y, dtype)
    strata = targets.head.strata(encoded_y)
    return Samples(X, encoded_y, weights, row_numbers(X.shape[0]), strata, groups=groups).without_zero_weights()


def inputs(samples, preprocessor, factors, targets, dtype):
    """The samples, or None, as the network takes them, with their weights times the factors of their classes."""
    if samples is None:
        return None
    samples = encoded(samples, preprocessor, dtype)
    return samples if factors is None else weighted(samples, factors, targets.head, dtype)


def make_run(start, arguments, model, state, config, plan, training, validation):
    """The run of this call, with its callbacks and its scorer."""
    estimator, is_partial = start.estimator, start.is_partial
    name, n_epochs = ("partial_fit", None) if is_partial else ("fit", config.max_iter)
    attributes = partial(fitted_attributes, estimator, model, state, copied=True)
    so_far = partial(estimator_so_far, estimator, model, state)
    return Run(
        model,
        training,
        validation,
        plan,
        config,
        tasks=fit_tasks(estimator, name, n_epochs or 1, start.as_passed(arguments), attributes),
        score=make_score(config.scoring, estimator, so_far, arguments, validation),
        report=Report(config.verbose, n_epochs, "iteration" if config.solver == "lbfgs" else "epoch", plan.folds is not None),
        fold_epochs=planned_fold_epochs(config, plan.folds, validation, training.n_distinct),
        smoothing_prior=smoothing_prior(start, model, state, config, training),
    )


def smoothing_prior(start, model, state, config, training):
    """The targets that label smoothing moves all targets towards, (n_outputs,); None without smoothing.

    They are the mean target of these rows, or of all that partial_fit saw, and in a small part the same for all classes: so
    logits stay finite even where a class has nearly no weight.
    """
    if not config.label_smoothing:
        return None
    head, weight = model.head, training.total_weight
    state.target_sums = sums = start.target_sums(
        np.array([*(weight * head.frequencies(training.targets, training.weights)), weight])
    )
    mean = (1 - UNIFORM_SHARE) * sums[:-1] / sums[-1] + UNIFORM_SHARE * head.uniform_target
    return mean.astype(model.network.dtype)


def finish(run, state):
    """The model, calibrated, and the state, with what "auto" became; end the callbacks' task."""
    run.model.absorb_calibration()
    state.resolved = run.config.public(run.plan.dropout, run.plan.weight_decay, companion=run.model.companion)
    run.tasks.finish()
    return run.model, state
