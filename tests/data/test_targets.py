"""Targets: the kind and the classes of y, and y encoded for a head."""

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_matrix

from sksoftmax.data.heads import BinaryHead, MultilabelHead, SoftmaxHead
from sksoftmax.data.targets import ENOUGH_ROWS, Targets, column_names, first_kind, make_head, target_kind

LABELS = np.array(["b", "a", "c", "a"])
ONE_HOT = np.eye(3, dtype=int)[[0, 1, 2, 1]]
INDICATORS = np.array([[1, 1, 0], [0, 0, 0], [0, 1, 1], [1, 0, 0]])
SOFT = np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0], [0.0, 0.5, 0.5], [0.25, 0.5, 0.25]])


@pytest.mark.parametrize(
    "y, kinds",
    [
        (LABELS, ["labels"] * 3),
        (INDICATORS, ["multilabel", "multilabel", "probabilities"]),
        (ONE_HOT.astype(bool), ["multilabel", "multilabel", "probabilities"]),
        (csr_matrix(ONE_HOT), ["multilabel", "multilabel", "probabilities"]),
        (ONE_HOT.astype("float32"), ["probabilities", "multilabel", "probabilities"]),
        (INDICATORS.astype(float), ["multilabel", "multilabel", "probabilities"]),
        (SOFT, ["probabilities"] * 3),
    ],
    ids=["text", "indicators", "one-hot bool", "one-hot sparse", "one-hot float", "float indicators", "soft"],
)
def test_target_type_decides_the_kind_of_a_matrix_of_0_and_1_and_auto_takes_float_rows_that_sum_to_1_for_probabilities(y, kinds):
    assert [target_kind(y, target_type) for target_type in ("auto", "multilabel", "probabilities")] == kinds


@pytest.mark.parametrize("n_rows, target_type, warns", [(ENOUGH_ROWS, "auto", 1), (9, "auto", 0), (10, "multilabel", 0)])
def test_a_warning_names_a_one_hot_y_of_integers_unless_there_are_few_rows_or_target_type_is_given(n_rows, target_type, warns):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for y in (np.eye(2, dtype=int)[np.arange(n_rows) % 2], np.eye(3, dtype=int)[np.arange(n_rows) % 2]):
            assert first_kind(y, target_type) == "multilabel"  # a class that no row has speaks for labels
    assert ["y is a one-hot matrix" in str(warning.message) for warning in caught] == [True] * warns


@pytest.mark.parametrize(
    ("rows", "advice"),
    [
        ([[2, 1], [0, 3]], "row 0 sums to 3. Divide each row by its sum"),
        ([[2.0, 1.0], [0.0, 3.0]], "row 0 sums to 3. Divide each row by its sum"),
        ([[0, 1], [1, 1]], "row 1 sums to 2. For several labels in a row, set target_type='multilabel'"),
        ([[0.5, 0.5], [1.5, -0.5]], "row 1 has a negative one"),
    ],
    ids=["counts", "float counts", "indicators", "negative"],
)
def test_target_type_probabilities_says_how_to_make_probabilities_of_other_numbers(rows, advice):
    with pytest.raises(ValueError, match=f"read as class probabilities, .*{advice}"):
        Targets.from_y(np.array(rows), "auto", "probabilities").encode(np.array(rows), np.float64)


@pytest.mark.parametrize("classes", [3, [], [np.nan, 1.0], [0, "a"], [[0], [0, 1]]], ids=str)
def test_wrong_classes_are_refused_by_name(classes):
    with pytest.raises(ValueError, match=r"classes must .*; got"):
        Targets.from_classes(LABELS, classes, "auto")
    with pytest.raises(ValueError, match=r"classes must .*; got"):
        Targets.from_y(LABELS, "auto").check_classes(classes)


@pytest.mark.parametrize(
    "columns, names", [(["b", "a"], ["b", "a"]), ([5, 7], [5, 7]), (["a", 1], None), (["a", "a"], None), ([0.5, 1.5], None)]
)
def test_names_of_columns_count_if_they_are_distinct_and_all_text_or_all_integers(columns, names):
    found = column_names(pd.DataFrame(SOFT[:, :2], columns=columns))
    assert (None if found is None else found.tolist()) == names
    assert Targets.from_y(INDICATORS[:, :2], "auto", names=found).classes.tolist() == (names or [0, 1])
    assert column_names(SOFT) is None


@pytest.mark.parametrize(
    "kind, n_classes, out_activation, head",
    [
        ("multilabel", 2, "auto", MultilabelHead),
        ("labels", 2, "auto", BinaryHead),
        ("probabilities", 2, "auto", BinaryHead),
        ("labels", 2, "softmax", SoftmaxHead),
        ("labels", 3, "auto", SoftmaxHead),
        ("labels", 1, "auto", SoftmaxHead),
    ],
)
def test_two_classes_have_one_logistic_unit_unless_out_activation_is_softmax(kind, n_classes, out_activation, head):
    assert type(make_head(kind, np.arange(n_classes), out_activation)) is head


@pytest.mark.parametrize(
    "y, encoded",
    [
        (LABELS, [1, 0, 2, 0]),
        (LABELS[:2], [[1.0], [0.0]]),
        (INDICATORS, INDICATORS),
        (csr_matrix(INDICATORS), INDICATORS),
        (SOFT, SOFT),
        (SOFT[1:3, 1:] + [[0.5, 0.5], [0, 0]], [[0.5], [0.5]]),
    ],
    ids=["labels", "two labels", "indicators", "sparse", "soft", "soft pair"],
)
def test_y_is_encoded_as_its_head_takes_it(y, encoded):
    targets = Targets.from_y(y, "auto").encode(y, np.float32)
    assert_array_equal(targets, np.asarray(encoded, dtype=targets.dtype))
    assert targets.dtype == (np.float32 if targets.ndim == 2 else np.int64)


@pytest.mark.parametrize(
    ("first", "later", "message"),
    [
        (LABELS, np.array(["a", "d"]), r"`y` has classes not in `self.classes_`: \['d'\]"),
        (LABELS, np.array([{}, {}]), "y has labels that cannot be compared"),
        (LABELS, INDICATORS, r"one label a row as before, shape \(n_samples,\); got shape \(4, 3\)"),
        (SOFT, SOFT[:, :2] * 2, r"y must have shape \(n_samples, 3\) as before; got \(4, 2\)"),
        (SOFT, SOFT * 2, "row 0 sums to 2"),
        (INDICATORS, SOFT, "y must be a 0/1 indicator matrix as before"),
        (INDICATORS, INDICATORS + 2, "only 0 and 1 make a multilabel indicator matrix"),
    ],
    ids=["class", "dicts", "matrix", "columns", "sums", "soft", "two values"],
)
def test_a_later_y_must_fit_the_kind_and_the_classes_of_the_first(first, later, message):
    with pytest.raises(ValueError, match=message):
        Targets.from_y(first, "auto").encode(later, np.float64)


def test_the_argument_classes_must_be_given_for_labels_and_stay_the_same():
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        Targets.from_classes(LABELS, None, "auto")
    with pytest.raises(ValueError, match="not the same as on last call"):
        Targets.from_classes(SOFT, [0, 1], "auto")
    targets = Targets.from_classes(LABELS[:1], ["c", "a", "b"], "auto")
    assert targets.classes.tolist() == ["a", "b", "c"]
    targets.check_classes(["b", "c", "a"])
    with pytest.raises(ValueError, match="not the same as on last call"):
        targets.check_classes(["a", "b"])
    named = Targets("probabilities", np.array(["yes", "no"]), "auto")
    for classes in (None, ["no", "yes"], [0, 1]):
        named.check_classes(classes)
    with pytest.raises(ValueError, match="not the same as on last call"):
        named.check_classes(["other", "names"])


def test_a_frame_y_must_have_the_columns_of_the_first_in_their_order():
    targets = Targets("probabilities", np.array(["yes", "no"]), "auto")
    for columns in (["yes", "no"], [0, 1]):  # numbers are the lack of names
        targets.check_names(pd.DataFrame(SOFT[:, :2], columns=columns))
    with pytest.raises(ValueError, match=r"y must have the columns \['yes', 'no'\], in this order; got \['no', 'yes'\]"):
        targets.check_names(pd.DataFrame(SOFT[:, :2], columns=["no", "yes"]))
