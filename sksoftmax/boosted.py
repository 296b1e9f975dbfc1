"""Boosted trees beside the networks of an ensemble: their splits as arrays, and what they answer.

The trees are those of scikit-learn's `HistGradientBoostingClassifier`, which `training.boosted_fit` fits. As arrays they answer a
row in microseconds, are saved without code, and are written to ONNX.
"""

import numpy as np

from sksoftmax.engines.compiled_engine import tree_sums

NODES = ("feature", "threshold", "left", "right", "value")
ROWS = 2**12  # rows that the trees answer at once


class BoostedTrees:
    """The boosted trees of a fitted ensemble.

    Parameters
    ----------
    first : int
        The first column that they see, of an encoded row; features are counted from it.

    nodes : dict of str to ndarray of shape (n_nodes,)
        The nodes of all trees. Node i sends a row to node `left[i]` if its column `feature[i]` is at most `threshold[i]`, else to
        `right[i]`; a leaf has the feature −1, and adds `value[i]` to an output.

    roots : ndarray of int32 of shape (n_trees,)
        The first node of each tree.

    outputs : ndarray of int32 of shape (n_trees,)
        The output to which each tree adds.

    offset : ndarray of shape (n_outputs,)
        The outputs without trees.
    """

    role = "boosted trees"

    def __init__(self, first, nodes, roots, outputs, offset):
        self.first, self.nodes, self.roots, self.outputs, self.offset = first, nodes, roots, outputs, offset

    @property
    def size(self):
        """What there is, in words."""
        return f"{len(self.roots):,} trees"

    def check(self, n_columns, n_outputs):
        """ValueError if these trees do not fit rows of `n_columns` and `n_outputs`, or if a row would never reach a leaf."""
        feature, left, right = (self.nodes[name] for name in ("feature", "left", "right"))
        n, inside = len(feature), np.flatnonzero(feature >= 0)
        of_kind = all(np.asarray(part).dtype == np.int32 for part in (feature, left, right, self.roots, self.outputs))
        of_floats = all(self.nodes[name].dtype == self.offset.dtype for name in ("threshold", "value"))
        below = np.concatenate([left[inside] - inside, right[inside] - inside, [1]]).min() > 0
        ends = np.concatenate([left[inside], right[inside], self.roots, [0]])
        if not (
            of_kind
            and of_floats
            and all(len(self.nodes[name]) == n for name in NODES)
            and below
            and 0 <= ends.min() <= ends.max() < n
            and 0 <= self.first <= self.first + max(feature.max(), 0) < n_columns
            and len(self.roots) == len(self.outputs)
            and 0 <= self.outputs.min() <= self.outputs.max() < n_outputs == len(self.offset)
        ):
            raise ValueError("the boosted trees do not fit the columns and outputs")

    def logits(self, X, head):
        """The logits, (n, n_outputs), of encoded rows."""
        X = np.ascontiguousarray(X, self.offset.dtype)
        found = np.tile(self.offset, (len(X), 1))
        if not tree_sums(X, self, found):
            for start in range(0, len(X), ROWS):
                part = slice(start, start + ROWS)
                self._add(X[part, self.first :], found[part])
        return found

    def _add(self, X, out):
        """Add the trees' answers to `out`: all rows go down a tree together."""
        rows, (feature, threshold, left, right, value) = np.arange(len(X)), map(self.nodes.get, NODES)
        for root, output in zip(self.roots, self.outputs):
            node = np.full(len(X), root)
            while (inside := feature[node] >= 0).any():
                below = np.where(X[rows, feature[node]] <= threshold[node], left[node], right[node])
                node = np.where(inside, below, node)
            out[:, output] += value[node]
