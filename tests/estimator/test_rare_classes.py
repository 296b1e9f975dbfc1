"""The probability of a rare class is near its frequency, with label_smoothing and every solver."""

import numpy as np
import onnxruntime
import pytest

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.onnx import to_onnx
from support.marks import CONVERGING


def rare(kind, n=6000):
    """Rows of which about .5 % are of a rare class, y, and the rare class's column in predict_proba."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 6))
    is_rare = rng.random(n) < 1 / (1 + np.exp(6 - 1.5 * X[:, 0]))
    if kind == "binary":
        return X, is_rare.astype(int), 1
    common = X[:, 1] + rng.normal(size=n) > 0
    if kind == "multilabel":
        return X, np.column_stack([common, is_rare]).astype(int), 1
    return X, np.where(is_rare, 2, common.astype(int)), 2


def frequency(y, column):
    return y[:, column].mean() if y.ndim == 2 else (y == column).mean()


def assert_near_frequency(clf, X, y, column, most=1.5):
    ratio = clf.predict_proba(X)[:, column].mean() / frequency(y, column)
    assert 1 / most < ratio < most


def assert_onnx_agrees(clf, X):
    session = onnxruntime.InferenceSession(to_onnx(clf, X[:1]).SerializeToString())
    np.testing.assert_allclose(session.run(["probabilities"], {"X": X})[0], clf.predict_proba(X), rtol=1e-3, atol=1e-6)


SETTINGS = {
    "one network": {"n_members": 1, "max_iter": 12},
    "no hidden layer": {"hidden_layer_sizes": (), "max_iter": 12},
    "lbfgs": {"hidden_layer_sizes": (16,), "solver": "lbfgs", "max_iter": 60},
    "softmax output": {"n_members": 1, "max_iter": 12, "out_activation": "softmax"},
    "much smoothing": {"n_members": 1, "max_iter": 12, "label_smoothing": 0.2},
}


@pytest.mark.filterwarnings(CONVERGING)
@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel"])
@pytest.mark.parametrize("setting", SETTINGS)
def test_label_smoothing_leaves_a_rare_class_its_frequency(kind, setting):
    X, y, column = rare(kind)
    clf = SoftmaxMLPClassifier(random_state=0, **SETTINGS[setting]).fit(X, y)
    most = 2 if kind == "multilabel" else 1.5  # folds are not stratified by labels: about 8 rows, more or less, calibrate one
    assert_near_frequency(clf, X, y, column, most)


@pytest.mark.parametrize("kind", ["multiclass", "multilabel"])
def test_label_smoothing_leaves_a_rare_class_its_frequency_in_a_committee(kind):
    X, y, column = rare(kind)
    clf = SoftmaxMLPClassifier((32,), n_bins=0, max_iter=15, random_state=0).fit(X, y)
    assert_near_frequency(clf, X, y, column)
    assert_onnx_agrees(clf, X)


@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel"])
def test_label_smoothing_leaves_a_rare_class_its_frequency_in_partial_fit(kind):
    X, y, column = rare(kind)
    classes = None if y.ndim == 2 else np.unique(y)
    clf = SoftmaxMLPClassifier((32,), learning_rate_init=0.002, random_state=0)
    for _ in range(10):
        clf.partial_fit(X, y, classes=classes)
    assert_near_frequency(clf, X, y, column)


def test_label_smoothing_counts_the_frequencies_of_all_blocks_of_partial_fit():
    X, y, column = rare("binary")
    order = np.argsort(y, kind="stable")  # the first blocks hold no row of the rare class
    blocks = [order[:3000], np.random.default_rng(0).permutation(order[3000:])]
    clf = SoftmaxMLPClassifier((32,), learning_rate_init=0.002, random_state=0)
    for rows in [*blocks, *[np.arange(6000)] * 10]:
        clf.partial_fit(X[rows], y[rows], classes=[0, 1])
    assert_near_frequency(clf, X, y, column)


def test_label_smoothing_leaves_soft_labels_their_mean():
    X, y, column = rare("binary")
    P = np.column_stack([1 - y, y]) * 0.999 + 0.0005
    clf = SoftmaxMLPClassifier((32,), n_members=1, max_iter=12, random_state=0).fit(X, P)
    ratio = clf.predict_proba(X)[:, column].mean() / P[:, column].mean()
    assert 1 / 1.5 < ratio < 1.5


@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel"])
def test_label_smoothing_leaves_all_outputs_in_agreement(kind):
    X, y, column = rare(kind, 3000)
    clf = SoftmaxMLPClassifier((32,), n_members=1, max_iter=12, random_state=0).fit(X, y)
    assert_near_frequency(clf, X, y, column)
    p, z = clf.predict_proba(X), clf.decision_function(X)
    np.testing.assert_allclose(np.exp(clf.predict_log_proba(X)), p, rtol=1e-4, atol=1e-7)
    of_logits = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True) if kind == "multiclass" else 1 / (1 + np.exp(-z))
    np.testing.assert_allclose(p[:, 1] if kind == "binary" else p, of_logits, rtol=1e-4, atol=1e-7)
    assert_onnx_agrees(clf, X)
