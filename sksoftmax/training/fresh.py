"""Starts of training that make everything anew: columns, targets, network and optimizer, each by a method."""

from dataclasses import replace

from sksoftmax.data.column_warnings import warn_of_columns
from sksoftmax.data.columns import Categories
from sksoftmax.data.copies import find_copies
from sksoftmax.data.inputs import check_X_y
from sksoftmax.data.preprocessing import fit_preprocessor, network_dtype_for
from sksoftmax.data.relevance import MIN_ROWS, has_small_classes
from sksoftmax.data.sparse_columns import without_sparse_form
from sksoftmax.data.targets import Targets, column_names
from sksoftmax.model import Model
from sksoftmax.nn.ensemble_weights import EnsembleWeights
from sksoftmax.nn.optimizers import WeightAverage, make_optimizer
from sksoftmax.training.companion import fit_companion
from sksoftmax.training.config import TrainingConfig, new_network
from sksoftmax.training.ensemble import EnsemblePlan
from sksoftmax.training.progress import Progress
from sksoftmax.training.state import TrainingState, fixed_parameters


class Fresh:
    """The start of a call of fit.

    Parameters
    ----------
    estimator : SoftmaxMLPClassifier
        The estimator that is trained.

    params : dict
        Its parameters by name.

    rng : RandomState
        The generator of all random draws.
    """

    is_partial = False
    network = None

    def __init__(self, estimator, params, rng):
        self.estimator, self.params, self.rng = estimator, params, rng

    @property
    def may_be_continued(self):
        """Whether later calls may continue from the state of this one."""
        return self.params["warm_start"]

    def as_passed(self, arguments):
        """The arguments as callbacks get them."""
        return arguments

    def categories(self, X):
        """The categorical columns of the user's X."""
        return Categories.from_X(X, self.params["categorical_features"], reads_dates=self.params["scaling"] is not None)

    def checked(self, X, y, categories):
        """X as numbers, and y as labels or a matrix; scaled columns that have few zeros are dense."""
        X, y = self._checked(X, y, categories, reset=True)
        return (X if self.params["scaling"] is None else without_sparse_form(X)), y

    def checked_validation(self, X, y, categories):
        """The same for validation rows, which have the columns of X."""
        return self._checked(X, y, categories, reset=False)

    def _checked(self, X, y, categories, reset):
        return check_X_y(self.estimator, X, y, categories, self.params["scaling"] is not None, reset)

    def targets(self, y, arguments):
        """The `Targets` of the checked y."""
        return Targets.from_y(y, self.params["out_activation"], self.params["target_type"], column_names(arguments.y))

    def network_dtype(self, X, weights):
        """The dtype of the network, given the checked X and weights."""
        return network_dtype_for(self.params["dtype"], X, self.params["scaling"], weights)

    def output_dtype(self, X):
        """The name of the dtype of predictions."""
        return X.dtype.name if self.params["dtype"] == "auto" else self.params["dtype"]

    def with_copies(self, training, categories, targets):
        """The rows with the number of the distinct row of each, if rows are left out or "auto" depends on their number.

        Copies are groups, unless the user passed groups.
        """
        has_auto = any(isinstance(self.params[name], str) for name in ("max_iter", "dropout", "weight_decay"))
        if self.params["n_members"] == 1 and not has_auto:
            return training
        copies = find_copies(training, categories, len(targets.classes))
        return replace(training, copies=copies, groups=copies if training.groups is None else training.groups)

    def preprocessor(self, training, categories, targets):
        """The preprocessor that the training rows ask for; warn of uninformative columns."""
        return self._fit_preprocessor(training, categories, targets, self.params["relevance"], keeps_unseen=False)

    def _fit_preprocessor(self, training, categories, targets, relevance, keeps_unseen):
        preprocessor = fit_preprocessor(
            training,
            categories,
            scaling=self.params["scaling"],
            n_bins=self.params["n_bins"],
            relevance=relevance,
            kind=targets.kind,
            rng=self.rng,
            keeps_unseen=keeps_unseen,
        )
        if categories:
            warn_of_columns(preprocessor, training.X, getattr(self.estimator, "feature_names_in_", None))
        return preprocessor

    def config(self, targets, n_rows, n_distinct, preprocessor):
        """The configuration for this many rows, of which so many are distinct."""
        return TrainingConfig.resolve(
            self.params,
            n_rows,
            self.network,
            n_distinct=n_distinct,
            small_classes=has_small_classes(n_distinct, targets.head.n_outputs, targets.kind),
            n_columns=len(preprocessor.relevance),
            n_sparse=preprocessor.n_sparse_columns,
        )

    def model(self, config, preprocessor, targets, dtype, output_dtype):
        """The model with initial weights."""
        network = new_network(config, preprocessor, targets.head.n_outputs, dtype, self.rng)
        return Model(preprocessor, network, EnsembleWeights.equal(config.n_members), targets, output_dtype, companion=None)

    def plan(self, config, training, validation):
        """The plan of the rows that each member trains on, and of the folds that members leave out."""
        return EnsemblePlan.of(config, training, self.rng, config.has_folds(validation))

    def with_companion(self, model, plan, training):
        """The rows with the left-out logits of a companion, which the model gets; the rows unchanged if it gets none."""
        is_asked = self.params["companion"] == "auto" and self.params["scaling"] is not None
        if not is_asked or plan.folds is None:
            return training
        companion, left_out = fit_companion(model, training)
        if companion is not None:
            model.companion, model.ensemble_weights = companion, EnsembleWeights.equal(model.network.architecture.n_members + 1)
        return replace(training, companion=left_out)

    def state(self, model, config):
        """The state before training."""
        network = model.network
        return TrainingState(
            progress=Progress(),
            optimizer=make_optimizer(config, network, model.preprocessor.rates_of_codes),
            average=WeightAverage(network.parameters, config.ema_decay) if config.ema_decay else None,
            rng=self.rng,
            fixed=fixed_parameters(self.params, network.dtype.name),
            may_be_continued=self.may_be_continued,
            resolved=config.public(config.dropout, config.weight_decay, companion=model.companion),
        )

    def target_sums(self, sums):
        """The sums of targets and weights by which label smoothing counts: those of these rows."""
        return sums


class FreshPartial(Fresh):
    """The start of the first call of partial_fit.

    `weights` are coefs_, intercepts_ and embeddings_ that the user has set before, or None to draw them. Later calls may bring
    many more rows, so that few rows in this one decide nothing.
    """

    is_partial = True
    may_be_continued = True

    def __init__(self, estimator, params, rng, weights=None):
        super().__init__(estimator, params, rng)
        self.weights = weights

    def targets(self, y, arguments):
        """The `Targets` of the checked y and of `classes`."""
        out_activation, target_type = self.params["out_activation"], self.params["target_type"]
        return Targets.from_classes(y, arguments.classes, out_activation, target_type, column_names(arguments.y))

    def preprocessor(self, training, categories, targets):
        """The preprocessor that the first rows ask for, without a relevance that they are too few for."""
        relevance = self.params["relevance"]
        relevance = None if len(training) < MIN_ROWS and isinstance(relevance, str) else relevance
        return self._fit_preprocessor(training, categories, targets, relevance, keeps_unseen=True)

    def config(self, targets, n_rows, n_distinct, preprocessor):
        """The configuration for this many rows."""
        return TrainingConfig.resolve(self.params, n_rows, n_sparse=preprocessor.n_sparse_columns, is_partial=True)

    def model(self, config, preprocessor, targets, dtype, output_dtype):
        """The model with initial weights, or with those that the user has set."""
        model = super().model(config, preprocessor, targets, dtype, output_dtype)
        return model if self.weights is None else model.with_weights(*self.weights)

    def plan(self, config, training, validation):
        """The plan in which all members train on all rows."""
        return EnsemblePlan.of(config, training, self.rng, with_folds=False)
