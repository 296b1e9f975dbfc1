"""Groups: rows that belong together, as the visits of a patient, and go to one side of every split."""

import numpy as np
from scipy.sparse import csr_array

from sksoftmax.data.columns import is_missing

LARGEST = 0.4  # a group with a larger share of the rows is not left out: too few rows would be left to train on


def group_codes(groups, n_samples):
    """The number of each row's group, (n,), or None for None. Labels may be of any hashable type.

    ValueError if a label is missing, or if there is not one for each row; TypeError if one cannot be hashed.
    """
    if groups is None:
        return None
    if isinstance(groups, str | dict | set | frozenset) or not (hasattr(groups, "shape") or isinstance(groups, list | tuple)):
        raise TypeError(f"groups must be an array or a list with a label for each row of X; got {groups!r:.80}.")
    if getattr(groups, "ndim", 1) == 2 and groups.shape[1] == 1:
        groups = groups.iloc[:, 0] if hasattr(groups, "iloc") else groups[:, 0]
    shape = groups.shape if hasattr(groups, "shape") else (len(groups),)
    if tuple(shape) != (n_samples,):
        raise ValueError(f"groups must have shape ({n_samples},), one label a row of X; got {shape}.")
    labels = groups.tolist() if hasattr(groups, "tolist") else list(groups)
    number, codes = {}, np.empty(n_samples, dtype=np.intp)
    for row, label in enumerate(labels):
        try:
            codes[row] = number.setdefault(label, len(number))
        except TypeError as error:
            raise TypeError(f"groups must have hashable labels; got {label!r} in row {row}.") from error
        if is_missing(label):
            raise ValueError(f"groups must have a label for each row; got {label!r} in row {row}.")
    return codes


def renumbered(groups):
    """The groups, numbered 0 … G − 1, and G."""
    distinct, groups = np.unique(groups, return_inverse=True)
    return groups.ravel(), len(distinct)


def strata_of_groups(strata, groups):
    """The most frequent stratum of each group, (n_groups,), given the strata and the groups, 0 … n_groups − 1, of the rows."""
    distinct, codes = np.unique(strata, return_inverse=True)
    counts = csr_array((np.ones(len(codes)), (groups, codes.ravel())))
    return distinct[np.asarray(counts.argmax(axis=1)).ravel()]


def dealt(strata, n_parts, rng):
    """The part, 0 … n_parts − 1, of each row or group: in random order, each stratum is spread evenly, however rare it is."""
    part, order = np.empty(len(strata), dtype=np.intp), rng.permutation(len(strata))
    part[order[np.argsort(strata[order], kind="stable")]] = np.arange(len(strata)) % n_parts
    return part


def never_left_out(strata, groups):
    """Whether each group must stay in training, (n_groups,): it has a stratum that no other group has, or too many of the rows.

    `groups` has the group of each row, 0 … n_groups − 1.
    """
    codes = np.unique(strata, return_inverse=True)[1].ravel()
    stratum, group = np.unique(np.stack([codes, groups]), axis=1)
    is_only_one = np.bincount(stratum)[stratum] == 1
    stays = np.bincount(groups) > LARGEST * len(groups)
    stays[group[is_only_one]] = True
    return stays


def independent_rows(weights, groups, n_rows):
    """The number of groups, or rows, of equal weight that would tell as much, (Σ w)² / Σ w² (Kish, 1965, "Survey sampling").

    `weights` and `groups` of these rows may be None: then all weigh 1, or each is a group of its own.
    """
    weights = np.ones(n_rows) if weights is None else weights
    if groups is not None:
        groups, n_groups = renumbered(groups)
        weights = np.bincount(groups, weights, minlength=n_groups)
    weights = weights.astype(np.float64)
    return weights.sum() ** 2 / (weights @ weights)


def dealt_in_groups(strata, groups, n_folds, rng):
    """The fold of each row, (n,). Rows of one group, if there are `groups`, are in one fold; `strata` are spread evenly."""
    if groups is None:
        return dealt(strata, n_folds, rng)
    groups, _ = renumbered(groups)
    return dealt(strata_of_groups(strata, groups), n_folds, rng)[groups]
