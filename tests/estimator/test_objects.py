"""X as an array of objects, and empty X."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from support.data import MIXED_FRAME as FRAME
from support.data import MIXED_X as X
from support.data import MIXED_y as y
from support.estimators import small


def test_an_X_of_objects_with_a_column_of_text_is_taken_by_fit_as_by_predict():
    rows = FRAME.to_numpy()
    clf, of_frame = small().fit(rows, y), small().fit(FRAME, y)
    assert_array_equal(clf.predict_proba(rows), of_frame.predict_proba(FRAME))


def test_a_column_of_numbers_as_text_in_an_X_of_objects_stays_numbers():
    clf = small().fit(np.column_stack([X[:, 0].astype(str), FRAME["color"]]).astype(object), y)
    assert [name for name in clf.encoded_feature_names_ if "bin" not in name] == ["x0", "x1_blue", "x1_green", "x1_red"]


@pytest.mark.parametrize("method", ["fit", "predict", "partial_fit"])
@pytest.mark.parametrize("column", [0, 1], ids=["number", "text"])
def test_pandas_NA_in_an_X_of_objects_is_a_missing_value(method, column):
    rows = FRAME.to_numpy()
    with_NA, with_None = rows.copy(), rows.copy()
    with_NA[3, column], with_None[3, column] = pd.NA, None
    params = {"categorical_features": [1]}
    if method == "predict":
        clf = small(**params).fit(rows, y)
        assert_array_equal(clf.predict(with_NA), clf.predict(with_None))
    else:
        arguments = {"classes": [0, 1]} if method == "partial_fit" else {}
        one, other = (getattr(small(**params), method)(given, y, **arguments) for given in (with_NA, with_None))
        assert_array_equal(one.predict_proba(rows), other.predict_proba(rows))


@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function"])
def test_an_empty_X_is_described_with_all_its_columns(method):
    clf = small().fit(FRAME, y)
    with pytest.raises(ValueError, match=r"\(0, 2\)"):
        getattr(clf, method)(FRAME[:0])
