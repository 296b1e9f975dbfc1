"""`SoftmaxMLPClassifier`: scikit-learn's contract, wired to the network, the heads and the training loop."""

import warnings
from functools import wraps
from math import isfinite
from types import SimpleNamespace

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.neural_network import MLPClassifier
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sksoftmax.conversion import parameters_from_sklearn, parameters_to_sklearn, state_from_sklearn, state_to_sklearn
from sksoftmax.inputs import (
    check_sample_weight,
    check_validation_pair,
    check_X,
    check_X_y,
    split_validation,
    without_zero_weights,
)
from sksoftmax.network import Network
from sksoftmax.optimizers import make_optimizer
from sksoftmax.parameters import PARAMETER_CONSTRAINTS, layer_sizes
from sksoftmax.targets import TargetEncoder, classes_of, make_head, target_kind
from sksoftmax.training import Progress, Run, Samples


def _unchanged_on_error(method):
    """Decorate a training method so that, if it raises, the estimator is what it was before the call.

    Training works on new objects, or on copies where it goes on; only attributes need to be put back.
    """

    @wraps(method)
    def wrapper(self, *args, **kwargs):
        before = dict(vars(self))
        try:
            return method(self, *args, **kwargs)
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            raise

    return wrapper


def _is_stochastic(estimator):
    if estimator.solver == "lbfgs":
        raise AttributeError("partial_fit is only available for stochastic optimizers. lbfgs is not stochastic.")
    return True


class SoftmaxMLPClassifier(ClassifierMixin, BaseEstimator):
    """Multi-layer perceptron classifier trained on the softmax cross-entropy.

    A drop-in for :class:`sklearn.neural_network.MLPClassifier`: the same parameters, attributes and defaults, with more
    activations, schedules and targets, on NumPy and SciPy alone.

    Parameters
    ----------
    hidden_layer_sizes : int or array-like of shape (n_layers - 2,), default=(100,)
        Number of units in each hidden layer. An empty tuple means none: softmax regression.

    activation : {'identity', 'relu', 'leaky_relu', 'elu', 'selu', 'tanh', 'logistic', 'softplus', 'silu', 'gelu', \
            'mish'}, default='relu'
        Activation function of the hidden layers. 'leaky_relu' has slope 0.1 below 0; 'silu' is also called swish.

    solver : {'lbfgs', 'sgd', 'adam'}, default='adam'
        'sgd' is stochastic gradient descent with momentum, 'adam' the method of [1]_, 'lbfgs' a quasi-Newton method on
        all rows at once, which suits small data.

    alpha : float, default=0.0001
        Strength of the L2 penalty on the weights (not the biases), ½ · alpha · Σ W² / n, where n is the number of rows
        (or the sum of their weights) in the batch.

    batch_size : int or 'auto', default='auto'
        Rows in a minibatch of 'sgd' and 'adam'; never more than there are. 'auto' means min(200, n_samples).

    learning_rate : {'constant', 'invscaling', 'adaptive', 'cosine', 'one_cycle', 'coslog4'}, default='constant'
        How the learning rate changes from `learning_rate_init`.

        - 'constant': not at all.
        - 'invscaling': `learning_rate_init` / (t + 1) ** `power_t` after t rows, once an epoch. 'sgd' only; without
          effect for 'adam', as in MLPClassifier.
        - 'adaptive': divided by 5 whenever `n_iter_no_change` epochs bring no improvement by `tol`; training ends when
          that happens at a rate of 1e-6 or lower. 'sgd' only, likewise.
        - 'cosine', 'one_cycle', 'coslog4': planned over `max_iter` epochs, step by step, for 'sgd' and 'adam' ([3]_,
          [4]_, [5]_). They run to their end: `tol` does not stop them unless `early_stopping` is on. In `partial_fit`,
          which knows no end, the rate is `learning_rate_init`.

    learning_rate_init : float, default=0.001
        The learning rate at the start, or the highest of a planned schedule. For 'sgd' and 'adam'.

    power_t : float, default=0.5
        The exponent of 'invscaling'.

    max_iter : int, default=200
        Highest number of epochs (passes over the data) of 'sgd' and 'adam', or of iterations of 'lbfgs'.

    shuffle : bool, default=True
        Whether rows are shuffled before each epoch. For 'sgd' and 'adam'.

    random_state : int, RandomState instance or None, default=None
        Determines the initial weights, the validation split and the order of rows. None gives another model each time.

    tol : float, default=1e-4
        An epoch counts as an improvement if it betters the best loss, or validation score, by `tol`. For 'lbfgs', the
        size of the largest component of the gradient at which training ends.

    verbose : bool or int, default=False
        Whether to print the loss, and the validation score, of each epoch or iteration.

    warm_start : bool, default=False
        Whether `fit` goes on from the weights (and the optimizer's moments) of the previous call.

    momentum : float, default=0.9
        Momentum of 'sgd', between 0 and 1.

    nesterovs_momentum : bool, default=True
        Whether 'sgd' uses Nesterov's momentum.

    early_stopping : bool, default=False
        Whether to set `validation_fraction` of the rows aside, stop when the accuracy on them stops improving, and return
        the weights of the best epoch. The split is stratified for two classes. Rows of your own, `X_val` and `y_val` in
        `fit`, take the place of the split; `partial_fit` needs them.

    validation_fraction : float, default=0.1
        Fraction of the rows set aside, in (0, 1), where `early_stopping` is on.

    beta_1 : float, default=0.9
        Decay rate of the first moment of 'adam', in [0, 1).

    beta_2 : float, default=0.999
        Decay rate of the second moment of 'adam', in [0, 1).

    epsilon : float, default=1e-8
        Keeps the division of 'adam' finite.

    n_iter_no_change : int or inf, default=10
        Training of 'sgd' and 'adam', and of 'lbfgs' with `early_stopping`, ends after more than this many epochs in a row
        without improvement.

    max_fun : int, default=15000
        Highest number of evaluations of the loss by 'lbfgs'.

    out_activation : {'auto', 'softmax'}, default='auto'
        'auto' is MLPClassifier's rule: softmax over K units for K > 2 classes, one logistic unit for two, independent
        logistic units for multilabel targets. 'softmax' takes K units for two classes too (and changes nothing for
        multilabel targets, whose classes do not exclude each other).

    weight_decay : float, default=0.0
        Strength of the decoupled weight decay [2]_ of 'sgd' and 'adam': each step also shrinks the weights (not the
        biases) by learning rate × `weight_decay`. Apart from `alpha`, which acts through the gradient.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class labels in the order of the outputs; column numbers for multilabel targets and class probabilities.

    coefs_ : list of ndarray of shape (fan_in, fan_out)
        Weights of each layer: views of one flat vector. Arrays put here by hand are used from then on.

    intercepts_ : list of ndarray of shape (fan_out,)
        Biases of each layer, likewise.

    loss_ : float
        Training loss, penalty included, of the epoch whose weights are kept.

    best_loss_ : float or None
        Lowest loss of an epoch; None with `early_stopping`.

    loss_curve_ : list of float
        Loss of each epoch (weighted mean over its batches) or iteration.

    validation_scores_ : list of float or None
        Validation accuracy of each epoch or iteration; None where the last call had no validation rows.

    best_validation_score_ : float or None
        Highest of these; its weights are kept once `fit` ends, or `partial_fit` has stopped. None without `early_stopping`.

    t_ : int
        Number of training rows seen, repetitions counted; 0 for 'lbfgs'.

    n_iter_ : int
        Number of epochs or iterations of the last call of `fit`; 1 after `partial_fit`.

    n_layers_ : int
        Number of layers, input and output included.

    n_outputs_ : int
        Number of output units.

    out_activation_ : {'softmax', 'logistic'}
        Activation of the output units.

    n_features_in_ : int
        Number of columns of X in `fit`.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns of X, where X was a DataFrame with string names.

    See Also
    --------
    sklearn.neural_network.MLPClassifier : The original.
    sklearn.linear_model.LogisticRegression : The same model without hidden layers.

    Notes
    -----
    `sksoftmax.loss` derives the gradient that all training here starts from: at the logits, the derivative of the
    softmax cross-entropy is p − y.

    float32 input is computed in float32, everything else in float64. A row of weight 0 is left out, as if it were absent.

    A pickle holds the parameters once. The optimizer's moments and the random generator go with it after `partial_fit` or
    under `warm_start`; after a plain `fit` they are left out.

    References
    ----------
    .. [1] Kingma & Ba (2014), "Adam: A method for stochastic optimization", :arxiv:`1412.6980`.
    .. [2] Loshchilov & Hutter (2019), "Decoupled weight decay regularization", :arxiv:`1711.05101`.
    .. [3] Loshchilov & Hutter (2017), "SGDR: Stochastic gradient descent with warm restarts", :arxiv:`1608.03983`.
    .. [4] Smith & Topin (2017), "Super-convergence", :arxiv:`1708.07120`.
    .. [5] Holzmüller et al. (2024), "Better by default", :arxiv:`2407.04491`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sksoftmax import SoftmaxMLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = make_pipeline(StandardScaler(), SoftmaxMLPClassifier((16,), solver="lbfgs", tol=1e-2, random_state=0))
    >>> clf.fit(X, y).score(X, y) > 0.95
    True
    >>> clf.predict_proba(X[:1]).round(1)
    array([[1., 0., 0.]])
    """

    _parameter_constraints = PARAMETER_CONSTRAINTS
    loss = "log_loss"

    def __init__(
        self,
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        solver="adam",
        alpha=0.0001,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=0.001,
        power_t=0.5,
        max_iter=200,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        validation_fraction=0.1,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        n_iter_no_change=10,
        max_fun=15000,
        out_activation="auto",
        weight_decay=0.0,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.out_activation = out_activation
        self.weight_decay = weight_decay

    @classmethod
    def from_sklearn(cls, mlp):
        """Make the same model from scikit-learn's MLPClassifier.

        Trained from the same `random_state` it follows the same loss curve; where MLPClassifier's behaviour is a defect it
        differs (the README lists where).

        Parameters
        ----------
        mlp : MLPClassifier
            Fitted or not.

        Returns
        -------
        SoftmaxMLPClassifier
            The same hyper-parameters, with everything that MLPClassifier lacks switched off; where `mlp` is fitted, the same
            weights, classes and curves, so that predictions are equal and `partial_fit` goes on.

        Raises
        ------
        TypeError
            If `mlp` is not an MLPClassifier.
        """
        self = cls(**parameters_from_sklearn(mlp))
        if hasattr(mlp, "coefs_"):
            options = SimpleNamespace(**self.get_params(deep=False))
            self._encoder, self._network, self._optimizer, self._progress = state_from_sklearn(mlp, options)
            self._keep_training_state = mlp.warm_start or mlp.n_iter_ == 1 or len(self._progress.loss_curve) > mlp.n_iter_
            for name in ("n_features_in_", "feature_names_in_", "n_iter_"):
                if hasattr(mlp, name):
                    setattr(self, name, getattr(mlp, name))
            self._publish()
        return self

    def to_sklearn(self):
        """Make the same model of scikit-learn's MLPClassifier.

        Returns
        -------
        MLPClassifier
            The same hyper-parameters and, where fitted, weights, classes and curves. Its optimizer starts afresh.

        Raises
        ------
        ValueError
            If a parameter or the fitted model has no counterpart there; the message names it.
        """
        mlp = MLPClassifier(**parameters_to_sklearn(self))
        return state_to_sklearn(self, mlp) if self.__sklearn_is_fitted__() else mlp

    @_unchanged_on_error
    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
        """Train the network.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Finite numbers. float32 stays float32.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Labels of any type; or a 0/1 indicator matrix (multilabel); or a float matrix whose rows are class
            probabilities and sum to 1.

        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights: a row of weight 2 counts as two rows, one of weight 0 as none. None weighs all alike.

        X_val : {array-like, sparse matrix} of shape (n_val, n_features), default=None
            Rows to score for early stopping, in place of a part of X. In a `Pipeline`, `transform_input=["X_val"]` has it
            transformed like X. None sets `validation_fraction` of X aside where `early_stopping` is on.

        y_val : array-like of shape (n_val,) or (n_val, n_outputs), default=None
            Targets of `X_val`; needed with it.

        sample_weight_val : array-like of shape (n_val,), default=None
            Weights of the rows of `X_val`. None weighs all alike.

        Returns
        -------
        self : SoftmaxMLPClassifier
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter, X, y or sample_weight is not as described, or numbers in X are so large that no loss is finite.

        Warns
        -----
        ConvergenceWarning
            If `max_iter` came before any stopping rule; or if training diverged, when the last good weights are kept.
        """
        self._validate_params()
        going_on = self.warm_start and self.__sklearn_is_fitted__()
        X, y = check_X_y(self, X, y, reset=not going_on)
        encoder = self._same_encoder(y) if going_on else TargetEncoder.from_y(y, self.out_activation)
        rng = check_random_state(self.random_state)
        return self._train(X, y, sample_weight, encoder, rng, going_on, (X_val, y_val, sample_weight_val))

    @available_if(_is_stochastic)
    @_unchanged_on_error
    def partial_fit(self, X, y, sample_weight=None, classes=None, *, X_val=None, y_val=None, sample_weight_val=None):
        """Train for one epoch on the given rows, going on from what was learnt before.

        Weights, the optimizer's moments and the random generator go on from call to call; under a planned schedule the rate is
        `learning_rate_init`. A call that raises or is interrupted leaves the estimator as it was.

        With `early_stopping`, pass `X_val` and `y_val`: each call then scores them, and when more than `n_iter_no_change` calls
        in a row brought no improvement by `tol`, the best weights are restored, and a warning says that further calls will not
        train.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Finite numbers.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets, as in `fit`.

        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights. None weighs all rows alike.

        classes : array-like of shape (n_classes,), default=None
            All labels that will ever occur; needed in the first call where y holds labels. None afterwards.

        X_val : {array-like, sparse matrix} of shape (n_val, n_features), default=None
            Rows to score for early stopping. None scores nothing.

        y_val : array-like of shape (n_val,) or (n_val, n_outputs), default=None
            Targets of `X_val`; needed with it.

        sample_weight_val : array-like of shape (n_val,), default=None
            Weights of the rows of `X_val`. None weighs all alike.

        Returns
        -------
        self : SoftmaxMLPClassifier
            The trained estimator.

        Raises
        ------
        ValueError
            If an argument is not as described, or y has a label that is not in `classes`.
        """
        self._validate_params()
        if self.early_stopping and X_val is None and y_val is None:
            warnings.warn("early_stopping=True has no effect in partial_fit without X_val and y_val, the rows to score.")
        first = not hasattr(self, "_encoder")
        X, y = check_X_y(self, X, y, reset=first)
        encoder = TargetEncoder.from_classes(y, classes, self.out_activation) if first else self._encoder
        if not first:
            encoder.check_classes(classes)
        rng = getattr(self, "_random_state", None) or check_random_state(self.random_state)
        given = (X_val, y_val, sample_weight_val)
        return self._train(X, y, sample_weight, encoder, rng, hasattr(self, "coefs_"), given, incremental=True)

    def predict(self, X):
        """Predict classes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Finite numbers.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The most probable label of each row; a 0/1 matrix for multilabel targets.
        """
        logits = self._logits(X)
        return self._encoder.head.predict(logits)

    def predict_proba(self, X):
        """Predict probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Finite numbers.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities in the order of `classes_`; each row sums to 1, except for multilabel targets, where each
            column is the probability of its label.
        """
        logits = self._logits(X)
        return self._encoder.head.probabilities(logits)

    def predict_log_proba(self, X):
        """Predict the logarithms of the probabilities, by log-softmax: finite where a probability rounds to 0.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Finite numbers.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Log-probabilities in the order of `classes_`.
        """
        logits = self._logits(X)
        return self._encoder.head.log_probabilities(logits)

    def decision_function(self, X):
        """Logits: what the softmax or the logistic function is applied to.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Finite numbers.

        Returns
        -------
        ndarray of shape (n_samples, n_classes) or (n_samples,)
            Logits in the order of `classes_`; for two classes the log-odds of the second.
        """
        logits = self._logits(X)
        return self._encoder.head.decision(logits)

    def _logits(self, X):
        if not self.__sklearn_is_fitted__():
            check_is_fitted(self)
        with np.errstate(over="ignore", invalid="ignore"):
            X = check_X(self, X)
            logits = self._current_network(self._encoder).logits(X)
            finite = isfinite(np.add.reduce(logits, axis=None)) or np.isfinite(logits).all()
        if not finite:
            if not all(np.isfinite(array).all() for array in self.coefs_ + self.intercepts_):
                raise ValueError("coefs_ or intercepts_ hold numbers that are not finite.")
            row = int(np.flatnonzero(~np.isfinite(logits).all(axis=1))[0])
            raise ValueError(
                f"The network's output overflows in row {row} of X, whose largest value is {abs(X[[row]]).max():.3g}. "
                "Scale X as it was scaled for fit."
            )
        return logits

    def _train(self, X, y, sample_weight, encoder, rng, going_on, given_validation, incremental=False):
        """Prepare samples, network and optimizer, run the solver, and publish what it learnt."""
        network = self._copy_to_go_on_with(encoder) if going_on else self._new_network(X, encoder, rng)
        training = self._samples(X, y, sample_weight, encoder, network.dtype)
        validation = self._given_validation(*given_validation, encoder, network.dtype)
        if self.early_stopping and validation is None and not incremental:
            strata = encoder.strata(training.targets)
            training, validation = split_validation(training, self.validation_fraction, strata, rng)
        options = SimpleNamespace(**self.get_params(deep=False))
        progress = self._progress.copy() if going_on and hasattr(self, "_progress") else Progress()
        optimizer = None if self.solver == "lbfgs" else make_optimizer(options, network)
        if optimizer and going_on:
            optimizer.resume(getattr(self, "_optimizer", None), keep_rate=incremental)
        run = Run(network, encoder.head, training, validation, progress, options)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            if optimizer is None:
                run.lbfgs()
            elif incremental:
                run.one_epoch(optimizer, rng)
            else:
                run.epochs(optimizer, rng)
        self._encoder, self._network, self._optimizer, self._progress = encoder, network, optimizer, progress
        self._random_state, self._keep_training_state = rng, incremental or self.warm_start
        self.n_iter_ = 1 if incremental else run.n_done
        return self._publish()

    def _samples(self, X, y, sample_weight, encoder, dtype):
        """Checked X and y and raw weights as the rows that count, in the network's dtype."""
        X = X.astype(dtype, copy=False)
        return without_zero_weights(Samples(X, encoder.encode(y, dtype), check_sample_weight(sample_weight, X)))

    def _given_validation(self, X_val, y_val, sample_weight_val, encoder, dtype):
        """The validation rows that the user passed, or None."""
        if not check_validation_pair(X_val, y_val, self.early_stopping):
            return None
        try:
            X_val, y_val = check_X_y(self, X_val, y_val, reset=False)
            return self._samples(X_val, y_val, sample_weight_val, encoder, dtype)
        except ValueError as error:
            raise ValueError(f"In X_val, y_val or sample_weight_val: {error}") from error

    def _publish(self):
        """Set the fitted attributes from the parts that trained."""
        encoder, network, progress = self._encoder, self._network, self._progress
        self._hidden_sizes = layer_sizes(self.hidden_layer_sizes)
        self.classes_ = encoder.classes
        self.n_outputs_ = encoder.head.n_outputs
        self.out_activation_ = encoder.head.out_activation
        self.n_layers_ = len(network.layer_units)
        self.coefs_, self.intercepts_ = list(network.coefs), list(network.intercepts)
        self.loss_curve_, self.loss_, self.t_ = progress.loss_curve, progress.loss, progress.samples_seen
        scored = bool(progress.validation_scores)
        self.validation_scores_ = progress.validation_scores if scored else None
        self.best_validation_score_ = progress.best_score if scored else None
        self.best_loss_ = None if scored else progress.best_loss
        self._no_improvement_count = progress.stale_epochs
        return self

    def _new_network(self, X, encoder, rng):
        units = [X.shape[1], *layer_sizes(self.hidden_layer_sizes), encoder.head.n_outputs]
        network = Network(units, self.activation, X.dtype)
        network.initialize(rng)
        return network

    def _copy_to_go_on_with(self, encoder):
        """A copy of the current network with the activation now asked for; ValueError if `hidden_layer_sizes` has changed."""
        sizes = layer_sizes(self.hidden_layer_sizes)
        network = self._current_network(encoder).copy()
        if sizes not in (getattr(self, "_hidden_sizes", sizes), list(network.layer_units[1:-1])):
            raise ValueError(
                f"Training cannot go on with hidden_layer_sizes={self.hidden_layer_sizes!r}: it began with {self._hidden_sizes}. "
                "Undo the change, or fit anew with warm_start=False."
            )
        network.activation = self.activation
        return network

    def _current_network(self, encoder):
        """The network behind `coefs_` and `intercepts_`; a new one if other arrays were put there by hand."""
        network = getattr(self, "_network", None)
        if network is not None and network.holds(self.coefs_, self.intercepts_):
            return network
        activation = self.activation if network is None else network.activation
        ends = (self.n_features_in_, encoder.head.n_outputs)
        return Network.from_arrays(self.coefs_, self.intercepts_, activation, *ends)

    def _same_encoder(self, y):
        """The encoder of the previous fit, for a warm start: y must have the same classes."""
        kind = self._encoder.kind if self._encoder.kind == "probabilities" and y.ndim == 2 else target_kind(y)
        classes = classes_of(y, kind)
        if kind != self._encoder.kind:
            raise ValueError(f"warm_start goes on with the same kind of y: it held {self._encoder.kind}, now {kind}.")
        if type(make_head(kind, self.classes_, self.out_activation)) is not type(self._encoder.head):
            raise ValueError(f"warm_start goes on with the same output units: out_activation={self.out_activation!r} has others.")
        if set(classes) != set(self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                f"Previously got {self.classes_}, `y` has {classes}"
            )
        return self._encoder

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_encoder")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.classifier_tags.multi_label = True
        return tags

    def __getstate__(self):
        """The parameters once, as the network's flat vector; what only training needs goes only if it is to go on."""
        state = dict(super().__getstate__())
        if self.__sklearn_is_fitted__():
            state["_network"] = self._current_network(self._encoder)
            del state["coefs_"], state["intercepts_"]
            if not self._keep_training_state:
                for name in ("_optimizer", "_random_state"):
                    state.pop(name, None)
        return state

    def __setstate__(self, state):
        super().__setstate__(state)
        if self.__sklearn_is_fitted__():
            self.coefs_, self.intercepts_ = list(self._network.coefs), list(self._network.intercepts)
