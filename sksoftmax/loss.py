"""Softmax, cross-entropy, and why the gradient of the two together is p − y.

Shapes and notation for all functions here: there are n rows and K classes (or L independent labels); `z` are logits, `p`
probabilities, `y` targets. Logits have shape (n, K). Targets are n integer labels 0 … K−1, which are never expanded to
one-hot rows, or (n, K) rows of probabilities ("soft labels"). `sample_weight` has one number for each row. Results are
float32 for float32 logits, else float64. They are finite also for logits of ±1e4 and beyond.

**Definition.** The softmax turns K logits into K probabilities,

    p_i = exp(z_i) / S,        S = Σ_k exp(z_k).

**The row maximum may be subtracted.** For any number c, exp(z_i − c) / Σ_k exp(z_k − c) has the factor exp(−c) in
the numerator and in every term of the denominator; it cancels, so softmax(z − c) = softmax(z). With c = max z every
exponent is ≤ 0: nothing overflows, and S ≥ 1, so neither the division nor log S can fail. In logarithms,

    log p_i = z_i − max z − log Σ_k exp(z_k − max z)                     (log-sum-exp; never log of a rounded p)

**The Jacobian.** Both z_j's own exponential and S depend on z_j, ∂exp(z_i)/∂z_j = δ_ij exp(z_i) and
∂S/∂z_j = exp(z_j). By the quotient rule

    ∂p_i/∂z_j = (δ_ij exp(z_i) S − exp(z_i) exp(z_j)) / S² = p_i (δ_ij − p_j),

where the Kronecker delta δ_ij is 1 for i = j and 0 otherwise. As a matrix, J = diag(p) − p pᵀ.

**Cross-entropy** compares p with a target distribution y: E = −Σ_i y_i log p_i; for an integer label t it is −log p_t.
Its derivative at the probabilities is ∂E/∂p_i = −y_i / p_i.

**The chain rule joins the two**, and the p_i cancel:

    ∂E/∂z_j = Σ_i ∂E/∂p_i · ∂p_i/∂z_j = Σ_i (−y_i / p_i) · p_i (δ_ij − p_j)
            = −Σ_i y_i δ_ij + p_j Σ_i y_i = −y_j + p_j Σ_i y_i = p_j − y_j,

the last step because Σ_i y_i = 1. Nothing else was assumed about y: the result holds for one-hot labels and for any
distribution over the classes. For a label t the derivative is p_j for j ≠ t, and p_t − 1 for j = t.

**Dense layer below.** With z_j = Σ_i x_i W_ij + b_j, ∂z_j/∂W_ij = x_i and ∂z_j/∂b_j = 1, so ∂E/∂W_ij = x_i (p_j − y_j) and
∂E/∂b_j = p_j − y_j: for j = t these are −x_i + p_j x_i, for j ≠ t they are p_j x_i.

**One logistic unit** is the softmax of the logits (0, z): p = exp(z) / (1 + exp(z)) = σ(z). Its cross-entropy is
E = −y log σ(z) − (1 − y) log(1 − σ(z)) = log(1 + exp(z)) − y z, and ∂E/∂z = σ(z) − y: p − y again.

**Means.** The functions return the mean over rows, weighted by `sample_weight`: Σ_r w_r E_r / Σ_r w_r; the gradient is that
of this mean, so its row r is (p − y)_r w_r / Σ w.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, log_expit


@np.errstate(under="ignore")
def softmax(logits: ArrayLike) -> NDArray[np.floating]:
    """Turn logits into probabilities, p_i = exp(z_i) / Σ_k exp(z_k).

    The largest logit is subtracted first: the result does not change, and no exponential overflows.

    Parameters
    ----------
    logits : array-like of shape (..., n_classes)
        Finite logits; the last axis runs over the classes.

    Returns
    -------
    ndarray of the same shape
        Probabilities; along the last axis they sum to 1.

    See Also
    --------
    log_softmax : The logarithms, without rounding small probabilities to 0.

    Examples
    --------
    >>> from sksoftmax.loss import softmax
    >>> softmax([[1e4, 1e4, -1e4]])
    array([[0.5, 0.5, 0. ]])
    """
    return _normalized_exponentials(_shifted(logits))[0]


@np.errstate(under="ignore")
def log_softmax(logits: ArrayLike) -> NDArray[np.floating]:
    """Turn logits into log-probabilities, log p_i = z_i − max z − log Σ_k exp(z_k − max z).

    The logarithm is not computed from the rounded probability, so it is finite even if the probability underflows to 0.

    Parameters
    ----------
    logits : array-like of shape (..., n_classes)
        Finite logits; the last axis runs over the classes.

    Returns
    -------
    ndarray of the same shape
        Log-probabilities, finite for finite logits.

    See Also
    --------
    softmax : The probabilities.

    Examples
    --------
    >>> from sksoftmax.loss import log_softmax
    >>> log_softmax([[0.0, 1e4]])
    array([[-10000.,      0.]])
    """
    shifted = _shifted(logits)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


@np.errstate(under="ignore")
def softmax_jacobian(logits: ArrayLike) -> NDArray[np.floating]:
    """Compute the Jacobian of the softmax, ∂p_i/∂z_j = p_i (δ_ij − p_j).

    The Jacobian is symmetric, and its rows and columns sum to 0. Training does not need it: see `cross_entropy`.

    Parameters
    ----------
    logits : array-like of shape (..., n_classes)
        Finite logits; the last axis runs over the classes.

    Returns
    -------
    ndarray of shape (..., n_classes, n_classes)
        Entry [..., i, j] is ∂p_i/∂z_j: diag(p) − p pᵀ.

    See Also
    --------
    cross_entropy : The loss whose gradient needs no Jacobian, because the p_i cancel.

    Examples
    --------
    >>> from sksoftmax.loss import softmax_jacobian
    >>> softmax_jacobian([0.0, 0.0])
    array([[ 0.25, -0.25],
           [-0.25,  0.25]])
    """
    p = softmax(logits)
    delta = np.eye(p.shape[-1], dtype=p.dtype)
    return p[..., :, None] * (delta - p[..., None, :])


@np.errstate(under="ignore")
def cross_entropy(
    logits: ArrayLike, targets: ArrayLike, sample_weight: ArrayLike | None = None, label_smoothing: float = 0.0
) -> tuple[float, NDArray[np.floating]]:
    """Compute the mean softmax cross-entropy and its gradient at the logits, p − y.

    Integer labels are never expanded to one-hot rows. Rows of probabilities are called soft labels.

    Parameters
    ----------
    logits : array-like of shape (n_samples, n_classes)
        Finite logits.

    targets : array-like of shape (n_samples,) or (n_samples, n_classes)
        Integer labels 0 … n_classes − 1, or rows of probabilities that sum to 1.

    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights of the rows, not all 0. None gives all rows the same weight.

    label_smoothing : float, default=0.0
        Share of each target that is spread evenly over the classes, in [0, 1): y becomes (1 − ε) y + ε / n_classes ([1]_).

    Returns
    -------
    loss : float
        Σ_r w_r E_r / Σ_r w_r with E = −Σ_i y_i log p_i, in nats.

    d_logits : ndarray of shape (n_samples, n_classes)
        ∂loss/∂logits: row r is (p − y) w_r / Σ w.

    Raises
    ------
    ValueError
        If the shapes do not fit, a label is outside 0 … n_classes − 1, the weights sum to 0, or label_smoothing is not in [0, 1).

    See Also
    --------
    binary_cross_entropy : The same for independent logistic units.

    Notes
    -----
    The docstring of this module derives p − y.

    References
    ----------
    .. [1] Szegedy et al. (2016), "Rethinking the inception architecture", :arxiv:`1512.00567`.

    Examples
    --------
    >>> from sksoftmax.loss import cross_entropy
    >>> loss, d_logits = cross_entropy([[0.0, 0.0]], [1])
    >>> round(loss, 6), d_logits
    (0.693147, array([[ 0.5, -0.5]]))
    """
    z = _floats(logits)
    y = _checked_class_targets(z, np.asarray(targets))
    return softmax_loss(z.copy(), y, _checked_weight(sample_weight, len(z)), _checked_smoothing(label_smoothing))


def softmax_loss(z, y, weight, smoothing=0.0, prior=None):
    """`cross_entropy` of arrays that are known to fit, written over z.

    `prior`, (K,), is what smoothing moves the targets towards, y ← (1 − ε) y + ε · prior; None means 1 / K.
    """
    if smoothing and prior is None:
        prior = np.full(z.shape[1], 1 / z.shape[1], z.dtype)
    z -= np.maximum.reduce(z, axis=1, keepdims=True)  # shifted: now max z = 0
    y_dot_z = _target_dot(y, z, smoothing, prior)
    p, total = _normalized_exponentials(z)
    losses = np.log(total[:, 0]) - y_dot_z  # −Σ y log p, as Σ y = 1
    if y.ndim == 1:
        p.ravel("K")[_flat_index(p, y)] -= 1 - smoothing  # p − y, where row r of y is 1 at its label and 0 elsewhere
    else:
        p -= y if smoothing == 0 else (1 - smoothing) * y
    if smoothing:
        p -= smoothing * prior
    return _weighted_mean(losses, p, weight)


@np.errstate(under="ignore")
def sigmoid(logits: ArrayLike) -> NDArray[np.floating]:
    """Compute the logistic function σ(z) = 1 / (1 + exp(−z)).

    It is the second component of the softmax of (0, z).

    Parameters
    ----------
    logits : array-like
        Logits of any shape.

    Returns
    -------
    ndarray of the same shape
        Probabilities.

    See Also
    --------
    scipy.special.expit : The function that this one calls.

    Examples
    --------
    >>> from sksoftmax.loss import sigmoid
    >>> sigmoid([0.0, -1e4])
    array([0.5, 0. ])
    """
    return expit(_floats(logits))


@np.errstate(under="ignore")
def log_sigmoid(logits: ArrayLike) -> NDArray[np.floating]:
    """Compute the logarithm of the logistic function, −log(1 + exp(−z)).

    It is finite even if the probability underflows to 0.

    Parameters
    ----------
    logits : array-like
        Logits of any shape.

    Returns
    -------
    ndarray of the same shape
        Log-probabilities, finite for finite logits.

    See Also
    --------
    sigmoid : The probabilities.
    scipy.special.log_expit : The function that this one calls.

    Examples
    --------
    >>> from sksoftmax.loss import log_sigmoid
    >>> log_sigmoid([-1e4, 0.0])
    array([-1.00000000e+04, -6.93147181e-01])
    """
    return log_expit(_floats(logits))


@np.errstate(under="ignore")
def binary_cross_entropy(
    logits: ArrayLike, targets: ArrayLike, sample_weight: ArrayLike | None = None, label_smoothing: float = 0.0
) -> tuple[float, NDArray[np.floating]]:
    """Compute the mean logistic cross-entropy of independent units and its gradient, p − y.

    One unit is for two classes, L units are for L labels (multilabel).

    Parameters
    ----------
    logits : array-like of shape (n_samples, n_outputs)
        Finite logits, one column for each independent yes/no question.

    targets : array-like of shape (n_samples, n_outputs)
        Numbers in [0, 1]: 0/1 labels or probabilities of yes.

    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights of the rows, not all 0. None gives all rows the same weight.

    label_smoothing : float, default=0.0
        Share of each target that is spread evenly over yes and no, in [0, 1): y becomes (1 − ε) y + ε / 2 ([1]_).

    Returns
    -------
    loss : float
        Σ_r w_r E_r / Σ_r w_r with E = Σ_l log(1 + exp(z_l)) − y_l z_l, summed over the outputs, in nats.

    d_logits : ndarray of shape (n_samples, n_outputs)
        ∂loss/∂logits: row r is (p − y) w_r / Σ w.

    Raises
    ------
    ValueError
        If the shapes do not fit, the weights sum to 0, or label_smoothing is not in [0, 1).

    See Also
    --------
    cross_entropy : The same for classes that exclude each other.

    References
    ----------
    .. [1] Szegedy et al. (2016), "Rethinking the inception architecture", :arxiv:`1512.00567`.

    Examples
    --------
    >>> from sksoftmax.loss import binary_cross_entropy
    >>> loss, d_logits = binary_cross_entropy([[0.0]], [[1]])
    >>> round(loss, 6), d_logits
    (0.693147, array([[-0.5]]))
    """
    z, y = _floats(logits), np.asarray(targets)
    if z.ndim != 2 or z.size == 0 or y.shape != z.shape:
        raise ValueError(f"targets must have the shape of the two-dimensional logits; got {y.shape} and {z.shape}.")
    return logistic_loss(z.copy(), y, _checked_weight(sample_weight, len(z)), _checked_smoothing(label_smoothing))


def logistic_loss(z, y, weight, smoothing=0.0, prior=0.5):
    """`binary_cross_entropy` of arrays that are known to fit, written over z.

    `prior`, a number or (L,), is what smoothing moves the targets towards, y ← (1 − ε) y + ε · prior.
    """
    y = (1 - smoothing) * y + smoothing * prior if smoothing else y
    losses = (np.logaddexp(0, z) - y * z).sum(axis=1)
    p = expit(z, out=z)
    p -= y
    return _weighted_mean(losses, p, weight)


def _checked_smoothing(label_smoothing):
    if not 0 <= label_smoothing < 1:
        raise ValueError(f"label_smoothing must be in [0, 1); got {label_smoothing!r}.")
    return label_smoothing


def _floats(logits):
    z = np.asarray(logits)
    return z if z.dtype.char in "fd" else z.astype(np.float64)  # float32 and float64 stay


def _shifted(logits):
    z = _floats(logits)
    with np.errstate(over="ignore"):  # a difference too large for a float is −∞, as its exponential is 0
        return z - np.maximum.reduce(z, axis=-1, keepdims=True)


def _normalized_exponentials(shifted):
    """exp(shifted) / Σ exp(shifted), written over it, and Σ exp(shifted)."""
    p = np.exp(shifted, out=shifted)
    total = np.add.reduce(p, axis=-1, keepdims=True)
    p /= total
    return p, total


def _target_dot(y, z, smoothing, prior):
    """Σ_i y_i z_i of each row, with y smoothed."""
    at_target = z.ravel("K")[_flat_index(z, y)] if y.ndim == 1 else np.einsum("ij,ij->i", y, z)
    return at_target if smoothing == 0 else (1 - smoothing) * at_target + smoothing * (z @ prior)


def _flat_index(z, y):
    """The position of z[r, y_r] in z.ravel("K"), for each row r."""
    n_samples, n_classes = z.shape
    rows = np.arange(n_samples)
    return y * n_samples + rows if z.flags.f_contiguous else rows * n_classes + y


def _weighted_mean(losses, d_logits, weight):
    """The weighted mean of the rows' losses, and the rows of p − y scaled in place to its gradient."""
    if weight is None:
        d_logits *= 1 / len(losses)
        return float(np.add.reduce(losses)) / len(losses), d_logits
    share = (weight / weight.sum()).astype(d_logits.dtype, copy=False)
    d_logits *= share[:, None]
    return float(losses @ share), d_logits


def _checked_weight(sample_weight, n_samples):
    if sample_weight is None:
        return None
    weight = np.asarray(sample_weight)
    if weight.shape != (n_samples,):
        raise ValueError(f"sample_weight must have shape ({n_samples},), one weight a row; got {weight.shape}.")
    total = weight.sum()
    if not (total > 0 and weight.min() >= 0):
        raise ValueError(
            f"sample_weight must be non-negative with a sum above zero; the sum is {total}, the minimum {weight.min()}."
        )
    return weight


def _checked_class_targets(z, y):
    if z.ndim != 2 or z.size == 0:
        raise ValueError(f"logits must have shape (n_samples, n_classes), with neither of them 0; got {z.shape}.")
    n_samples, n_classes = z.shape
    if y.shape == z.shape:
        return y
    if y.shape != (n_samples,):
        raise ValueError(
            f"targets must have shape ({n_samples},) or {z.shape}, as the logits have {n_samples} rows; got {y.shape}."
        )
    if y.dtype.kind not in "iu":
        raise ValueError(f"one-dimensional targets must be integer labels; got dtype {y.dtype}.")
    if y.min() < 0 or y.max() >= n_classes:
        raise ValueError(f"labels must be in 0 … {n_classes - 1}; got {y.min()} … {y.max()}.")
    return y.astype(np.intp)
