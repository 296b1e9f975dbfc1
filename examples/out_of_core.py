"""Data in a file: memory of a fit
==================================

``fit`` accepts a :class:`numpy.memmap` of float32 or float64 and never copies it.
Scales and bins are computed from a sample of 100,000 rows, and the network reads its
batches from the file. The file of this example has 32 MB, so that the example is
quick. The page on large data has the numbers for a file of 8 GB.
"""

import tempfile
import tracemalloc
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from sksoftmax import SoftmaxMLPClassifier

rng = np.random.default_rng(0)
folder = tempfile.TemporaryDirectory()
path = Path(folder.name) / "rows.npy"
rows, columns = 80_000, 100
X = np.lib.format.open_memmap(
    path, mode="w+", dtype=np.float32, shape=(rows, columns)
)
y = np.empty(rows, dtype=np.int64)
# Written block by block, like a file that is larger than memory
for start in range(0, rows, 20_000):
    part = slice(start, start + 20_000)
    X[part] = rng.normal(size=(20_000, columns))
    y[part] = X[part, 0] * X[part, 1] + X[part, 2] > 0
X.flush()
X = np.load(path, mmap_mode="r")


def peak(action):
    """Peak of the memory, in MB, that is held in addition to before the call."""
    tracemalloc.start()
    action()
    held = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return held


# %%
# Each fit is one epoch: on the file, on blocks of the file, and on the same rows in
# memory (this fit also holds X).
one_epoch = {"n_members": 1, "max_iter": 1, "n_bins": 0, "random_state": 0}
of_file = SoftmaxMLPClassifier(**one_epoch)
in_file = peak(lambda: of_file.fit(X, y))
blocks = SoftmaxMLPClassifier(**one_epoch)
in_blocks = peak(
    lambda: [
        blocks.partial_fit(X[i : i + 20_000], y[i : i + 20_000], classes=[0, 1])
        for i in range(0, rows, 20_000)
    ]
)
in_memory = peak(lambda: SoftmaxMLPClassifier(**one_epoch).fit(np.array(X), y))

# %%
figure, ax = plt.subplots(figsize=(7.5, 3), layout="constrained")
bars = {
    "the file": X.nbytes / 1e6,
    "fit, X in memory": in_memory,
    "fit, X in the file": in_file,
    "partial_fit, blocks": in_blocks,
}
ax.bar_label(
    ax.barh(
        list(bars),
        list(bars.values()),
        color=["silver", "C3", "C0", "C4"],
    ),
    fmt="%.0f MB",
)
ax.invert_yaxis()
ax.margins(x=0.12)
ax.set(xlabel="MB", title="Peak of the memory held in addition to before the call")
plt.show()
assert max(in_blocks, in_file) < in_memory
