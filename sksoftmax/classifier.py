"""`SoftmaxMLPClassifier`: the scikit-learn estimator around a `Model` and the `TrainingState` that made the model."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.neural_network import MLPClassifier
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sksoftmax.conversion import model_from_sklearn, model_to_sklearn, parameters_from_sklearn, parameters_to_sklearn
from sksoftmax.data.frames import in_memory
from sksoftmax.data.inputs import FitArguments, check_sample_weight, check_X
from sksoftmax.hints import Activation, Floats, LayerSizes, MatrixLike, Method, OutActivation, RandomState, Schedule, Solver
from sksoftmax.parameters import PARAMETER_CONSTRAINTS, check_parameters
from sksoftmax.saving import checked_state, restore_weights, state_to_save, unchanged_on_error
from sksoftmax.suggestions import answers_unknown_names, unknown_name
from sksoftmax.summary import summary_text
from sksoftmax.training import fitting
from sksoftmax.training.attributes import fitted_attributes
from sksoftmax.training.callbacks import CallbackSupportMixin, with_callbacks
from sksoftmax.training.continued import Continued, ContinuedPartial
from sksoftmax.training.fresh import Fresh, FreshPartial

NO_BALANCED_PARTIAL_FIT = (
    "class_weight='balanced' is not supported for partial_fit, which sees only a part of y. Compute the weights from all of y "
    "with sklearn.utils.class_weight.compute_class_weight('balanced', ...) and pass them as a dict."
)


def _is_stochastic(estimator: Any) -> bool:
    if estimator.solver == "lbfgs":
        raise AttributeError("partial_fit is only available for stochastic optimizers. lbfgs is not stochastic.")
    return True


_available_if_stochastic: Callable[[Method], Method] = available_if(_is_stochastic)


class SoftmaxMLPClassifier(CallbackSupportMixin, ClassifierMixin, BaseEstimator):
    """Multi-layer perceptron classifier trained on the softmax cross-entropy.

    It can replace :class:`sklearn.neural_network.MLPClassifier` in code, pipelines and searches: it has all parameters, methods
    and fitted attributes of MLPClassifier under the same names. The default values differ; they were chosen by measurement on
    real datasets. `from_sklearn` gives MLPClassifier's defaults and behavior. X may hold strings, dates and missing values.
    Training needs NumPy, SciPy and scikit-learn only.

    The parameters in seven groups:

    ======================= ==================================================================================================
    Network                 hidden_layer_sizes, activation, out_activation, target_type, parametrization, dtype
    Raw columns             scaling, categorical_features, handle_unknown, n_bins, relevance
    Ensemble                n_members, companion
    Loss and regularization class_weight, label_smoothing, alpha, weight_decay, dropout, clip_norm, ema_decay
    Optimizer and rate      solver, learning_rate, learning_rate_init, warmup, batch_size, shuffle, momentum,
                            nesterovs_momentum, beta_1, beta_2, epsilon, power_t, max_fun
    Length and stopping     max_iter, tol, n_iter_no_change, early_stopping, validation_fraction, scoring, restore_best
    Running                 random_state, verbose, warm_start
    ======================= ==================================================================================================

    Parameters
    ----------
    hidden_layer_sizes : int, array-like of shape (n_layers - 2,) or str, default=(128, 128)
        Number of units in each hidden layer. An empty tuple means no hidden layer: softmax regression. A string such as
        '256-128' means (256, 128); use it in search spaces that cannot hold tuples.

    activation : {'identity', 'relu', 'leaky_relu', 'elu', 'selu', 'tanh', 'logistic', 'softplus', 'silu', 'gelu', \
            'mish'} or list of these, default='relu'
        Activation function of the hidden layers, or a list with one for each. 'leaky_relu' has slope 0.1 below 0; 'silu' is
        also called swish.

    solver : {'lbfgs', 'sgd', 'adam'}, default='adam'
        The optimizer. 'sgd' is stochastic gradient descent with momentum, 'adam' is the method of [1]_, and 'lbfgs' is a
        quasi-Newton method that uses all rows in each iteration and suits small data.

    alpha : float, default=0.0
        Strength of the L2 penalty on the weights and embeddings, not on the biases: ½ · alpha · Σ W² / n, where n is the number
        of rows (or the sum of their weights) in the batch.

    batch_size : int or 'auto', default='auto'
        Number of rows in a minibatch of 'sgd' and 'adam'; at most the number of training rows. 'auto' depends on the number of
        rows (see Notes).

    learning_rate : {'constant', 'invscaling', 'adaptive', 'cosine', 'one_cycle', 'coslog4'} or callable, default='cosine'
        How the learning rate changes during training, from `learning_rate_init`.

        - 'constant': it does not change.
        - 'invscaling': it is set to `learning_rate_init` / (t + 1) ** `power_t` after each epoch, where t is the number of rows
          so far. For 'sgd' only; no effect for 'adam', as in MLPClassifier.
        - 'adaptive': it is divided by 5 whenever `n_iter_no_change` epochs bring no improvement by `tol`. Training ends if this
          happens at a rate of 1e-6 or lower. For 'sgd' only; no effect for 'adam'.
        - 'cosine', 'one_cycle', 'coslog4': a schedule planned over `max_iter` epochs, which changes the rate at each step of
          'sgd' and 'adam' ([3]_, [4]_, [5]_). In an ensemble it runs once for the fold phase and once for all rows (see
          `n_members`). Training runs to the end of the schedule: `tol` does not stop it unless `early_stopping` is on. In
          `partial_fit`, which has no planned end, the rate is `learning_rate_init`.
        - a callable: a function of progress, from 0 at the first step to almost 1 at the last, that returns the factor of
          `learning_rate_init`. It is a planned schedule like 'cosine'.

    learning_rate_init : float, default=0.01
        The learning rate at the start, or the highest rate of a planned schedule. For 'sgd' and 'adam'.

    power_t : float, default=0.5
        The exponent of 'invscaling'.

    max_iter : int or 'auto', default='auto'
        Highest number of epochs (passes over the data) of 'sgd' and 'adam', or of iterations of 'lbfgs'. 'auto' depends on the
        number of steps in an epoch (see Notes).

    shuffle : bool, default=True
        Whether rows are shuffled before each epoch. For 'sgd' and 'adam'.

    random_state : int, RandomState instance or None, default=None
        Determines the initial weights, the validation split and the order of rows. None gives a different model in each call.

    tol : float, default=1e-4
        An epoch counts as an improvement if its loss, or validation score, is better than the best so far by at least `tol`.
        For 'lbfgs', training ends when the largest component of the gradient is at most `tol`.

    verbose : bool or int, default=False
        What to print for each epoch or iteration. 2 prints a row of a table: the number of the epoch and of all epochs, the
        phase ("folds" or "all rows", see `n_members`), the losses, the validation score, the learning rate, the seconds since
        the start, and an upper limit of the seconds left. True and any other positive number print the lines of MLPClassifier.

    warm_start : bool, default=False
        Whether `fit` continues from the weights (and the optimizer's moments) of the previous call. Changed parameters,
        `activation` and `solver` included, have an effect from the next call on, as in `partial_fit`. Another solver starts
        without moments. These may not change after the first call: `hidden_layer_sizes`, `n_members`, `out_activation`,
        `dtype`, `parametrization`, `scaling`, `categorical_features`, `n_bins` and `relevance`.

    momentum : float, default=0.9
        Momentum of 'sgd', between 0 and 1.

    nesterovs_momentum : bool, default=True
        Whether 'sgd' uses Nesterov's momentum.

    early_stopping : bool or 'auto', default=False
        Whether to set `validation_fraction` of the rows aside, stop when the `scoring` on them stops improving, and return the
        weights of the best epoch. The split is drawn within each class (with `scaling=None`, for two classes only, as in
        MLPClassifier). With `scaling`, the scales, bins, known categories and relevance are computed without these rows.
        `X_val` and `y_val` of `fit` replace the split; `partial_fit` needs them. 'auto' means True if there are more than
        10,000 training rows, or if `X_val` is given.

    validation_fraction : float, default=0.1
        Fraction of the rows set aside, in (0, 1), if `early_stopping` is on.

    beta_1 : float, default=0.9
        Decay rate of the first moment of 'adam', in [0, 1).

    beta_2 : float, default=0.95
        Decay rate of the second moment of 'adam', in [0, 1).

    epsilon : float, default=1e-8
        Term in the denominator of 'adam' that keeps the division finite.

    n_iter_no_change : int or inf, default=10
        Training of 'sgd' and 'adam', and of 'lbfgs' with `early_stopping`, ends after more than this many epochs in a row
        without improvement.

    max_fun : int, default=15000
        Highest number of evaluations of the loss by 'lbfgs'.

    out_activation : {'auto', 'softmax'}, default='auto'
        Units of the output layer. 'auto' is MLPClassifier's rule: softmax over K units for K > 2 classes, one logistic unit for
        two, independent logistic units for multilabel targets. 'softmax' takes K units for two classes too (and changes nothing
        for multilabel targets, whose classes do not exclude each other).

    weight_decay : float or 'auto', default='auto'
        Strength of the decoupled weight decay [2]_ of 'sgd' and 'adam': each step also shrinks the weights and embeddings (not
        the biases) by learning rate × `weight_decay`. It is independent of `alpha`, which acts through the gradient. 'auto'
        depends on the number of rows and differs between members (see Notes).

    class_weight : dict, 'balanced', list of dict or None, default=None
        Weights of the classes; the weights of their rows are multiplied by them: {class: weight}, 1 for a class that is not
        named. 'balanced' means n_samples / (n_classes × the class's rows), counted in sample weights; not in `partial_fit`. For
        multilabel targets a list with a dict {0: weight, 1: weight} for each label, whose factors are multiplied. A class that
        is not in y may be named if all classes of y are named. With soft labels, whose classes are the columns of y (see
        `classes_`), the weight of a row is the mean of the class weights by its probabilities. Validation rows are weighted
        too. None means 1.

    scoring : str or callable, default='accuracy'
        What `early_stopping` computes on the validation rows: 'accuracy', 'loss' (minus the cross-entropy), the name of
        another scorer of scikit-learn, or a callable with the signature scorer(estimator, X, y). Higher is better.

    restore_best : bool, default=True
        Whether the weights of the epoch with the highest validation score are returned, rather than the last ones.

    dropout : float, list of float or 'auto', default='auto'
        Probability, in [0, 1), with which each output of a hidden layer is dropped in a training step of 'sgd' or 'adam'
        (inverted dropout [6]_), or a list with one for each hidden layer. 'auto' depends on the number of rows and differs
        between members (see Notes).

    label_smoothing : float, default=0.05
        Share ε of each training target, in [0, 1), that is replaced by the mean target π: y becomes (1 − ε) y + ε π, after
        [7]_, where π has the frequencies of the classes in the training rows. So the mean predicted probabilities stay near
        these frequencies. π is 99 % of the frequencies and 1 % of equal shares, so that no class has a share of almost 0.
        Validation losses use the unsmoothed targets.

    clip_norm : float or None, default=None
        Largest norm of the gradient in a step of 'sgd' or 'adam'; a longer gradient is scaled down to this norm. None does not
        limit it.

    ema_decay : float, default=0.0
        Decay rate d in [0, 1) of an exponential moving average of the weights over the steps of 'sgd' or 'adam'. The averaged
        weights are evaluated and returned; training continues from the weights that are not averaged. 0 means no average.

    warmup : float, default=0.0
        Fraction of `max_iter` epochs, in [0, 1), over which the learning rate first rises linearly from 0, for 'sgd' and
        'adam'; a planned schedule uses the other epochs. It has no effect in `partial_fit`.

    scaling : {'robust', 'standard'} or None, default='robust'
        How numeric columns are scaled. 'robust' subtracts the median, divides by the interquartile range, and compresses large
        values smoothly to within ±3 [5]_, those beyond 1,000 interquartile ranges to within ±6. 'standard' subtracts the mean
        and divides by the standard deviation. None leaves numbers unchanged and raises an error for missing values.

        With 'robust' and 'standard', missing values (NaN, None, pandas.NA) become the column's median (or mean), and a column
        of 0 and 1 flags them if `fit` saw any. Sentinels, such as -999 for "unknown", are treated in the same way. A number is
        a sentinel if at least 2 % of the rows and at least 10 rows hold it, and if its distance from the column's other numbers
        is at least three times the range of these (from their 5 % to their 95 % quantile).

        A sparse X with entries in at least half of its cells is treated as an array, if that takes at most 256 MB. In any other
        sparse X, columns with entries in at least half of the rows are scaled as in an array, and get an entry in every row.
        All other columns are divided by one common scale, the median size of their entries, so that counts and TF-IDF weights
        keep their proportions; for each column this divisor is limited to between a quarter of and four times the root mean
        square of the column's own entries. In a sparse X sentinels are ordinary numbers, and columns whose values are all equal
        get no weights.

        `partial_fit` keeps the scales of the first call, except that a column that was constant in all rows so far gets its
        scale in the first call in which it varies. In `partial_fit` all columns of a sparse X get weights, because later calls
        may have entries in them. Above 100,000 rows, or 100 million numbers, quantiles, means and deviations (of `n_bins` too)
        are computed from a fixed sample of that size; flags, ranges and categories are computed from all rows.

    categorical_features : 'from_dtype', array-like of bool, int or str of shape (n_features,), or None, default='from_dtype'
        Columns whose values are categories, as a mask, positions or names. 'from_dtype' means the columns of a frame that hold
        categories, strings or booleans, and the columns of strings in an array of objects. In a list, 'from_dtype' adds these
        columns to the named ones: ``["from_dtype", "day"]``. None treats all columns as numbers.

        A column of strings that is not named is read as numbers if all its values are dates of one format with a year of four
        digits, or numbers with decimals or with the same units ("12.3", "1,230", "12.3 %", "$5"). Columns of dates, times and
        durations are read as numbers too. A date becomes the days since 1970-01-01 and the parts that vary (year, month,
        weekday, hour). All this needs a `scaling` that is not None.

        Up to 255 categories in `fit` become a column of 0 and 1 each, or one column of −1 and 1 for two categories. A further
        column flags missing values if `fit` saw any. Unknown categories and missing values are zeros in the other columns. With
        more than 255 categories, categories seen in only one row are treated as unknown. If more than 255 remain, the column is
        embedded: each of the 65,536 most frequent categories gets a learned vector of 8 numbers. If all columns of 0 and 1
        together are more than 256, a column of more than 63 categories is embedded too. Integer sample weights count as
        repeated rows. Unknown and missing categories share a vector. With 'adam' and 'sgd' the vector of a category seen in n
        rows learns at n / (n + 50) times the full rate, so that rare categories stay near 0.

    handle_unknown : {'ignore', 'error'}, default='ignore'
        What to do with a category that `fit` did not see: 'ignore' treats it like a missing value, 'error' raises a ValueError
        that names the column and the category. In both cases a ValueError is raised if a column has no known category and its
        values have another type than in `fit`, such as numbers in place of strings.

    dtype : {'auto', 'float32', 'float64'}, default='auto'
        Floating-point format of the network. 'auto' is float32 if X is, or if `scaling` is on and `fit` gets 100 rows or more;
        else float64. Predictions are float32 if `dtype` is 'float32', or if it is 'auto' and X was float32 in `fit`; else they
        are float64.

    parametrization : {'standard', 'ntk'}, default='ntk'
        How initial weights are drawn, and the learning rate of each layer. 'standard' uses Glorot's initial weights, and all
        layers have the rate `learning_rate_init`. 'ntk', the neural tangent parametrization, draws weights from N(0, 1 /
        fan_in) and biases from N(0, 1), and starts the output layer at 0. The rate of a layer is `learning_rate_init` × √(100 /
        fan_in), so that one value suits layers of any width.

    n_members : int or 'auto', default='auto'
        Number of networks in the ensemble, its members. The first half of the members (the larger half if the number is odd)
        get the columns of X, the second half their bins too (`n_bins`). With 50 rows or more, each member is first trained
        without one stratified fold (the fold phase). The folds that are left out by a member of each half, at most 50,000 rows,
        are used to calibrate the members and to fit their weights in the ensemble; these are all folds, or all but one if the
        number of members is odd. Afterwards all members continue on all rows, if there are 500 rows or more and no validation
        rows that may end training. If one regularization strength had clearly lower loss on left-out rows, all members of the
        half switch to it.

        With 100 rows or more, one network leaves out a fifth of the rows in its fold phase. These rows are used to fit the
        weights of the network and of its companion (see `companion`). Without a companion they are used to calibrate the
        network: when training ends, its last layer is divided by the temperature, and a bias for each output is added. One
        network leaves out no rows with validation rows, with `ema_decay`, with 'lbfgs', and if `max_iter` is a number and
        `learning_rate` is not a planned schedule. 'auto' depends on the number of rows (see Notes); it is 1 without hidden
        layers, or if the solver is not 'adam'.

    companion : 'auto' or False, default='auto'
        Whether `fit` adds a model of another type to the ensemble, or to one network. For at most 6,000 distinct rows the
        companion is a radial network [11]_. It has one hidden layer with a unit for each training row c, whose output for a row
        x is exp(−‖x − c‖₁ / width), and output weights from a ridge regression. Its prediction depends mostly on the labels of
        training rows near x. The width and the ridge penalty are chosen from a grid of 15 by the squared error on left-out
        rows, with at most 400 rows. For more than 2,500 rows it is the mean of radial networks fitted on parts of the rows.
        **The model then holds these rows, scaled**, and the more rows it holds, the longer predictions take. For more rows, up
        to 100,000, the companion is boosted trees: scikit-learn's `HistGradientBoostingClassifier` without early stopping,
        fitted once without each half of the rows.

        The weight of the companion is fitted like those of the members: on predictions for rows that were left out with their
        group or their copies. If the members continue on all rows, they improve and the companion does not change, so its
        weight is then multiplied by 0.4.

        'auto' adds a companion in `fit` if there are folds (see `n_members`), `scaling` is not None, and X is dense with 100
        distinct rows or more. For a radial network there must also be at most as many encoded columns as rows, and at most 2
        million encoded numbers. For boosted trees there must be at most 10 million encoded numbers, and labels of at most 10
        classes with at least two rows each. Bins and embeddings are not counted, because the companion does not use them. With
        a companion `coefs_` alone do not determine the predictions. A warm start keeps it unchanged, and `partial_fit` drops
        it. False adds none.

    n_bins : int, default=64
        Largest number of bins in the piecewise-linear encoding [8]_ of a numeric column: an input for each bin, which is −1
        below the bin, 1 above it, and linear in between. About 256 bins in all are divided among the columns by their
        relevance, with at least 4 for each column. There are no bins without `scaling`, if more than 128 columns are numeric,
        or if classes are small (see Notes). The edges of bins are quantiles; with `relevance='auto'` half of them are quantiles
        of the thresholds at which forests split the column. 0 makes no bins.

    relevance : 'auto', array-like of shape (n_features,) or None, default='auto'
        Factor for each column of X, by which its scaled numbers, bins, flag and categories are multiplied, so that a column
        with a larger factor has more effect at the start of training and its weights change faster. An array must be finite and
        not negative; 0 leaves a column out. None means 1 for all columns.

        'auto' estimates how informative each column is about y. It trains random forests [9]_ of 33 trees in all, on at most
        10,000 rows and a million numbers (for K > 20 classes, a million × 20 / K). Each forest leaves out a third of these
        rows. The gain of a column is the decrease of the variance of the one-hot labels by the column's splits, measured on
        left-out rows [10]_, as a share of this variance. The mean gain of a column of noise is 0. A prior gain of 0.02 + 10 / n
        is divided equally among the columns. The relevance of a column is its share of all gains, divided by the mean share;
        with d ≤ 100 columns the shares are raised to the power 0.75. It is clipped to 0.1 … 4, or for d > 100 to 0.1 / e …
        min(4 e√e, 50), where e = d / 100. For n > 7,500 rows it is raised to the power 7,500 / n, so the prior weakens as data
        grow.

        With fewer than 100 rows but more columns than rows, `fit` uses as the share of a column the variance of the labels that
        the column explains linearly, divided by that expected from noise, and at least 1. Otherwise the relevance is 1 for all
        columns with fewer than 100 rows, if classes are small (see Notes), or without `scaling`.

        In a sparse X (see `scaling`) the forests use the columns with entries in at least half of the rows. All other columns
        share one value, between 0.01 and 100. It is the share of y that these columns explain on left-out rows, by a linear
        model or by trees on the 100 most frequent ones, divided by the share that the columns of the forests explain; 5 / n is
        added to both. If there are no columns for the forests, it is 1.

    target_type : {'auto', 'multilabel', 'probabilities'}, default='auto'
        Meaning of a matrix y of zeros and ones in the first call. With 'auto' its rows are class probabilities if it holds
        floats and each row sums to 1, else multilabel targets; `fit` warns if integers or booleans are one-hot. 'multilabel' is
        MLPClassifier's rule. Any other y is not affected.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class labels in the order of the outputs. For multilabel targets and class probabilities, the column numbers of y, or
        the names of its columns if y was a DataFrame.

    batch_size_ : int
        Value of `batch_size` in the last call, with 'auto' resolved.

    categories_ : dict of str to list
        The known categories of each categorical column, by the column's name.

    coefs_ : list of ndarray of shape (fan_in, fan_out) or (n_members, fan_in, fan_out)
        Weights of each layer, as views of one flat vector. If you replace them by other arrays, predictions use those.

    dropout_ : ndarray of shape (n_members,) or (n_members, `n_layers_` - 2)
        The `dropout` of each member at the end of the last call; of each hidden layer too, if the layers differ.

    embeddings_ : list of ndarray of shape (n_codes, 8) or (n_members, n_codes, 8)
        The vectors of each embedded column's categories, in the order of the columns; an empty list if no column is embedded
        (see `categorical_features`). Row 0 is the vector of unknown and missing categories; the others are the known
        categories, sorted.

    encoded_feature_names_ : ndarray of str, one for each row of a network's ``coefs_[0]``
        Names of the network's inputs: bins, such as 'age_bin0'; the numeric columns of X by their names, or x0, x1, … if they
        have none; flags of missing values, such as 'missingindicator_age'; categories, such as 'color_red'; embeddings, such as
        'city_embedding0'.

    engine_ : str
        The engine that trained in the last call: "compiled", or "numpy" with the reason why the compiled engine did not train.
        Empty after `from_sklearn`.

    intercepts_ : list of ndarray of shape (fan_out,) or (n_members, fan_out)
        Biases of each layer: views of the same vector as `coefs_`.

    max_iter_ : int
        Value of `max_iter` in the last call, with 'auto' resolved.

    member_losses_ : ndarray of shape (n_members,) or (n_members + 1,)
        The log loss of each member on the rows that it left out in the fold phase; NaN if it left out none (see `n_members`).
        In this array and in the other `member_` attributes the companion comes last, if there is one (see `companion`).

    member_roles_ : list of str
        For each member, its number, its regularization strength in the fold phase ("light" or "strong"), and whether it gets
        bins. The companion is "radial network" or "boosted trees".

    member_temperatures_ : ndarray of shape (n_members,) or (n_members + 1,)
        The number by which each member's logits are divided.

    member_weights_ : ndarray of shape (n_members,) or (n_members + 1,)
        The weight of each member in the ensemble.

    ensemble_bias_ : ndarray of shape (`n_outputs_`,)
        Numbers that are added to the ensemble's logits after the division by `temperature_`, so that the mean probabilities
        equal the frequencies of the classes in the rows that members left out. Zeros without folds.

    n_members_ : int
        Number of networks, without the companion.

    relevance_ : ndarray of shape (`n_features_in_`,)
        The relevance of each column of X (see `relevance`); for a date, the largest of its parts.

    loss_ : float
        Training loss, penalty included, of the epoch whose weights are kept.

    best_loss_ : float or None
        Lowest loss of an epoch; None with `early_stopping`.

    loss_curve_ : list of float
        Loss of each epoch (weighted mean over its batches) or iteration.

    validation_scores_ : list of float or None
        The `scoring` of each epoch or iteration on the validation rows; None if the last call had none.

    validation_loss_curve_ : list of float or None
        Mean cross-entropy on the validation rows, without penalty, of each epoch or iteration; None if the last call had none.

    best_validation_score_ : float or None
        Highest validation score. The weights with this score are restored when `fit` ends, or when `partial_fit` stops, unless
        `restore_best` is False. None without `early_stopping`.

    best_iter_ : int or None
        Number of the epoch or iteration with this score, counted from 1 along `loss_curve_`; None without `early_stopping`.

    temperature_ : float
        The number by which the logarithms of the ensemble's probabilities are divided.

    unused_columns_ : dict of str to str
        For each column of X that gives the network no input, the reason, by the column's name.

    weight_decay_ : ndarray of shape (n_members,)
        The `weight_decay` of each member at the end of the last call.

    t_ : int
        Number of rows used in training steps, each as often as it was used; 0 for 'lbfgs'.

    n_iter_ : int
        Number of epochs or iterations of the last call of `fit`; 1 after `partial_fit`, 0 if its training has stopped.

    n_fold_epochs_ : int
        Number of epochs of the fold phase in `loss_curve_`, after which all members trained on all rows; 0 if there was no fold
        phase, or if no epoch followed it (see `n_members`).

    n_layers_ : int
        Number of layers, input and output included.

    n_outputs_ : int
        Number of output units.

    out_activation_ : {'softmax', 'logistic'}
        Activation of the output units.

    n_features_in_ : int
        Number of columns of X in `fit`.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns of X, if X was a DataFrame with string names.

    See Also
    --------
    sklearn.neural_network.MLPClassifier : The class that this one can replace.
    sklearn.linear_model.LogisticRegression : The same model without hidden layers.

    Notes
    -----
    `sksoftmax.loss` derives the gradient that all training here uses: the derivative of the softmax cross-entropy with respect
    to the logits is p − y.

    The table has the values of 'auto' for n distinct training rows (see `groups` in `fit`). Half of an ensemble's members are
    regularized lightly, half strongly; "binned" members get bins.

    ========================= ============================== ======================================
    Parameter                 Ensemble (`n_members` > 1)     One network
    ========================= ============================== ======================================
    n_members                 8 if 50 ≤ n < 1500, else 4     1 if no hidden layer, 'sgd' or 'lbfgs'
    n_members, sparse X       at most 16777216 first weights no limit
    batch_size                64; 128 if n ≥ 10000           64; 128 if n ≥ 10000
    batch_size, n > 17920     n × 50 / 7000, 128 to 512      n × 36 / 7000, 128 to 512
    batch_size, n < 50        all rows, at most 200          all rows, at most 200
    batch_size, small classes 256                            256
    max_iter                  50                             36; 200 for 'lbfgs'
    max_iter, small classes   100                            100
    steps in all              250 to 7000                    250 to 7000
    dropout                   0.05 and 0.3 (0.2 binned)      0.15; 0 for 'lbfgs'
    dropout, n < 50           0                              0
    weight_decay              0.1 and 0.5                    0.5; 0 for 'sgd' and 'lbfgs'
    factor if n > 2000        √(2000 / n)                    √(2000 / n)
    fold phase, n ≥ 500       0.5 of the epochs              0.5 of the epochs
    fold phase, n ≥ 10000     0.3 of the epochs              0.3 of the epochs
    ========================= ============================== ======================================

    The first layers of all members on a sparse X may have 16777216 weights in all: if 8 members have more, there are 4, and if
    these have more, one. The factor multiplies dropout and weight decay. One network has its fold phase from 100 rows on.
    `max_iter` is raised or lowered so that the number of steps in all stays within its limits. With
    `parametrization='standard'` a batch has at most 200 rows. Classes are small if there are more than 10 of them, with fewer
    than 20 rows each on average. With fewer than 100 rows and more than 1000 columns there is one network, trained in 50 steps
    or more. In `partial_fit` small classes and many columns do not change the values of the table. Batches grow with n only
    with `max_iter='auto'`, and not in `partial_fit`; above 3,584,000 rows they have n / 7000 rows. The fold phase counts all
    rows, distinct or not.

    A row of weight 0 counts as absent. With `sample_weight` or `class_weight` each member of an ensemble trains as it would
    alone.

    X may be larger than memory: a float32 or float64 `numpy.memmap` without categorical columns is never copied. If the
    network's input would take more than 256 MB, it is computed batch by batch, which gives the same model. A slice of such an
    array is a memmap too, so you can pass it to `partial_fit`. A scorer other than 'accuracy' and 'loss' gets its validation
    rows as a copy.

    Callbacks of `sklearn.callback` (scikit-learn 1.9 and newer), set by `set_callbacks`, are called for each epoch of 'sgd' and
    'adam' and each iteration of 'lbfgs', and may stop training.

    A pickle holds the network's parameters once. The optimizer's moments and the random generator are saved after `partial_fit`
    and with `warm_start`, not after a plain `fit`. The version of this package is saved too; loading a model of another version
    gives a warning. A pickle can run any code when it is loaded. For files from others use skops, which loads only the types
    that you name (`sksoftmax.TRUSTED_TYPES`, also for MLflow's `skops_trusted_types`).

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
    .. [9] Breiman (2001), "Random forests", Machine Learning 45.
    .. [10] Li et al. (2019), "A debiased MDI feature importance measure for random forests", :arxiv:`1906.10845`.
    .. [11] Broomhead & Lowe (1988), "Multivariable functional interpolation and adaptive networks", Complex Systems 2.

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
    _doc_link_template = "#"  # scikit-learn shows the parameters' descriptions only beside a link; the site has no public address
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
    engine_: str
    n_iter_: int
    n_fold_epochs_: int
    n_members_: int
    batch_size_: int
    max_iter_: int
    dropout_: Floats
    weight_decay_: Floats
    member_weights_: Floats
    member_losses_: Floats
    member_roles_: list[str]
    ensemble_bias_: NDArray[np.float64]
    member_temperatures_: Floats
    temperature_: float
    categories_: dict[str, list[Any]]
    unused_columns_: dict[str, str]
    n_layers_: int
    n_outputs_: int
    out_activation_: Literal["softmax", "logistic"]
    n_features_in_: int
    feature_names_in_: NDArray[Any]

    @answers_unknown_names
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
        handle_unknown: Literal["ignore", "error"] = "ignore",
        dtype: Literal["auto", "float32", "float64"] = "auto",
        parametrization: Literal["standard", "ntk"] = "ntk",
        n_members: int | Literal["auto"] = "auto",
        companion: Literal["auto", False] = "auto",
        n_bins: int = 64,
        relevance: ArrayLike | Literal["auto"] | None = "auto",
        target_type: Literal["auto", "multilabel", "probabilities"] = "auto",
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
        self.handle_unknown = handle_unknown
        self.dtype = dtype
        self.parametrization = parametrization
        self.n_members = n_members
        self.companion = companion
        self.n_bins = n_bins
        self.relevance = relevance
        self.target_type = target_type

    @classmethod
    def from_sklearn(cls, mlp: MLPClassifier) -> Self:
        """Make the same model from scikit-learn's MLPClassifier.

        With the same `random_state`, training gives the same loss curve, except for deliberate differences, which the page
        "Coming from" of the documentation lists.

        Parameters
        ----------
        mlp : MLPClassifier
            The estimator to convert, fitted or not.

        Returns
        -------
        SoftmaxMLPClassifier
            An estimator with the same hyper-parameters; everything that MLPClassifier does not have is turned off. If `mlp` is
            fitted, the weights, classes and curves are the same too, so predictions are equal and `partial_fit` continues the
            training.

        Raises
        ------
        TypeError
            If `mlp` is not an MLPClassifier.
        """
        self = cls(**parameters_from_sklearn(mlp))
        if hasattr(mlp, "coefs_"):
            for name in ("n_features_in_", "feature_names_in_"):
                if hasattr(mlp, name):
                    setattr(self, name, getattr(mlp, name))
            self._publish(*model_from_sklearn(mlp, self.get_params(deep=False)))
        return self

    def to_sklearn(self) -> MLPClassifier:
        """Make a scikit-learn MLPClassifier that is the same model.

        Returns
        -------
        MLPClassifier
            An estimator with the same hyper-parameters and, if fitted, the same weights, classes and curves. Its optimizer
            starts without moments.

        Raises
        ------
        ValueError
            If MLPClassifier has no counterpart of some parameters or of the fitted model. The message names all of them.
        """
        model = self._fitted_model() if self.__sklearn_is_fitted__() else None
        mlp = MLPClassifier(**parameters_to_sklearn(self, model))
        return model_to_sklearn(model, self, mlp) if model else mlp

    @answers_unknown_names
    @unchanged_on_error
    @np.errstate(all="ignore")
    @with_callbacks
    def fit(
        self,
        X: MatrixLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        groups: ArrayLike | None = None,
        X_val: MatrixLike | None = None,
        y_val: ArrayLike | None = None,
        sample_weight_val: ArrayLike | None = None,
    ) -> Self:
        """Train the network.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The rows to train on. They hold numbers, and numbers may be missing if `scaling` is not None. A pandas or polars
            frame may hold categories, strings and dates too.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Labels of any type; or a 0/1 indicator matrix (multilabel); or a float matrix whose rows are class probabilities and
            sum to 1 (soft labels). `target_type` decides what a matrix of zeros and ones means.

        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights. A row of weight 2 counts as two rows, and a row of weight 0 has no effect. None gives all rows
            the same weight.

        groups : array-like of shape (n_samples,), default=None
            The label of each row's group, of any hashable type. Rows of a group depend on each other, such as the visits of a
            patient. Folds (see `n_members`) and the split of `early_stopping` keep a group together, so that calibration and
            early stopping use scores on other groups. None means that rows are independent, apart from rows that repeat or
            nearly repeat others. `fit` finds such rows, keeps them together, counts them once if 'auto' depends on the number
            of rows, and warns if they are many.

        X_val : {array-like, sparse matrix} of shape (n_val, n_features), default=None
            Rows to score for early stopping, in place of a part of X. In a `Pipeline`, `transform_input=["X_val"]` transforms
            them like X. None sets `validation_fraction` of X aside if `early_stopping` is on.

        y_val : array-like of shape (n_val,) or (n_val, n_outputs), default=None
            Targets of `X_val`, required with `X_val`.

        sample_weight_val : array-like of shape (n_val,), default=None
            Weights of the rows of `X_val`. None gives all rows the same weight.

        Returns
        -------
        self : SoftmaxMLPClassifier
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter, X, y, sample_weight or groups is not as described, or if numbers in X are so large that no loss is
            finite.

        Warns
        -----
        ConvergenceWarning
            If training reached `max_iter` before a stopping rule ended it, or if training diverged. After a divergence the last
            finite weights are kept.

        UserWarning
            If at least a fifth of the rows repeat or nearly repeat others, if all rows have the same label in `groups`, or if
            half of the rows of `X_val` are rows of X.

            If Ctrl-C (a KeyboardInterrupt, from a callback too) ended training. The weights so far are kept, or the best of them
            with `early_stopping`. An interrupt before the first step, or any other error, leaves the estimator unchanged.
        """
        check_parameters(self)
        arguments = FitArguments(X, y, sample_weight, X_val, y_val, sample_weight_val, groups=groups).in_memory()
        params, rng = self.get_params(deep=False), check_random_state(self.random_state)
        start: Fresh
        if self.warm_start and self.__sklearn_is_fitted__():
            start = Continued(self, params, rng, self._fitted_model(), self._training)
        else:
            start = Fresh(self, params, rng)
        return self._publish(*fitting.fit(start, arguments))

    @_available_if_stochastic
    @answers_unknown_names
    @unchanged_on_error
    @np.errstate(all="ignore")
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
        """Train for one epoch on the given rows, starting from the current weights.

        The optimizer's moments and the random generator continue from the previous call. Under a planned schedule the rate is
        `learning_rate_init`. A call that raises an error or is interrupted leaves the estimator unchanged.

        With `early_stopping`, pass `X_val` and `y_val`: each call then scores these rows. If more than `n_iter_no_change` calls
        in a row bring no improvement by `tol`, the best weights are restored, and a warning says that further calls will not
        train.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to train on, with the columns of `fit`.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets, as in `fit`.

        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights. None gives all rows the same weight.

        classes : array-like of shape (n_classes,), default=None
            All labels that can occur in any call. The first call needs them if y holds labels; later calls may pass None.

        X_val : {array-like, sparse matrix} of shape (n_val, n_features), default=None
            Rows to score for early stopping. None scores no rows.

        y_val : array-like of shape (n_val,) or (n_val, n_outputs), default=None
            Targets of `X_val`, required with `X_val`.

        sample_weight_val : array-like of shape (n_val,), default=None
            Weights of the rows of `X_val`. None gives all rows the same weight.

        Returns
        -------
        self : SoftmaxMLPClassifier
            The trained estimator.

        Raises
        ------
        ValueError
            If an argument is not as described, or y has a label that is not in `classes`.
        """
        check_parameters(self)
        if self.class_weight == "balanced":
            raise ValueError(NO_BALANCED_PARTIAL_FIT)
        if self.early_stopping is True and X_val is None and y_val is None:
            warnings.warn("early_stopping=True has no effect in partial_fit without X_val and y_val, the rows to score.")
        arguments = FitArguments(X, y, sample_weight, X_val, y_val, sample_weight_val, classes).in_memory()
        params = self.get_params(deep=False)
        start: Fresh
        if self.__sklearn_is_fitted__():
            rng = self._training.rng or check_random_state(self.random_state)
            start = ContinuedPartial(self, params, rng, self._fitted_model(), self._training)
        else:
            weights: Any = (self.coefs_, self.intercepts_, []) if hasattr(self, "coefs_") else None
            start = FreshPartial(self, params, check_random_state(self.random_state), weights)
        return self._publish(*fitting.partial_fit(start, arguments))

    def _publish(self, model, state):
        """Store this model and the state of its training in this estimator, and return the estimator."""
        vars(self).update(fitted_attributes(self, model, state))
        return self

    def set_params(self, **params: Any) -> Self:
        """Set parameters.

        Parameters
        ----------
        **params : dict
            New values by the parameters' names.

        Returns
        -------
        self : SoftmaxMLPClassifier
            The estimator.

        Raises
        ------
        ValueError
            If there is no parameter of a name.
        """
        own = self.get_params(deep=False)
        for name in params:
            if name.partition("__")[0] not in own:
                raise ValueError(unknown_name(f"{type(self).__name__} has no parameter", name, own))
        return super().set_params(**params)

    @np.errstate(all="ignore")
    def predict(self, X: MatrixLike) -> NDArray[Any]:
        """Predict classes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to predict, with the columns of `fit`.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The most probable label of each row; a 0/1 matrix for multilabel targets.
        """
        logits = self._logits(X)
        return self._model.head.predict(logits)

    @np.errstate(all="ignore")
    def predict_proba(self, X: MatrixLike) -> Floats:
        """Predict probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to predict, with the columns of `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities in the order of `classes_`. Each row sums to 1, except for multilabel targets: then each column holds
            the probabilities of its label. They are float32 if `dtype='float32'`, or if `dtype='auto'` and X was float32 in
            `fit`; else float64, whatever the number of rows and the dtype of this X.
        """
        logits = self._logits(X)
        return self._model.head.probabilities(logits)

    @np.errstate(all="ignore")
    def predict_log_proba(self, X: MatrixLike) -> Floats:
        """Predict the logarithms of the probabilities, by log-softmax; they are finite even if a probability rounds to 0.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to predict, with the columns of `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Log-probabilities in the order of `classes_`.
        """
        logits = self._logits(X)
        return self._model.head.log_probabilities(logits)

    @np.errstate(all="ignore")
    def decision_function(self, X: MatrixLike) -> Floats:
        """Compute the logits, to which the softmax or the logistic function is applied.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to predict, with the columns of `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes) or (n_samples,)
            Logits in the order of `classes_`; for two classes, the log-odds of the second class.
        """
        logits = self._logits(X)
        return self._model.head.decision(logits)

    @np.errstate(all="ignore")
    def score(self, X: MatrixLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Compute the accuracy.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to predict, with the columns of `fit`.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their targets, as in `fit`. After a fit on class probabilities, labels are accepted too.

        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights. None gives all rows the same weight.

        Returns
        -------
        float
            The share of rows with a right prediction: of the label; of all labels, for multilabel targets; of the most probable
            class, for class probabilities.
        """
        if not self.__sklearn_is_fitted__() or self._model.targets.kind != "probabilities" or np.ndim(y) < 2:
            return self._accuracy(X, in_memory(y, "y"), sample_weight)
        is_correct = self._model.targets.is_correct(self._logits(X), y)
        return float(np.average(is_correct, weights=check_sample_weight(sample_weight, len(is_correct))))

    def _accuracy(self, X, y, sample_weight):
        """The accuracy of labels or indicators, with an error that names the classes if y does not fit them."""
        predicted = self._model.head.predict(self._logits(X)) if self.__sklearn_is_fitted__() else self.predict(X)
        try:
            return float(accuracy_score(y, predicted, sample_weight=sample_weight))
        except ValueError as error:
            given = "y does" if sample_weight is None else "y or sample_weight does"
            raise ValueError(f"{given} not fit the predictions, whose `classes_` are {self.classes_}: {error}") from error

    def summary(self) -> str:
        """Describe the fitted model: the values of 'auto', and how the columns of X are used.

        Returns
        -------
        str
            Lines to print: the networks, their training, regularization and ensemble, the known categories, and the columns that
            give no input. The attributes of the same names have the numbers.
        """
        check_is_fitted(self)
        return summary_text(self, self._fitted_model())

    def _logits(self, X):
        if not self.__sklearn_is_fitted__():
            check_is_fitted(self)
        model = self._fitted_model()
        return model.logits(check_X(self, X, model.preprocessor.categories, model.preprocessor.accepts_missing))

    def _fitted_model(self):
        """The model behind the public attributes; a new model if the user has replaced arrays of the network."""
        weights = self.coefs_, self.intercepts_, self.embeddings_
        return self._model if self._model.network.holds(*weights) else self._model.with_weights(*weights)

    @property
    def _optimizer(self):
        return self._training.optimizer

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_model")

    def __getstate__(self):
        """Return the state to save."""
        return state_to_save(self, super().__getstate__())

    def __setstate__(self, state):
        """Restore a saved state; warn if another version of this package saved it."""
        super().__setstate__(checked_state(state, type(self).__name__))
        restore_weights(self)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = self.scaling is not None
        tags.classifier_tags.multi_label = True
        return tags
