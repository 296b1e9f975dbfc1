"""`SoftmaxMLPClassifier`: scikit-learn's contract. `fitting` has its training half, `prediction` the other."""

import warnings
from collections.abc import Callable, Sequence
from functools import wraps
from numbers import Integral
from typing import Any, Literal, Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.neural_network import MLPClassifier
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if

from sksoftmax.conversion import parameters_from_sklearn, parameters_to_sklearn, state_from_sklearn, state_to_sklearn
from sksoftmax.data.columns import Categories
from sksoftmax.data.inputs import Given, check_X_y
from sksoftmax.data.preprocessing import Preprocessor
from sksoftmax.data.targets import TargetEncoder
from sksoftmax.hints import Activation, Floats, LayerSizes, MatrixLike, Method, OutActivation, RandomState, Schedule, Solver
from sksoftmax.parameters import PARAMETER_CONSTRAINTS, layer_sizes
from sksoftmax.prediction import NetworkPredictor
from sksoftmax.training.callbacks import CallbackSupportMixin, with_callbacks
from sksoftmax.training.committee import Mixture
from sksoftmax.training.fitting import NetworkTrainer, public_attributes, settled
from sksoftmax.training.recipe import resolved

BALANCED_IN_PARTS = (
    "class_weight='balanced' is not supported for partial_fit, which sees only a part of y. Compute the weights from all of y "
    "with sklearn.utils.class_weight.compute_class_weight('balanced', ...) and pass them as a dict."
)


def _unchanged_on_error(method: Method) -> Method:
    """Decorate a training method so that, if it raises, the estimator is what it was before the call.

    Training works on new objects, or on copies where it goes on; only attributes need to be put back, and the state of a random
    generator of the estimator's own: one that it made from a seed.
    """

    @wraps(method)
    def wrapper(self, *args, **kwargs):
        before = dict(vars(self))
        rng = before.get("_random_state") if isinstance(self.random_state, Integral) else None
        rng_state = rng and rng.get_state(legacy=False)
        try:
            return method(self, *args, **kwargs)
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            if rng:
                rng.set_state(rng_state)
            raise

    return cast(Method, wrapper)


def _is_stochastic(estimator: Any) -> bool:
    if estimator.solver == "lbfgs":
        raise AttributeError("partial_fit is only available for stochastic optimizers. lbfgs is not stochastic.")
    return True


_available_if_stochastic: Callable[[Method], Method] = available_if(_is_stochastic)


class SoftmaxMLPClassifier(CallbackSupportMixin, NetworkTrainer, NetworkPredictor, ClassifierMixin, BaseEstimator):
    """Multi-layer perceptron classifier trained on the softmax cross-entropy.

    A drop-in for :class:`sklearn.neural_network.MLPClassifier` on NumPy and SciPy alone: its parameters and attributes under the
    same names, raw columns, and defaults that were chosen by measurement on real data. `from_sklearn` gives MLPClassifier's
    defaults and behaviour.

    Parameters
    ----------
    hidden_layer_sizes : int, array-like of shape (n_layers - 2,) or str, default=(128, 128)
        Number of units in each hidden layer. An empty tuple means none: softmax regression. A string like '256-128' says the
        same as (256, 128), for search spaces that cannot hold tuples.

    activation : {'identity', 'relu', 'leaky_relu', 'elu', 'selu', 'tanh', 'logistic', 'softplus', 'silu', 'gelu', \
            'mish'} or list of these, default='relu'
        Activation function of the hidden layers, or a list with one for each. 'leaky_relu' has slope 0.1 below 0; 'silu' is
        also called swish.

    solver : {'lbfgs', 'sgd', 'adam'}, default='adam'
        'sgd' is stochastic gradient descent with momentum, 'adam' the method of [1]_, 'lbfgs' a quasi-Newton method on
        all rows at once, which suits small data.

    alpha : float, default=0.0
        Strength of the L2 penalty on the weights, embeddings included (not the biases), ½ · alpha · Σ W² / n, where n is the
        number of rows (or the sum of their weights) in the batch.

    batch_size : int or 'auto', default='auto'
        Rows in a minibatch of 'sgd' and 'adam'; never more than there are. 'auto' means 200 with `parametrization='standard'`;
        with 'ntk' 64, from 10,000 rows on 128, and below 100 rows all.

    learning_rate : {'constant', 'invscaling', 'adaptive', 'cosine', 'one_cycle', 'coslog4'} or callable, default='cosine'
        How the learning rate changes from `learning_rate_init`.

        - 'constant': not at all.
        - 'invscaling': `learning_rate_init` / (t + 1) ** `power_t` after t rows, once an epoch. 'sgd' only; without
          effect for 'adam', as in MLPClassifier.
        - 'adaptive': divided by 5 whenever `n_iter_no_change` epochs bring no improvement by `tol`; training ends when
          that happens at a rate of 1e-6 or lower. 'sgd' only, likewise.
        - 'cosine', 'one_cycle', 'coslog4': planned over `max_iter` epochs, step by step, for 'sgd' and 'adam' ([3]_,
          [4]_, [5]_), in a committee once on folds and once on all rows (see `n_members`). They run to their end: `tol` does
          not stop them unless `early_stopping` is on. In `partial_fit`, which knows no end, the rate is `learning_rate_init`.
        - a function of progress, from 0 at the first step to almost 1 at the last: likewise, with the factor that it returns.

    learning_rate_init : float, default=0.01
        The learning rate at the start, or the highest of a planned schedule. For 'sgd' and 'adam'.

    power_t : float, default=0.5
        The exponent of 'invscaling'.

    max_iter : int or 'auto', default='auto'
        Highest number of epochs (passes over the data) of 'sgd' and 'adam', or of iterations of 'lbfgs'. 'auto' is 50 epochs,
        36 for one network, more where they have fewer than 250 steps and fewer where they have more than 7,000; 200 iterations
        for 'lbfgs'.

    shuffle : bool, default=True
        Whether rows are shuffled before each epoch. For 'sgd' and 'adam'.

    random_state : int, RandomState instance or None, default=None
        Determines the initial weights, the validation split and the order of rows. None gives another model each time.

    tol : float, default=1e-4
        An epoch counts as an improvement if it betters the best loss, or validation score, by `tol`. For 'lbfgs', the
        size of the largest component of the gradient at which training ends.

    verbose : bool or int, default=False
        What to print of each epoch or iteration: 1 or True MLPClassifier's lines, 2 the row of a table with the losses, the
        validation score, the learning rate and the seconds since the start.

    warm_start : bool, default=False
        Whether `fit` goes on from the weights (and the optimizer's moments) of the previous call. Then, as between calls of
        `partial_fit`, parameters that have changed act from now on, `activation` and `solver` too (another solver begins
        without moments); those that the first call has settled may not change: `hidden_layer_sizes`, `n_members`,
        `out_activation`, `dtype`, `parametrization`, `scaling`, `categorical_features`, `n_bins` and `relevance`.

    momentum : float, default=0.9
        Momentum of 'sgd', between 0 and 1.

    nesterovs_momentum : bool, default=True
        Whether 'sgd' uses Nesterov's momentum.

    early_stopping : bool or 'auto', default=False
        Whether to set `validation_fraction` of the rows aside, stop when the `scoring` on them stops improving, and return
        the weights of the best epoch. The split is stratified for two classes. Rows of your own, `X_val` and `y_val` in
        `fit`, take the place of the split; `partial_fit` needs them. 'auto' is on where there are more than 10,000 rows to
        train on, or rows of your own.

    validation_fraction : float, default=0.1
        Fraction of the rows set aside, in (0, 1), where `early_stopping` is on.

    beta_1 : float, default=0.9
        Decay rate of the first moment of 'adam', in [0, 1).

    beta_2 : float, default=0.95
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

    weight_decay : float or 'auto', default='auto'
        Strength of the decoupled weight decay [2]_ of 'sgd' and 'adam': each step also shrinks the weights and embeddings (not
        the biases) by learning rate × `weight_decay`. Apart from `alpha`, which acts through the gradient. 'auto' is 0.2 for half
        of the members and 1 for the others, 0.5 for a single network, and 0 for 'lbfgs'.

    class_weight : dict, 'balanced', list of dict or None, default=None
        Weights of the classes, by which those of their rows are multiplied: {class: weight}, 1 where a class is not named.
        'balanced' means n_samples / (n_classes × the class's rows), counted in sample weights; not in `partial_fit`. For
        multilabel targets a list with a dict {0: weight, 1: weight} for each label, whose factors are multiplied. Under soft
        labels, whose classes are column numbers, a row gets the mean. Validation rows are weighted too. None means 1.

    scoring : str or callable, default='accuracy'
        What `early_stopping` looks at on the validation rows: 'accuracy', 'loss' (minus the cross-entropy), the name of
        another scorer of scikit-learn, or a callable with the signature scorer(estimator, X, y). Higher is better.

    restore_best : bool, default=True
        Whether the weights of the epoch with the highest validation score are returned, rather than the last.

    dropout : float, list of float or 'auto', default='auto'
        Probability, in [0, 1), with which each output of a hidden layer is dropped in a training step of 'sgd' or 'adam'
        (inverted dropout [6]_), or a list with one for each hidden layer. 'auto' is 0.05 for half of the members and 0.3, or 0.2
        with bins, for the others, 0.15 for a single network, times √(2,000 / n) where rows are more; 0 below 100 rows and for
        'lbfgs'. After the folds likewise.

    label_smoothing : float, default=0.05
        Share ε of each training target, in [0, 1), that is spread evenly over the classes: y becomes (1 − ε) y + ε / K, or
        ε / 2 for logistic units [7]_. Validation losses are those of the targets as they are.

    clip_norm : float or None, default=None
        Length to which a longer gradient is cut in a step of 'sgd' or 'adam'. None never cuts it.

    ema_decay : float, default=0.0
        Decay rate d in [0, 1) of an exponential moving average of the weights over the steps of 'sgd' or 'adam': the averaged
        weights are the ones evaluated and returned, while training goes on from those that are not. 0 averages nothing.

    warmup : float, default=0.0
        Fraction of `max_iter` epochs, in [0, 1), over which the learning rate first rises linearly from 0, for 'sgd' and
        'adam'; a planned schedule takes the rest. Without effect in `partial_fit`.

    scaling : {'robust', 'standard'} or None, default='robust'
        How numeric columns are scaled, and that missing values (NaN, None, pandas.NA) are accepted: they take the column's
        median (or mean), and a column of 0 and 1 flags them where `fit` saw any. 'robust' divides the distance from the median
        by the quartile range and bends what is far smoothly back to within ±3 [5]_; 'standard' is the distance from the mean
        in standard deviations. Sparse input is divided by its largest absolute values, and not centred. What is learnt in the
        first call of `partial_fit` stays. Above 100,000 rows, or 100 million numbers, quantiles, means and deviations (of
        `n_bins` too) come from a sample of so many, one row from each of equal stretches, always the same; flags, ranges and
        categories come from all rows. None leaves numbers as they are and refuses missing ones.

    categorical_features : 'from_dtype', array-like of bool, int or str of shape (n_features,), or None, default='from_dtype'
        Columns whose values are categories: a mask, positions or names; 'from_dtype' takes the columns of a pandas or polars
        frame that hold categories, strings or booleans. Up to 255 categories in `fit` become a column of 0 and 1 each, or one of
        −1 and 1 for two; other categories, and missing values, are zeros there. Where there are more, those of a single row
        count as unknown (whole-numbered weights count rows), and if more than 255 remain, each of them is a learned vector of 8
        numbers, an embedding, for the 65,536 most frequent at most. What is unknown or missing has a vector of its own. With
        'adam' and 'sgd' the vector of n rows learns at n / (n + 50) times the rate, so that what is rare stays near 0. None takes
        all columns for numbers.

    dtype : {'auto', 'float32', 'float64'}, default='auto'
        Floating-point format of the network. 'auto' is float32 where X is, and where `scaling` is on and `fit` sees 100 rows or
        more; else float64.

    parametrization : {'standard', 'ntk'}, default='ntk'
        'standard' draws the initial weights after Glorot, and all layers learn at `learning_rate_init`. 'ntk' draws them from
        N(0, 1 / fan_in), biases from N(0, 1), and begins the output layer at 0; a layer learns at `learning_rate_init` ×
        √(100 / fan_in), as in the neural tangent parametrisation, so that one rate suits layers of any width.

    n_members : int or 'auto', default='auto'
        Number of networks, trained side by side, whose mixture predicts: 1, or an even number of 4 or more. Half of them see the
        columns of X, the other half their bins too (`n_bins`). Where there are 100 rows or more, each network of a half leaves
        out one of n_members / 2 stratified folds, on which its kind is calibrated and weighted (on 50,000 rows in all, spread
        evenly, where there are more). From 500 rows on, unless validation rows may end training, that happens after two fifths
        of the epochs, and all go on with all rows. 'auto' is 4, but 8 from 100 to 1,499 rows, for 'adam' with hidden layers;
        else 1.

    n_bins : int, default=64
        Largest number of bins in the piecewise-linear encoding [8]_ of a numeric column, which `scaling` must be on for: a
        column for each bin, −1 below it and 1 above it. About 256 in all are shared out by `relevance`, 4 at least to each
        column; there are none where more than 128 columns are numbers. 0 makes none.

    relevance : 'auto', array-like of shape (n_features,) or None, default='auto'
        How much each column of X counts to begin with: its scaled numbers, bins, flag and categories are multiplied by it, so
        that its weights are larger and move faster. 'auto' asks 25 extremely randomized trees [9]_, which find out in a moment on
        which columns y depends: each column's share in their gain, from 0.1 to 4 times the mean, on 20,000 rows where there are
        more. Of n > 7,500 rows, which speak for themselves, that to the power 7,500 / n. 1 for all columns of fewer than 100
        rows, of sparse input and where `scaling` is off. The trees see the rows that `early_stopping` sets aside too. Numbers of
        your own must be finite and nowhere negative; 0 leaves a column out. None means 1 for all columns.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class labels in the order of the outputs; column numbers for multilabel targets and class probabilities.

    coefs_ : list of ndarray of shape (fan_in, fan_out) or (n_members, fan_in, fan_out)
        Weights of each layer: views of one flat vector. Arrays put here by hand are used from then on.

    embeddings_ : list of ndarray of shape (n_codes, 8) or (n_members, n_codes, 8)
        The vectors of each embedded column's categories, likewise, in the order of the columns; none where no column has so many
        (`categorical_features`). Row 0 is what is unknown or missing; the others are the known categories, sorted.

    encoded_feature_names_ : ndarray of str, one for each row of a network's ``coefs_[0]``
        What the network's inputs are: bins, as 'age_bin0'; the numeric columns of X under their names, or x0, x1, … where
        they have none; flags of missing values, as 'missingindicator_age'; categories, as 'colour_red'; embeddings,
        as 'city_embedding0'.

    intercepts_ : list of ndarray of shape (fan_out,) or (n_members, fan_out)
        Biases of each layer, likewise.

    relevance_ : ndarray of shape (`n_features_in_`,)
        What `relevance` gave each column of X.

    loss_ : float
        Training loss, penalty included, of the epoch whose weights are kept.

    best_loss_ : float or None
        Lowest loss of an epoch; None with `early_stopping`.

    loss_curve_ : list of float
        Loss of each epoch (weighted mean over its batches) or iteration.

    validation_scores_ : list of float or None
        The `scoring` of each epoch or iteration on the validation rows; None where the last call had none.

    validation_loss_curve_ : list of float or None
        Mean cross-entropy on the validation rows, without penalty, of each epoch or iteration; None likewise.

    best_validation_score_ : float or None
        Highest validation score; its weights are kept once `fit` ends, or `partial_fit` has stopped, unless `restore_best` is
        off. None without `early_stopping`.

    best_iter_ : int or None
        Number of the epoch or iteration with this score, counted from 1 along `loss_curve_`; None likewise.

    t_ : int
        Number of training rows seen, repetitions counted; 0 for 'lbfgs'.

    n_iter_ : int
        Number of epochs or iterations of the last call of `fit`; 1 after `partial_fit`, 0 if its training has stopped.

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

    A row of weight 0 is left out, as if it were absent.

    X may be larger than memory: a float32 or float64 `numpy.memmap` without categorical columns is never copied, and where the
    network's input would take more than 256 MB it is made batch by batch, which gives the same model. A part of such a file
    is a memmap too, for `partial_fit`. A scorer that is neither 'accuracy' nor 'loss' is given its validation rows as a copy.

    Callbacks of `sklearn.callback` (scikit-learn 1.9 and newer), set by `set_callbacks`, see one task for each epoch of 'sgd' and
    'adam' and each iteration of 'lbfgs', and may stop training.

    A pickle holds the parameters once. The optimizer's moments and the random generator go with it after `partial_fit` or
    under `warm_start`; after a plain `fit` they are left out. The version of this package goes with it; loading it by
    another warns. A pickle from others can run any code when it is loaded: use skops, which loads only the types that you name.

    References
    ----------
    .. [1] Kingma & Ba (2014), "Adam: A method for stochastic optimization", :arxiv:`1412.6980`.
    .. [2] Loshchilov & Hutter (2019), "Decoupled weight decay regularization", :arxiv:`1711.05101`.
    .. [3] Loshchilov & Hutter (2017), "SGDR: Stochastic gradient descent with warm restarts", :arxiv:`1608.03983`.
    .. [4] Smith & Topin (2017), "Super-convergence", :arxiv:`1708.07120`.
    .. [5] Holzmüller et al. (2024), "Better by default", :arxiv:`2407.04491`.
    .. [6] Srivastava et al. (2014), "Dropout: A simple way to prevent neural networks from overfitting", JMLR 15.
    .. [7] Szegedy et al. (2016), "Rethinking the inception architecture for computer vision", :arxiv:`1512.00567`.
    .. [8] Gorishniy et al. (2022), "On embeddings for numerical features in tabular deep learning", :arxiv:`2203.05556`.
    .. [9] Geurts, Ernst & Wehenkel (2006), "Extremely randomized trees", Machine Learning 63.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sksoftmax import SoftmaxMLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = SoftmaxMLPClassifier(random_state=0).fit(X, y)
    >>> clf.predict(X[::50])
    array([0, 1, 2])
    >>> clf.score(X, y) > 0.95
    True
    """

    _parameter_constraints = PARAMETER_CONSTRAINTS
    _doc_link_module = "sksoftmax"
    _doc_link_template = "https://pypi.org/project/sksoftmax/"  # shows the README
    loss = "log_loss"

    classes_: NDArray[Any]
    coefs_: list[Floats]
    embeddings_: list[Floats]
    encoded_feature_names_: NDArray[Any]
    relevance_: NDArray[Any]
    intercepts_: list[Floats]
    loss_: float
    best_loss_: float | None
    loss_curve_: list[float]
    validation_scores_: list[float] | None
    validation_loss_curve_: list[float] | None
    best_validation_score_: float | None
    best_iter_: int | None
    t_: int
    n_iter_: int
    n_layers_: int
    n_outputs_: int
    out_activation_: Literal["softmax", "logistic"]
    n_features_in_: int
    feature_names_in_: NDArray[Any]

    def __init__(
        self,
        hidden_layer_sizes: LayerSizes = (128, 128),
        activation: Activation | Sequence[Activation] = "relu",
        *,
        solver: Solver = "adam",
        alpha: float = 0.0,
        batch_size: int | Literal["auto"] = "auto",
        learning_rate: Schedule | Callable[[float], float] = "cosine",
        learning_rate_init: float = 0.01,
        power_t: float = 0.5,
        max_iter: int | Literal["auto"] = "auto",
        shuffle: bool = True,
        random_state: RandomState = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool | Literal["auto"] = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.95,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        out_activation: OutActivation = "auto",
        weight_decay: float | Literal["auto"] = "auto",
        class_weight: dict[Any, float] | list[dict[Any, float]] | Literal["balanced"] | None = None,
        scoring: str | Callable[..., float] = "accuracy",
        restore_best: bool = True,
        dropout: float | Sequence[float] | Literal["auto"] = "auto",
        label_smoothing: float = 0.05,
        clip_norm: float | None = None,
        ema_decay: float = 0.0,
        warmup: float = 0.0,
        scaling: Literal["robust", "standard"] | None = "robust",
        categorical_features: Literal["from_dtype"] | ArrayLike | None = "from_dtype",
        dtype: Literal["auto", "float32", "float64"] = "auto",
        parametrization: Literal["standard", "ntk"] = "ntk",
        n_members: int | Literal["auto"] = "auto",
        n_bins: int = 64,
        relevance: ArrayLike | Literal["auto"] | None = "auto",
    ) -> None:
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
        self.class_weight = class_weight
        self.scoring = scoring
        self.restore_best = restore_best
        self.dropout = dropout
        self.label_smoothing = label_smoothing
        self.clip_norm = clip_norm
        self.ema_decay = ema_decay
        self.warmup = warmup
        self.scaling = scaling
        self.categorical_features = categorical_features
        self.dtype = dtype
        self.parametrization = parametrization
        self.n_members = n_members
        self.n_bins = n_bins
        self.relevance = relevance

    @classmethod
    def from_sklearn(cls, mlp: MLPClassifier) -> Self:
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
            options = resolved(self.get_params(deep=False), n_samples=1)
            self._encoder, self._network, self._optimizer, self._progress = state_from_sklearn(mlp, options)
            self._preprocessor = Preprocessor(None, Categories({})).fit(np.empty((0, mlp.n_features_in_)))
            self._mixture = Mixture.equal(1)
            self._keep_training_state = mlp.warm_start or mlp.n_iter_ == 1 or len(self._progress.loss_curve) > mlp.n_iter_
            for name in ("n_features_in_", "feature_names_in_", "n_iter_"):
                if hasattr(mlp, name):
                    setattr(self, name, getattr(mlp, name))
            self.encoded_feature_names_ = self._encoded_names(self._preprocessor)
            self.relevance_ = self._preprocessor.relevance
            self._hidden_sizes, self._settled = layer_sizes(self.hidden_layer_sizes), settled(self, self._network.dtype.name)
            self._no_improvement_count = self._progress.stale_epochs
            self.__dict__.update(public_attributes(self._encoder, self._network, self._progress))
        return self

    def to_sklearn(self) -> MLPClassifier:
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
    @with_callbacks
    def fit(
        self,
        X: MatrixLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: MatrixLike | None = None,
        y_val: ArrayLike | None = None,
        sample_weight_val: ArrayLike | None = None,
    ) -> Self:
        """Train the network.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Numbers; with `scaling` some may be missing. A pandas or polars frame may hold categories and strings too.

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

        UserWarning
            If Ctrl-C (KeyboardInterrupt, of a callback too) ended training: the weights so far are kept, the best of them with
            `early_stopping`. Before the first step, and where any other error is raised, the estimator stays what it was.
        """
        self._check_params()
        given = Given(X, y, sample_weight, X_val, y_val, sample_weight_val)
        going_on = self.warm_start and self.__sklearn_is_fitted__()
        preprocessor = self._preprocessor_for(X, going_on)
        X, y = check_X_y(self, X, y, preprocessor, reset=not going_on)
        encoder = self._same_encoder(y) if going_on else TargetEncoder.from_y(y, self.out_activation)
        return self._train(X, y, given, preprocessor, encoder, check_random_state(self.random_state), going_on)

    @_available_if_stochastic
    @_unchanged_on_error
    @with_callbacks
    def partial_fit(
        self,
        X: MatrixLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        classes: ArrayLike | None = None,
        *,
        X_val: MatrixLike | None = None,
        y_val: ArrayLike | None = None,
        sample_weight_val: ArrayLike | None = None,
    ) -> Self:
        """Train for one epoch on the given rows, going on from what was learnt before.

        Weights, the optimizer's moments and the random generator go on from call to call; under a planned schedule the rate is
        `learning_rate_init`. A call that raises or is interrupted leaves the estimator as it was.

        With `early_stopping`, pass `X_val` and `y_val`: each call then scores them, and when more than `n_iter_no_change` calls
        in a row brought no improvement by `tol`, the best weights are restored, and a warning says that further calls will not
        train.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Columns as in `fit`.

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
        self._check_params()
        if self.class_weight == "balanced":
            raise ValueError(BALANCED_IN_PARTS)
        if self.early_stopping is True and X_val is None and y_val is None:
            warnings.warn("early_stopping=True has no effect in partial_fit without X_val and y_val, the rows to score.")
        given = Given(X, y, sample_weight, X_val, y_val, sample_weight_val)
        first = not hasattr(self, "_encoder")
        preprocessor = self._preprocessor_for(X, going_on=not first)
        X, y = check_X_y(self, X, y, preprocessor, reset=first)
        encoder = TargetEncoder.from_classes(y, classes, self.out_activation) if first else self._encoder
        if not first:
            encoder.check_classes(classes)
            self._check_same_outputs()
        rng = getattr(self, "_random_state", None) or check_random_state(self.random_state)
        return self._train(X, y, given, preprocessor, encoder, rng, hasattr(self, "coefs_"), incremental=True)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = self.scaling is not None
        tags.classifier_tags.multi_label = True
        return tags
