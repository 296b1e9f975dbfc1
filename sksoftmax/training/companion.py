"""The companion of an ensemble: a model of another kind beside the networks, which sees what they see slowly."""

from sksoftmax.training import boosted_fit, radial_fit


def fit_companion(model, samples):
    """The companion of a model on these encoded rows, and its logits, (n, n_outputs), for each row with the row left out.

    It is a radial network on few rows, and boosted trees on many; (None, None) if neither fits the rows.
    """
    layout, targets = model.network.architecture.layout, model.targets
    if radial_fit.can_fit(samples, layout):
        return radial_fit.fit_radial(samples, layout, targets.head)
    if boosted_fit.can_fit(samples, layout, targets):
        return boosted_fit.fit_boosted(samples, layout, targets.head)
    return None, None
