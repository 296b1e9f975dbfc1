"""Labels in NumPy's StringDType."""

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier

from sksoftmax import SoftmaxMLPClassifier
from support.estimators import small


@pytest.fixture
def variable_strings(iris):
    X, y = iris
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    return X, names, np.array(names.tolist(), dtype=np.dtypes.StringDType())


def test_labels_of_numpys_StringDType_are_text(variable_strings):
    X, names, y = variable_strings
    clf = small().fit(X, y)
    assert list(clf.classes_) == ["setosa", "versicolor", "virginica"]
    np.testing.assert_array_equal(clf.predict(X), small().fit(X, names).predict(X))
    assert clf.score(X, y) == pytest.approx(clf.score(X, names))


def test_labels_of_numpys_StringDType_are_text_in_partial_fit(variable_strings):
    X, names, y = variable_strings
    clf = small().partial_fit(X, names, classes=y[::50]).partial_fit(X, y)
    assert list(clf.classes_) == ["setosa", "versicolor", "virginica"]


def test_labels_of_numpys_StringDType_are_text_in_y_val(variable_strings):
    X, names, y = variable_strings
    clf = small(early_stopping=True, scoring="f1_macro").fit(X, names, X_val=X, y_val=y)
    assert clf.best_validation_score_ > 0


def test_a_missing_label_of_numpys_StringDType_is_named(variable_strings):
    X, names, _ = variable_strings
    y = np.array([*names[:-1].tolist(), np.nan], dtype=np.dtypes.StringDType(na_object=np.nan))
    with pytest.raises(ValueError, match="y contains missing labels, first in row 149"):
        small().fit(X, y)


def test_labels_of_numpys_StringDType_for_from_sklearn(variable_strings):
    X, _, y = variable_strings
    clf = SoftmaxMLPClassifier.from_sklearn(MLPClassifier((8,), solver="lbfgs", max_iter=2000, tol=1e-1)).fit(X, y)
    assert list(clf.classes_) == ["setosa", "versicolor", "virginica"]
