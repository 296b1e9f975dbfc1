"""The column names of a polars frame, which older versions of scikit-learn cannot read."""

import polars as pl
import pytest

from support.estimators import small


@pytest.fixture
def old_scikit_learn(monkeypatch):
    """scikit-learn 1.6 finds no column names in a polars 2 frame."""
    from sklearn.utils import validation

    find = validation._get_feature_names
    monkeypatch.setattr(validation, "_get_feature_names", lambda X: None if isinstance(X, pl.DataFrame) else find(X))


@pytest.mark.parametrize("method", ["predict", "partial_fit", "X_val"])
def test_feature_names_of_a_polars_frame_are_compared_without_scikit_learns_help(old_scikit_learn, iris, method):
    X, y = iris
    frame = pl.DataFrame(dict(zip("abcd", X.T)))
    other = frame.select(*"dcba")
    clf = small().fit(frame, y)
    assert list(clf.feature_names_in_) == list("abcd")
    with pytest.raises(ValueError, match="feature names should match"):
        if method == "X_val":
            small(early_stopping=True).fit(frame, y, X_val=other, y_val=y)
        else:
            getattr(clf, method)(other, *([y] if method == "partial_fit" else []))
