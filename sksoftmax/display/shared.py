"""Functions that the displays share: find the fitted estimator, make axes, draw bars with names."""

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted


def last_step(estimator):
    """The estimator itself, or the last step of a pipeline, or the best estimator of a search."""
    while True:
        if isinstance(estimator, Pipeline):
            estimator = estimator[-1]
        elif hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif hasattr(estimator, "cv_results_"):
            raise TypeError(f"estimator is a search that keeps no fitted estimator: use refit=True; got {estimator!r:.200}.")
        else:
            return estimator


def fitted_with(estimator, attribute):
    """The fitted estimator to draw; TypeError if it has no such attribute."""
    estimator = last_step(estimator)
    check_is_fitted(estimator)
    if not hasattr(estimator, attribute):
        raise TypeError(f"estimator must have {attribute} once fitted, as SoftmaxMLPClassifier has; got {estimator!r:.200}.")
    return estimator


def new_axes(n=1, **figure):
    """One or `n` axes in a new figure; if matplotlib is missing, raise an ImportError that names what to install."""
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError('The displays need matplotlib to draw: pip install "sksoftmax[plot]"') from error
    return pyplot.subplots(1, n, layout="constrained", sharey=n > 1, **figure)[1]


def draw_bars(ax, names, values, label, kwargs):
    """Draw horizontal bars from the top, each with its name, and return their container."""
    bars = ax.barh(range(len(names)), values, **kwargs)
    ax.set_yticks(range(len(names)), names)
    ax.set(ylim=(len(names) - 0.5, -0.5), xlabel=label)
    return bars
