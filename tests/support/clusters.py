"""Clusters of dask on this machine, and data as dask collections."""

import sys
from contextlib import contextmanager

import dask.array as da
import numpy as np
import pandas as pd
from distributed import Client, LocalCluster
from scipy.sparse import csr_matrix, issparse
from scipy.sparse import random as sparse_random

from support.repository import ROOT


@contextmanager
def cluster(n_workers, processes=False):
    """A client of a cluster with workers of one thread, in this process or in processes, which find functions of test modules."""
    options = {"threads_per_worker": 1, "processes": processes, "dashboard_address": ":0", "memory_limit": 0}
    sys.path.append(str(ROOT))
    try:
        with LocalCluster(n_workers=n_workers, **options) as workers, Client(workers) as client:
            yield client
    finally:
        sys.path.remove(str(ROOT))


def in_parts(data, sizes):
    """Rows of an array, a CSR matrix, a pandas frame or series as a dask collection with partitions of these sizes."""
    import dask

    ends = np.cumsum(sizes)
    parts = [data[end - size : end] for size, end in zip(sizes, ends)]
    if isinstance(data, pd.DataFrame | pd.Series):
        import dask.dataframe as dd

        return dd.from_delayed([dask.delayed(part) for part in parts], meta=data[:0], verify_meta=False)
    if issparse(data):
        blocks = [da.from_delayed(dask.delayed(part), part.shape, part.dtype, meta=csr_matrix((0, 0))) for part in parts]
        return da.concatenate(blocks)
    return da.concatenate([da.from_array(part, chunks=-1) for part in parts])


N, SIZES = 300, [70, 0, 1, 99, 60, 70]
_rng = np.random.default_rng(0)
NUMBERS = _rng.normal(size=(N, 5))
NUMBERS[_rng.random(NUMBERS.shape) < 0.05] = np.nan
LABELS = (np.nan_to_num(NUMBERS[:, 0] * NUMBERS[:, 1]) + np.nan_to_num(NUMBERS[:, 2]) > 0).astype(int) + (_rng.random(N) < 0.2)
FRAME = pd.DataFrame({
    "size": NUMBERS[:, 0],
    "color": np.where(_rng.random(N) < 0.1, None, _rng.choice(["red", "green", "blue"], N)),
    "kind": pd.Categorical(_rng.choice(["a", "b"], N)),
    "many": _rng.choice([f"town {i}" for i in range(90)], N),
    "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(_rng.integers(0, 700, N), unit="D"),
    "is_new": _rng.random(N) < 0.5,
    "weight": NUMBERS[:, 3],
})  # fmt: skip
SPARSE = csr_matrix(sparse_random(N, 40, density=0.1, random_state=0))
MANY_LABELS = np.column_stack([LABELS > 0, NUMBERS[:, 3] > 0]).astype(int)
SOFT = np.eye(3)[LABELS] * 0.8 + 0.2 / 3
WEIGHTS = _rng.integers(0, 4, N).astype(float)
GROUPS = _rng.integers(0, 40, N)
