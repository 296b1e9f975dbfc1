"""One call of fit or partial_fit, from checked rows to fitted attributes."""

import warnings
from functools import partial

import numpy as np
from scipy.sparse import issparse

from sksoftmax.data.class_weight import class_factors, weighted
from sksoftmax.data.columns import Categories
from sksoftmax.data.inputs import check_sample_weight, check_validation_pair, check_X_y, split_validation, without_zero_weights
from sksoftmax.data.preprocessing import Preprocessor, arithmetic, encoded
from sksoftmax.data.relevance import relevance_of_columns
from sksoftmax.data.rows import Rows, is_large, row_numbers
from sksoftmax.data.targets import classes_of, make_head, target_kind
from sksoftmax.nn.optimizers import make_optimizer
from sksoftmax.parameters import check_combination, layer_sizes, stops_early
from sksoftmax.training.callbacks import fit_tasks
from sksoftmax.training.committee import Mixture, member_folds, rows_of_members
from sksoftmax.training.progress import Progress
from sksoftmax.training.recipe import fold_epochs, new_network, resolved
from sksoftmax.training.run import INTERRUPTED, Run, Samples
from sksoftmax.training.scoring import check_scoring_fits, make_score

SETTLED = ("scaling", "categorical_features", "n_bins", "relevance", "parametrization")  # and dtype: by the first call


def public_attributes(encoder, network, progress):
    """The fitted attributes that tell what was learnt, from the parts that trained."""
    scored = bool(progress.validation_scores)
    return {
        "classes_": encoder.classes,
        "n_outputs_": encoder.head.n_outputs,
        "out_activation_": encoder.head.out_activation,
        "n_layers_": len(network.layer_units),
        "coefs_": list(network.coefs),
        "intercepts_": list(network.intercepts),
        "embeddings_": list(network.embeddings),
        "loss_": progress.loss,
        "loss_curve_": progress.loss_curve,
        "best_loss_": None if scored else progress.best_loss,
        "validation_loss_curve_": progress.validation_loss_curve if scored else None,
        "validation_scores_": progress.validation_scores if scored else None,
        "best_validation_score_": progress.best_score if scored else None,
        "best_iter_": progress.best_epoch + 1 if scored else None,
        "t_": progress.samples_seen,
    }


def settled(estimator, dtype):
    """The parameters that calls which go on may not change, by name, with what `dtype="auto"` stands for; an array as a list."""
    values = {name: getattr(estimator, name) for name in SETTLED}
    for name in ("categorical_features", "relevance"):
        if not isinstance(values[name], str | None):
            values[name] = np.asarray(values[name], dtype=object).ravel().tolist()
    return values | {"dtype": dtype if estimator.dtype == "auto" else estimator.dtype}


def cannot_go_on(name, value, began):
    """The error that says which parameter has changed since training began."""
    return ValueError(
        f"Training cannot go on with {name}={value!r}: it began with {began}. Undo the change, or fit anew with warm_start=False."
    )


def open_unless_interrupted(run):
    """Fit the mixture where training ended on folds; warn where the user interrupts."""
    try:
        run.open_folds()
    except KeyboardInterrupt:
        warnings.warn(INTERRUPTED)


class NetworkTrainer:
    """The training half of the estimator: it wires rows, network, solver and mixture, and publishes what they learnt."""

    def _check_params(self):
        self._validate_params()
        check_combination(self)

    def _train(self, X, y, given, preprocessor, encoder, rng, going_on, incremental=False):
        """Prepare rows, network and optimizer, run the solver, and publish what it learnt."""
        check_scoring_fits(self.scoring, encoder.kind)
        current = self._current_network(encoder) if going_on else None
        dtype = arithmetic(self.dtype, X, self.scaling, given.sample_weight) if current is None else current.dtype
        training, validation = self._rows(X, y, given, preprocessor, encoder, dtype, rng)
        options = resolved(self.get_params(deep=False), len(training), current)
        if going_on:
            network = self._copy_to_go_on_with(current, options)
        else:
            network = new_network(options, training.X, encoder, preprocessor, rng)
        if not incremental and validation is None and stops_early(self.early_stopping, len(training)):
            strata = encoder.strata(training.targets)
            training, validation = split_validation(training, self.validation_fraction, strata, rng)
        folds = None if going_on or incremental else member_folds(network, encoder, training.targets, rng)
        options.fold_epochs = fold_epochs(options.max_iter, folds, validation)
        parts = {
            "_encoder": encoder,
            "_preprocessor": preprocessor,
            "encoded_feature_names_": self._encoded_names(preprocessor),
            "relevance_": preprocessor.relevance,
        }
        run = self._run(network, training, validation, given, parts, options, incremental)
        run.folds, run.order = folds, rows_of_members(folds, network, len(training), rng)
        optimizer = self._solve(run, rng, going_on, incremental)
        vars(self).update(self._fitted_attributes(run, parts), _optimizer=optimizer, _random_state=rng)
        self._keep_training_state = incremental or self.warm_start
        run.tasks.finish()
        run.score = run.tasks.attributes = None  # what refers back to the run, and would keep its memory until Python tidies up
        return self

    def _rows(self, X, y, given, preprocessor, encoder, dtype, rng):
        """The rows to train on and those of the user to score, or None, as the network takes them."""
        samples = self._samples(X, y, given.sample_weight, encoder, dtype)
        if not preprocessor.is_fitted:
            ask = partial(relevance_of_columns, self.relevance, samples, kind=encoder.kind, rng=rng)
            preprocessor.fit(samples.X, samples.weights, ask)
        training = encoded(samples, preprocessor, dtype)
        validation = encoded(self._given_validation(given, preprocessor, encoder, dtype), preprocessor, dtype)
        factors = class_factors(self.class_weight, encoder, training)
        both = (weighted(rows, factors, encoder.head) for rows in (training, validation))
        return tuple(without_zero_weights(rows) for rows in both)

    def _run(self, network, training, validation, given, parts, options, incremental):
        """The run of this call, with its callbacks and its scorer."""
        going_on = parts["_encoder"] is getattr(self, "_encoder", None) and hasattr(self, "_progress")
        progress = self._progress.copy() if going_on else Progress()
        name, n_epochs = ("partial_fit", 1) if incremental else ("fit", options.max_iter)
        tasks = fit_tasks(self, name, n_epochs, given)
        head, equal = parts["_encoder"].head, Mixture.equal(network.n_members or 1)
        mixture = getattr(self, "_mixture", equal) if going_on else equal
        run = Run(network, head, training, validation, progress, options, tasks, mixture)
        run.score = make_score(self.scoring, self, partial(self._fitted_copy, run, parts), given, validation)
        tasks.attributes = partial(self._fitted_attributes, run, parts, copied=True)
        return run

    def _solve(self, run, rng, going_on, incremental):
        """Run the solver; return its optimizer, or None for L-BFGS."""
        optimizer = None if self.solver == "lbfgs" else make_optimizer(run.options, run.network)
        if optimizer and going_on:
            optimizer.resume(getattr(self, "_optimizer", None), keep_rate=incremental)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            if optimizer is None:
                run.lbfgs()
            elif incremental:
                run.one_epoch(optimizer, rng)
            else:
                run.epochs(optimizer, rng)
            if run.folds is not None:
                open_unless_interrupted(run)
        return optimizer

    def _samples(self, X, y, sample_weight, encoder, dtype):
        """Checked X and y and raw weights as the rows that count."""
        weights = check_sample_weight(sample_weight, X.shape[0], dtype)
        if not issparse(X) and is_large(X.shape, X.dtype):
            X = Rows.of(X)
        return without_zero_weights(Samples(X, encoder.encode(y, dtype), weights, row_numbers(X.shape[0])))

    def _given_validation(self, given, preprocessor, encoder, dtype):
        """The validation rows that the user passed, or None."""
        if not check_validation_pair(given.X_val, given.y_val, self.early_stopping):
            return None
        try:
            X_val, y_val = check_X_y(self, given.X_val, given.y_val, preprocessor, reset=False)
            return self._samples(X_val, y_val, given.sample_weight_val, encoder, dtype)
        except ValueError as error:
            raise ValueError(f"In X_val, y_val or sample_weight_val: {error}") from error

    def _fitted_copy(self, run, parts):
        """Copy the estimator as if training had ended here; its arrays go on changing."""
        fitted = object.__new__(type(self))
        vars(fitted).update(vars(self), **self._fitted_attributes(run, parts))
        return fitted

    def _fitted_attributes(self, run, parts, copied=False):
        """The attributes that make this estimator a fitted one, public and private."""
        network, progress = (run.network.copy(), run.progress.copy()) if copied else (run.network, run.progress)
        return {
            **parts,
            "_network": network,
            "_mixture": run.mixture,
            "_progress": progress,
            "_hidden_sizes": layer_sizes(self.hidden_layer_sizes),
            "_settled": settled(self, network.dtype.name),
            "_no_improvement_count": progress.stale_epochs,
            "n_iter_": run.n_done,
            "_optimizer": None,
            "_random_state": None,
            "_keep_training_state": False,
            **public_attributes(parts["_encoder"], network, progress),
        }

    def _encoded_names(self, preprocessor):
        names = getattr(self, "feature_names_in_", None)
        return preprocessor.get_feature_names_out([f"x{i}" for i in range(self.n_features_in_)] if names is None else names)

    def _preprocessor_for(self, X, going_on):
        """A new preprocessor; where training goes on that of the first call, which must have had the same parameters."""
        if not going_on:
            return Preprocessor(self.scaling, Categories.from_X(X, self.categorical_features), self.n_bins)
        began = getattr(self, "_settled", {})
        for name, value in settled(self, "auto").items():
            if value != began.get(name, value) and (name, value) != ("dtype", "auto"):
                raise cannot_go_on(name, value, repr(began[name]))
        return self._preprocessor

    def _copy_to_go_on_with(self, network, options):
        """A copy of the network with what is now asked for; ValueError if `hidden_layer_sizes` or `n_members` has changed."""
        sizes = layer_sizes(self.hidden_layer_sizes)
        network = network.copy()
        if sizes not in (getattr(self, "_hidden_sizes", sizes), list(network.layer_units[1:-1])):
            raise cannot_go_on("hidden_layer_sizes", self.hidden_layer_sizes, self._hidden_sizes)
        if options.n_members != network.n_members:
            began = f"{network.n_members or 1}, and solver={self.solver!r} trains {options.n_members or 1}"
            raise cannot_go_on("n_members", self.n_members, began if self.n_members == "auto" else network.n_members or 1)
        network.activation, network.dropout = options.activation, options.dropout
        return network

    def _check_same_outputs(self):
        """ValueError if `out_activation` asks for other output units than those there are."""
        encoder = self._encoder
        if type(make_head(encoder.kind, encoder.classes, self.out_activation)) is not type(encoder.head):
            raise cannot_go_on("out_activation", self.out_activation, f"{encoder.head.n_outputs} output unit(s)")

    def _same_encoder(self, y):
        """The encoder of the previous fit, for a warm start: y must have the same classes."""
        kind = self._encoder.kind if self._encoder.kind == "probabilities" and y.ndim == 2 else target_kind(y)
        classes = classes_of(y, kind)
        if kind != self._encoder.kind:
            raise ValueError(f"warm_start goes on with the same kind of y: it held {self._encoder.kind}, now {kind}.")
        self._check_same_outputs()
        if set(classes) != set(self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                f"Previously got {self.classes_}, `y` has {classes}"
            )
        return self._encoder
