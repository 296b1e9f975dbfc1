"""How the answers of a committee's members become one."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import logsumexp


@dataclass(frozen=True)
class Mixture:
    """Makes one set of logits of the members' logits: `final` · log Σ weight · softmax(sharpness · logits) + `bias`.

    `weights` and `sharpness`, inverse temperatures, have shape (n_members,); `bias` has shape (n_outputs,), or is 0. `losses`,
    (n_members,), are the members' mean losses on the rows that they left out; None if they left out none.
    """

    weights: np.ndarray
    sharpness: np.ndarray
    final: float = 1.0
    bias: np.ndarray | float = 0.0
    losses: np.ndarray | None = None

    @classmethod
    def equal(cls, n_members):
        """The mixture in which all members count alike."""
        return cls(np.full(n_members, 1 / n_members), np.ones(n_members))

    def adopting(self, model):
        """The mixture after member i has become of the kind of `model[i]`; members of one kind get the mean of their weights."""
        weights = np.array([self.weights[model == of_member].mean() for of_member in model])
        return replace(self, weights=weights, sharpness=self.sharpness[model])

    def logits(self, member_logits, head):
        """One set of logits, (n, n_outputs), made of the members' logits, (n_members, n, n_outputs)."""
        if len(member_logits) == 1:
            return member_logits[0]
        sharpened = member_logits * self.sharpness.astype(member_logits.dtype)[:, None, None]
        logits = self.final * mixed(sharpened, np.log(self.weights)[:, None], head) + self.bias
        return logits.astype(member_logits.dtype)


def mixed(logits, log_weights, head):
    """The logits of the mixture Σ weight · p, by log-sum-exp; `log_weights` broadcasts to (n_members, n)."""
    log_p = head.log_p(logits)
    log_p = log_p + np.expand_dims(log_weights, tuple(range(2, log_p.ndim)))
    return head.logits_of_log_p(logsumexp(log_p, axis=0))
