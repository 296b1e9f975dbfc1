"""Heads define what the network's output units mean: they encode targets for the loss, and turn logits into answers.

A head has a loss (its gradient at the logits is p − y), turns labels or probabilities into the targets of that loss, and
turns logits, (n, n_outputs), into predictions, probabilities and scores. Probabilities are at least the
smallest normal number of their dtype, so that a user's log(p) is finite; `log_probabilities` returns the exact values.
"""

import numpy as np

from sksoftmax.loss import log_sigmoid, log_softmax, logistic_loss, sigmoid, softmax, softmax_loss

TINY = {"f": np.finfo(np.float32).tiny, "d": np.finfo(np.float64).tiny}  # smallest normal numbers


class SoftmaxHead:
    """Head with K units, for classes that exclude each other."""

    out_activation = "softmax"
    loss = staticmethod(softmax_loss)

    def __init__(self, classes):
        self.classes = classes
        self.n_outputs = len(classes)

    @property
    def uniform_target(self):
        """The mean target of each output if all classes are equally frequent."""
        return 1 / self.n_outputs

    def from_codes(self, codes, dtype):
        """The codes unchanged: integer labels stay integers."""
        return codes

    def from_probabilities(self, rows, dtype):
        """The soft labels as floats, to compare with p."""
        return rows.astype(dtype, copy=False)

    def predict(self, logits):
        """The class of the highest logit."""
        return self.classes[logits.argmax(axis=1)]

    def probabilities(self, logits):
        """softmax(logits), (n, K)."""
        return above_zero(softmax(logits))

    def log_probabilities(self, logits):
        """log softmax(logits), (n, K)."""
        return log_softmax(logits)

    def decision(self, logits):
        """The logits; for two classes their difference, which is the log-odds of the second class, (n,)."""
        return logits[:, 1] - logits[:, 0] if self.n_outputs == 2 else logits

    def log_p(self, logits):
        """The log-probabilities in which members are mixed, log softmax(logits), (…, K)."""
        return log_softmax(logits)

    def logits_of_log_p(self, log_p):
        """The logits of an ensemble with these log-probabilities."""
        return log_p

    def logits_of_p(self, p):
        """The logits of probabilities above 0, log p."""
        return np.log(p)

    def matrix(self, targets):
        """The targets as probabilities, (n, K)."""
        return np.eye(self.n_outputs, dtype=np.float32)[targets] if targets.ndim == 1 else targets

    def log_likelihood(self, logits, targets):
        """Σ y log p of each row, (n,)."""
        log_p = log_softmax(logits)
        return log_p[np.arange(len(log_p)), targets] if targets.ndim == 1 else (targets * log_p).sum(axis=1)

    def class_totals(self, targets, weights):
        """The share of each class in the targets, (K,)."""
        if targets.ndim == 1:
            totals = np.bincount(targets, weights, minlength=self.n_outputs)
            return totals / totals.sum()
        return np.average(targets, axis=0, weights=weights).astype(np.float64)

    def frequencies(self, targets, weights):
        """The mean target of each output, (n_outputs,)."""
        return self.class_totals(targets, weights)

    def strata(self, targets):
        """The class of each row, or its most probable class, (n,), by which splits are stratified."""
        return targets if targets.ndim == 1 else targets.argmax(axis=1)

    def row_factors(self, targets, factors):
        """The factor of each row's class, or the mean factor over its soft label, (n,)."""
        return factors[targets] if targets.ndim == 1 else targets @ factors

    def is_correct(self, logits, targets):
        """Whether each row's most probable class is the target's."""
        labels = targets if targets.ndim == 1 else targets.argmax(axis=1)
        return logits.argmax(axis=1) == labels


class LogisticHead:
    """Base class of the heads with logistic units."""

    out_activation = "logistic"
    loss = staticmethod(logistic_loss)
    uniform_target = 0.5  # the mean target of each output if all labels are as frequent as not

    def log_p(self, logits):
        """The log-probabilities of yes and no, in which members are mixed, (…, n_outputs, 2)."""
        return log_sigmoid(np.stack([logits, -logits], axis=-1))

    def logits_of_log_p(self, log_p):
        """The log-odds of an ensemble with these log-probabilities."""
        return log_p[..., 0] - log_p[..., 1]

    def logits_of_p(self, p):
        """The log-odds of probabilities between 0 and 1."""
        return np.log(p / (1 - p))

    def matrix(self, targets):
        """The targets as probabilities, (n, n_outputs)."""
        return targets

    def frequencies(self, targets, weights):
        """The mean target of each output, (n_outputs,)."""
        return np.average(targets, axis=0, weights=weights).astype(np.float64)

    def log_likelihood(self, logits, targets):
        """Σ y log σ(z) + (1 − y) log σ(−z) of each row, (n,)."""
        return (targets * logits - np.logaddexp(0, logits)).sum(axis=1)


class BinaryHead(LogisticHead):
    """Head with one logistic unit, whose logit is the log-odds of the second of two classes."""

    n_outputs = 1

    def __init__(self, classes):
        self.classes = classes

    def from_codes(self, codes, dtype):
        """The codes 0 and 1 as one column of floats."""
        return codes.astype(dtype)[:, None]

    def from_probabilities(self, rows, dtype):
        """The second class's probability as one column."""
        return rows[:, 1:].astype(dtype, copy=False)

    def predict(self, logits):
        """The second class if its odds are above 1, else the first."""
        return self.classes[(logits[:, 0] > 0).astype(np.intp)]

    def probabilities(self, logits):
        """[σ(−z), σ(z)], (n, 2). σ(−z) is 1 − σ(z) without cancellation."""
        return above_zero(sigmoid(np.hstack([-logits, logits])))

    def log_probabilities(self, logits):
        """[log σ(−z), log σ(z)], (n, 2)."""
        return log_sigmoid(np.hstack([-logits, logits]))

    def decision(self, logits):
        """The log-odds, (n,)."""
        return logits[:, 0]

    def class_totals(self, targets, weights):
        """The share of each class in the targets, (2,)."""
        yes = np.average(targets[:, 0], weights=weights)
        return np.array([1 - yes, yes], dtype=np.float64)

    def strata(self, targets):
        """The class of each row, or its more probable class, (n,), by which splits are stratified."""
        return (targets[:, 0] > 0.5).astype(np.intp)

    def row_factors(self, targets, factors):
        """The factor of each row's class, or the mean factor over its soft label, (n,)."""
        return factors[0] + targets[:, 0] * (factors[1] - factors[0])

    def is_correct(self, logits, targets):
        """Whether each row's more probable class is the target's."""
        return (logits[:, 0] > 0) == (targets[:, 0] > 0.5)


class MultilabelHead(LogisticHead):
    """Head with L independent logistic units."""

    def __init__(self, classes):
        self.classes = classes
        self.n_outputs = len(classes)

    def from_indicators(self, indicators, dtype):
        """The 0/1 matrix as floats."""
        return indicators.astype(dtype)

    def predict(self, logits):
        """A 0/1 matrix with 1 for each label whose odds are above 1."""
        return (logits > 0).astype(np.int64)

    def probabilities(self, logits):
        """σ(logits), (n, L), kept strictly inside (0, 1) as scikit-learn requires of multilabel probabilities."""
        return np.minimum(above_zero(sigmoid(logits)), 1 - np.finfo(logits.dtype).epsneg)

    def log_probabilities(self, logits):
        """The logarithms of `probabilities`, (n, L); log σ(logits) for probabilities that underflow."""
        p = self.probabilities(logits)
        return np.where(p <= TINY[p.dtype.char], log_sigmoid(logits), np.log(p))

    def decision(self, logits):
        """The log-odds, (n, L)."""
        return logits

    def class_totals(self, targets, weights):
        """The shares of no and yes for each label, (L, 2)."""
        yes = np.average(targets, axis=0, weights=weights)
        return np.stack([1 - yes, yes], axis=1).astype(np.float64)

    def strata(self, targets):
        """The rarest label of each row, by its place in the order from rare to frequent; the number of labels if it has none.

        Splits are stratified by it, (n,).
        """
        from_rarest = targets[:, np.argsort(targets.sum(axis=0), kind="stable")] > 0.5
        return np.where(from_rarest.any(axis=1), from_rarest.argmax(axis=1), targets.shape[1])

    def row_factors(self, targets, factors):
        """The product of the factors of each row's labels, (n,), as in scikit-learn's compute_sample_weight."""
        return (factors[:, 0] + targets * (factors[:, 1] - factors[:, 0])).prod(axis=1)

    def is_correct(self, logits, targets):
        """Whether all of a row's labels are right (subset accuracy)."""
        return ((logits > 0) == (targets > 0.5)).all(axis=1)


OUT_ACTIVATIONS: dict[str, type] = {"softmax": SoftmaxHead}  # heads that the user may choose for classes that exclude each other


def above_zero(p):
    """Return p with 0 and subnormal numbers replaced, in place, by the smallest normal number."""
    return np.maximum(p, TINY[p.dtype.char], out=p)
