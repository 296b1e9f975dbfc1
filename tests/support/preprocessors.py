"""Preprocessors that are fitted on rows alone."""

import numpy as np

from sksoftmax.data.columns import Categories
from sksoftmax.data.preprocessing import fit_preprocessor
from sksoftmax.data.rows import Samples


def fitted_preprocessor(X, scaling="robust", categories=None, weights=None, n_bins=0, relevance=None, keeps_unseen=False):
    """The preprocessor of these rows; `categories` has the sorted values of each categorical column."""
    asked = {"scaling": scaling, "n_bins": n_bins, "relevance": relevance}
    rng = np.random.RandomState(0)
    samples, categories = Samples(X, None, weights), Categories(categories or {})
    return fit_preprocessor(samples, categories, **asked, kind="labels", rng=rng, keeps_unseen=keeps_unseen)
