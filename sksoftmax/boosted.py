"""Boosted trees beside the networks of an ensemble: their splits as arrays, and what they answer.

The trees are those of scikit-learn's `HistGradientBoostingClassifier`, which `training.boosted_fit` fits. As arrays they predict a
row in microseconds, are saved without code, and are written to ONNX.
"""

import numpy as np

from sksoftmax.engines.compiled_engine import tree_sums

ROWS = 2**12  # rows of which the trees' answers are computed at once


class BoostedTrees:
    """The boosted trees of a fitted ensemble.

    Node i of all trees sends a row to node `left[i]` if its column `feature[i]` is at most `threshold[i]`, else to `right[i]`; a
    leaf has the feature −1, and adds `value[i]` to an output.

    Parameters
    ----------
    first : int
        The first column that they see, of an encoded row; features are counted from it.

    feature, left, right : ndarray of int32 of shape (n_nodes,)
        The columns of the splits, and the nodes below them.

    threshold, value : ndarray of shape (n_nodes,)
        The thresholds of the splits, and the values of the leaves.

    roots, outputs : ndarray of int32 of shape (n_trees,)
        The first node of each tree, and the output to which it adds.

    offset : ndarray of shape (n_outputs,)
        The outputs without trees.
    """

    role = "boosted trees"

    def __init__(self, first, feature, threshold, left, right, value, roots, outputs, offset):
        self.first, self.feature, self.threshold, self.left, self.right = first, feature, threshold, left, right
        self.value, self.roots, self.outputs, self.offset = value, roots, outputs, offset

    @property
    def size(self):
        """What there is, in words."""
        return f"{len(self.roots):,} trees"

    def logits(self, X, head):
        """The logits, (n, n_outputs), of encoded rows."""
        X = np.ascontiguousarray(X, self.value.dtype)
        found = np.tile(self.offset, (len(X), 1))
        if not tree_sums(X, self, found):
            for start in range(0, len(X), ROWS):
                part = slice(start, start + ROWS)
                self._add(X[part, self.first :], found[part])
        return found

    def _add(self, X, out):
        """Add the trees' answers to `out`: all rows go down a tree together."""
        rows = np.arange(len(X))
        for root, output in zip(self.roots, self.outputs):
            node = np.full(len(X), root)
            while (inside := self.feature[node] >= 0).any():
                below = np.where(X[rows, self.feature[node]] <= self.threshold[node], self.left[node], self.right[node])
                node = np.where(inside, below, node)
            out[:, output] += self.value[node]
