"""Frames of other libraries as X and y."""

from itertools import product

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import coo_array, issparse

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.data.frames import take_rows
from support.data import MIXED_FRAME as FRAME
from support.data import MIXED_X as X
from support.data import N_MIXED as N
from support.data import MIXED_y as y
from support.estimators import METHODS, call, small


@pytest.mark.parametrize("method", METHODS)
def test_a_LazyFrame_as_X_is_refused_with_the_call_that_collects_it(method):
    lazy = pytest.importorskip("polars").DataFrame(FRAME.to_dict("list")).lazy()
    with pytest.raises(TypeError, match=r"X.*LazyFrame.*\.collect\(\)"):
        call(method, lazy)


def test_a_LazyFrame_as_y_is_refused_with_the_call_that_collects_it():
    lazy = pytest.importorskip("polars").DataFrame({"y": y}).lazy()
    with pytest.raises(TypeError, match=r"y.*LazyFrame.*\.collect\(\)"):
        small().fit(X, lazy)


class ArrowStream:
    """A table that speaks Arrow's C interface and nothing else."""

    def __init__(self, table):
        self.table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self.table.__arrow_c_stream__(requested_schema)


def as_stream(frame):
    return ArrowStream(pytest.importorskip("polars").DataFrame(frame.to_dict("list")))


def as_arrow(frame):
    return pytest.importorskip("pyarrow").Table.from_pandas(frame)


def as_batch(frame):
    return pytest.importorskip("pyarrow").RecordBatch.from_pandas(frame)


def as_duckdb(frame):
    return pytest.importorskip("duckdb").from_df(frame)


def as_dask(frame):
    dask = pytest.importorskip("dask.dataframe", exc_type=ImportError)
    return dask.from_pandas(frame, npartitions=2)


def as_narwhals(frame):
    return pytest.importorskip("narwhals").from_native(frame)


FORMS = [as_stream, as_arrow, as_batch, as_duckdb, as_dask, as_narwhals]
REFUSED = [(method, as_dask) for method in ("fit", "partial_fit", "X_val")]


@pytest.mark.parametrize(("method", "form"), [pair for pair in product(METHODS, FORMS) if pair not in REFUSED])
def test_X_that_is_another_librarys_frame_gives_the_pandas_frames_result(method, form):
    ours, theirs = call(method, FRAME), call(method, form(FRAME))
    if isinstance(ours, SoftmaxMLPClassifier):
        assert list(theirs.feature_names_in_) == list(FRAME)
        ours, theirs = ours.predict_proba(FRAME), theirs.predict_proba(FRAME)
    assert_array_equal(ours, theirs)


@pytest.mark.parametrize(("method", "form"), REFUSED)
def test_training_refuses_a_collection_of_dask_by_the_name_of_the_class_for_it(method, form):
    with pytest.raises(TypeError, match=r"^X(_val)? must be in memory.*compute\(\).*sksoftmax.dask.DaskSoftmaxMLPClassifier"):
        call(method, form(FRAME))


@pytest.mark.parametrize("form", [as_stream, as_arrow, as_duckdb, as_narwhals])
def test_columns_of_X_in_another_order_are_refused_whatever_the_frames_library(form):
    clf = small().fit(FRAME, y)
    with pytest.raises(ValueError, match="feature names should match"):
        clf.predict(form(FRAME[["color", "length"]]))


def test_y_that_is_a_frame_with_an_arrow_stream_is_taken():
    labels = as_stream(pd.DataFrame({"p": y, "q": np.ones_like(y)}))
    assert_array_equal(small().fit(X, labels).predict(X), small().fit(X, np.column_stack([y, np.ones_like(y)])).predict(X))


def test_X_of_a_class_that_cannot_be_read_is_refused_by_its_name():
    class Relation:
        columns = ("a", "b")

        def to_pandas(self):
            raise NotImplementedError

        def __len__(self):
            return N

    with pytest.raises(TypeError, match=r"X.*Relation.*to_pandas\(\)"):
        small().fit(Relation(), y)


@pytest.mark.parametrize("make", [list, tuple, np.array, coo_array, pd.DataFrame, pl.DataFrame], ids=lambda make: make.__name__)
def test_rows_are_taken_in_any_order_from_every_kind_of_data(make):
    data = make(np.arange(6.0).reshape(3, 2))
    taken = take_rows(data, np.array([2, 0]))
    assert_array_equal(taken.toarray() if issparse(taken) else np.asarray(taken), [[4, 5], [0, 1]])
