"""Weights of classes, as factors of the weights of rows."""

from dataclasses import replace
from math import isfinite
from numbers import Real

import numpy as np

from sksoftmax.data.heads import MultilabelHead


def class_factors(class_weight, encoder, samples):
    """The factor of each class, in the order of `encoder.classes`; for multilabel targets of no and yes for each label, (L, 2).

    `samples` are the rows whose frequencies "balanced" evens out: n / (K n_k), counted in weights. None gives None.
    """
    if class_weight is None:
        return None
    multilabel = isinstance(encoder.head, MultilabelHead)
    if isinstance(class_weight, str):
        counts = encoder.head.class_totals(samples.targets, samples.weights)
        totals = counts.sum(axis=-1, keepdims=True)
        return np.divide(totals, counts.shape[-1] * counts, out=np.zeros_like(counts), where=counts > 0)
    if isinstance(class_weight, list) is not multilabel:
        raise ValueError(
            "class_weight must be a dict {class: weight} or 'balanced' for classes that exclude each other, a list with a dict "
            f"{{0: weight, 1: weight}} for each label or 'balanced' for multilabel targets; got {class_weight!r}."
        )
    if not multilabel:
        return _factors(class_weight, encoder.classes)
    if len(class_weight) != len(encoder.classes):
        raise ValueError(f"class_weight must have a dict for each of the {len(encoder.classes)} labels; got {len(class_weight)}.")
    return np.array([_factors(weights, np.arange(2)) for weights in class_weight])


def _factors(weights, classes):
    """A dict's weight of each class, 1 where it has none; ValueError for a class that is not there or a weight below 0."""
    if not isinstance(weights, dict):
        raise ValueError(f"class_weight must have dicts {{class: weight}}; got {weights!r}.")
    labels = classes.tolist()
    unknown = [label for label in weights if label not in labels]
    if unknown:
        raise ValueError(f"class_weight has classes that y has not: {unknown}. The classes are {labels}.")
    for label, weight in weights.items():
        if not isinstance(weight, Real) or not isfinite(weight) or weight < 0:
            raise ValueError(f"class_weight must be finite and non-negative; got {weight!r} for class {label!r}.")
    return np.array([float(weights.get(label, 1)) for label in labels])


def weighted(samples, factors, head):
    """The samples with the weight of each row multiplied by its class's factor (its mean under soft labels)."""
    if samples is None or factors is None:
        return samples
    weights = head.row_factors(samples.targets, factors).astype(samples.X.dtype)
    if samples.weights is not None:
        weights = weights * samples.weights
    if not weights.any():
        raise ValueError("class_weight gives every row the weight 0.")
    return replace(samples, weights=weights)
