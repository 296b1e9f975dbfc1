"""The fit of boosted trees: scikit-learn's `HistGradientBoostingClassifier`, once without each half of the rows.

Each half is what the trees of the other half have not seen: their answers to it give the trees a weight in the ensemble. New rows
get the mean answer of both.
"""

import numpy as np
from scipy.sparse import issparse
from sklearn.ensemble import HistGradientBoostingClassifier

from sksoftmax import sklearn_private
from sksoftmax.boosted import NODES, BoostedTrees
from sksoftmax.data.groups import dealt_in_groups
from sksoftmax.data.rows import LazyRows, read
from sksoftmax.training.radial_fit import MAX_ROWS as MIN_ROWS  # up to which there is a radial network

MAX_ROWS = 100_000
MAX_NUMBERS = 10**7  # the most numbers in these rows
MAX_OUTPUTS = 10  # each has a tree in each of a hundred rounds
HALVES = 2


def can_fit(samples, layout, targets):
    """Whether these encoded rows may have boosted trees: they are dense and labeled, and neither few nor many."""
    n, X = len(samples), samples.X
    is_sparse = issparse(X) or (isinstance(X, LazyRows) and X.stays_sparse)
    n_columns = layout.n_numbers - layout.n_bins
    return (
        not is_sparse
        and targets.kind == "labels"
        and n_columns > 0
        and samples.n_distinct > MIN_ROWS
        and n <= MAX_ROWS
        and n * n_columns <= MAX_NUMBERS
        and targets.head.n_outputs <= MAX_OUTPUTS
    )


def fit_boosted(samples, layout, head):
    """The `BoostedTrees` of these encoded rows, and their logits, (n, n_outputs), for each row by trees that have not seen it.

    (None, None) if a half lacks a class. The seed is fixed, so that the networks draw the same numbers with trees as without.
    """
    X, labels, rng = read(samples.X), samples.strata, np.random.RandomState(0)
    columns = slice(layout.n_bins, layout.n_numbers)
    half = dealt_in_groups(labels, samples.groups, HALVES, rng)
    if any(np.bincount(labels[half == number], minlength=len(head.classes)).min() == 0 for number in range(HALVES)):
        return None, None
    seed, parts = rng.randint(np.iinfo(np.int32).max), []
    left_out = np.empty((len(X), head.n_outputs), X.dtype)
    for number in range(HALVES):
        seen, unseen = half != number, half == number
        model = HistGradientBoostingClassifier(early_stopping=False, random_state=seed)
        weights = None if samples.weights is None else samples.weights[seen] / samples.weights.mean(dtype=np.float64)
        sklearn_private.fit_boosting(model, X[seen, columns], labels[seen], weights)
        parts.append(trees_of(model, layout.n_bins, head, X.dtype))
        left_out[unseen] = parts[-1].logits(X[unseen], head)
    return mean_of(parts), left_out


def trees_of(model, first, head, dtype):
    """The trees of a fitted model, with numbers of this dtype."""
    outputs, trees = zip(*sklearn_private.trees_of_boosting(model))
    sizes = np.array([len(nodes) for nodes in trees])
    all_nodes, roots = np.concatenate(trees), (np.cumsum(sizes) - sizes).astype(np.int32)
    starts = np.repeat(roots, sizes)
    nodes = {
        "feature": np.where(all_nodes["is_leaf"], -1, all_nodes["feature_idx"]).astype(np.int32),
        "threshold": not_above(all_nodes["num_threshold"], dtype),
        "left": all_nodes["left"].astype(np.int32) + starts,
        "right": all_nodes["right"].astype(np.int32) + starts,
        "value": all_nodes["value"].astype(dtype),
    }
    outputs, offset = np.array(outputs, np.int32), np.ravel(sklearn_private.baseline_of_boosting(model)).astype(dtype)
    if len(offset) < head.n_outputs:  # two classes with two outputs: the second one is the log-odds, the first one 0
        outputs, offset = outputs + np.int32(1), np.concatenate([np.zeros_like(offset), offset])
    return BoostedTrees(first, nodes, roots, outputs, offset)


def not_above(thresholds, dtype):
    """The largest numbers of this dtype that are not above the thresholds: they part rows of this dtype as the thresholds do."""
    rounded = thresholds.astype(dtype)
    return np.where(rounded > thresholds, np.nextafter(rounded, np.array(-np.inf, dtype)), rounded)


def mean_of(parts):
    """The trees whose answers are the mean of those of these trees."""
    n_nodes = [len(part.nodes["value"]) for part in parts]
    starts = (np.cumsum(n_nodes) - n_nodes).astype(np.int32)
    nodes = {name: np.concatenate([part.nodes[name] for part in parts]) for name in NODES}
    for name in ("left", "right"):
        nodes[name] += np.repeat(starts, n_nodes)
    nodes["value"] /= len(parts)
    roots = np.concatenate([part.roots + start for part, start in zip(parts, starts)])
    outputs, offset = np.concatenate([part.outputs for part in parts]), np.mean([part.offset for part in parts], axis=0)
    return BoostedTrees(parts[0].first, nodes, roots, outputs, offset)
