"""Turns weights of classes into factors of the weights of rows."""

from dataclasses import replace
from math import isfinite
from numbers import Real

import numpy as np


def class_factors(class_weight, targets, samples):
    """The factor of each class, in the order of `targets.classes`; None if `class_weight` is None.

    Multilabel targets have factors of no and yes for each label, (L, 2). "balanced" means n / (K n_k): n is the total weight of
    all `samples`, and n_k is the total weight of the samples of class k.
    """
    if class_weight is None:
        return None
    multilabel = targets.kind == "multilabel"
    if isinstance(class_weight, str):
        counts = targets.head.class_totals(samples.targets, samples.weights)
        totals = counts.sum(axis=-1, keepdims=True)
        return np.divide(totals, counts.shape[-1] * counts, out=np.zeros_like(counts), where=counts > 0)
    if isinstance(class_weight, list) is not multilabel:
        raise ValueError(
            "class_weight must be a dict {class: weight} or 'balanced' for classes that exclude each other, a list with a dict "
            f"{{0: weight, 1: weight}} for each label or 'balanced' for multilabel targets; got {class_weight!r}."
        )
    if not multilabel:
        return _factors(class_weight, targets.classes)
    if len(class_weight) != len(targets.classes):
        raise ValueError(f"class_weight must have a dict for each of the {len(targets.classes)} labels; got {len(class_weight)}.")
    return np.array([_factors(weights, np.arange(2)) for weights in class_weight])


def _factors(weights, classes):
    """The dict's weight of each class, or 1 for a class that it lacks; raise ValueError for a wrong class or weight.

    It may name a class that y lacks, as a fold may, unless it also lacks a class that y has (scikit-learn's rule): this is how a
    misspelled class is found.
    """
    if not isinstance(weights, dict):
        raise ValueError(f"class_weight must have dicts {{class: weight}}; got {weights!r}.")
    labels = classes.tolist()
    unknown = [label for label in weights if label not in labels]
    lacking = [label for label in labels if label not in weights]
    if unknown and lacking:
        raise ValueError(f"class_weight has classes that are not in y, {unknown}, and lacks classes of y, {lacking}.")
    for label, weight in weights.items():
        if not isinstance(weight, Real) or not isfinite(weight) or weight < 0:
            raise ValueError(f"class_weight must be finite and non-negative; got {weight!r} for class {label!r}.")
    return np.array([float(weights.get(label, 1)) for label in labels])


def weighted(samples, factors, head, dtype):
    """The samples with each row's weight multiplied by the factor of its class (under soft labels, by the mean factor).

    Rows of classes of the weight 0 are left out.
    """
    weights = head.row_factors(samples.targets, factors).astype(dtype)
    if samples.weights is not None:
        weights = weights * samples.weights
    if not weights.any():
        raise ValueError("class_weight gives every row the weight 0.")
    return replace(samples, weights=weights).without_zero_weights()
