"""The weights and the calibration by which the logits of an ensemble's members become one set."""

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class EnsembleWeights:
    """Makes one set of logits of the members' logits: `inverse_temperature` · log Σ weight · p + `bias`.

    p is the softmax of a member's logits times its inverse temperature. `weights` and `inverse_temperatures` have shape
    (n_members,); `bias` has shape (n_outputs,), or is 0. `losses`, (n_members,), are the members' mean losses on the rows that
    they left out; None if they left out none. A companion counts as a member here, and comes last.
    """

    weights: np.ndarray
    inverse_temperatures: np.ndarray
    inverse_temperature: float = 1.0
    bias: np.ndarray | float = 0.0
    losses: np.ndarray | None = None

    @classmethod
    def equal(cls, n_members):
        """The weights by which all members count alike."""
        return cls(np.full(n_members, 1 / n_members), np.ones(n_members))

    def without_companion(self, n_members):
        """The weights of the first members alone."""
        weights, losses = self.weights[:n_members], None if self.losses is None else self.losses[:n_members]
        return replace(
            self, weights=weights / weights.sum(), inverse_temperatures=self.inverse_temperatures[:n_members], losses=losses
        )

    def with_companion_times(self, factor, n_members):
        """The weights with that of the companion, which comes after the members, multiplied by this factor."""
        weights = self.weights.copy()
        weights[n_members:] *= factor
        return replace(self, weights=weights / weights.sum())

    def with_members_like(self, source):
        """The weights after member i has become of the kind of member `source[i]`; equal kinds get the mean of their weights."""
        weights = np.array([self.weights[source == member].mean() for member in source])
        return replace(self, weights=weights, inverse_temperatures=self.inverse_temperatures[source])

    def absorbed(self, network):
        """Move the calibration of one network into its last layer; return the weights without it. Several keep theirs."""
        if len(self.weights) > 1:
            return self
        W, b = network.coefs[-1], network.intercepts[-1]
        W *= self.inverse_temperature
        b *= self.inverse_temperature
        b += self.bias
        return replace(EnsembleWeights.equal(1), losses=self.losses)

    def public(self, n_outputs):
        """The estimator's attributes that describe the ensemble."""
        return {
            "member_weights_": self.weights,
            "member_temperatures_": 1 / self.inverse_temperatures,
            "member_losses_": np.full(len(self.weights), np.nan) if self.losses is None else self.losses,
            "temperature_": 1 / self.inverse_temperature,
            "ensemble_bias_": np.broadcast_to(np.asarray(self.bias, np.float64), (n_outputs,)).copy(),
        }

    def logits(self, member_logits, head):
        """One set of logits, (n, n_outputs), made of the members' logits, (n_members, n, n_outputs)."""
        if len(member_logits) == 1:
            return member_logits[0]
        sharpened = member_logits * self.inverse_temperatures.astype(member_logits.dtype)[:, None, None]
        logits = self.inverse_temperature * mixed(sharpened, np.log(self.weights)[:, None], head) + self.bias
        return logits.astype(member_logits.dtype)


def mixed(logits, log_weights, head):
    """The logits of the ensemble Σ weight · p, by log-sum-exp; `log_weights` broadcasts to (n_members, n)."""
    log_p = head.log_p(logits)
    log_p = log_p + log_weights.reshape(log_weights.shape + (1,) * (log_p.ndim - 2))
    most = np.maximum.reduce(log_p, axis=0)
    log_p -= most
    return head.logits_of_log_p(most + np.log(np.add.reduce(np.exp(log_p, out=log_p), axis=0)))
