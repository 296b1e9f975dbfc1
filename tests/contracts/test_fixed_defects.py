"""What MLPClassifier gets wrong and we do not: each test passes here and fails there (on the versions it was found in)."""

import pickle

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose
from scipy.special import logsumexp
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier
from sklearn.utils.fixes import parse_version

from support.estimators import plain
from support.processes import peak_of

# The versions on which every one of these was seen to fail; a later one may have fixed some.
FOUND_HERE = parse_version("1.6") <= parse_version(sklearn.__version__) < parse_version("1.10")
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.parametrize(
        "Classifier",
        [
            pytest.param(plain, id="SoftmaxMLPClassifier"),
            pytest.param(MLPClassifier, marks=pytest.mark.xfail(reason="scikit-learn's defect", strict=FOUND_HERE)),
        ],
    ),
]
X, y = load_digits(return_X_y=True)
X, y = X[:600] / 16, y[:600]


def test_a_batch_of_sample_weight_0_is_skipped(Classifier):
    weights = np.where(np.arange(len(X)) < 200, 0.0, 1.0)
    clf = Classifier(shuffle=False, batch_size=50, max_iter=3, random_state=0).fit(X, y, sample_weight=weights)
    alone = Classifier(shuffle=False, batch_size=50, max_iter=3, random_state=0).fit(X[200:], y[200:])
    assert_allclose(clf.coefs_[0], alone.coefs_[0])


def test_the_reported_loss_is_the_mean_over_all_batches_weighted_by_sample_weight(Classifier):
    weights = np.linspace(0.01, 3, len(X)) ** 3
    still = {"solver": "sgd", "learning_rate_init": 1e-300, "alpha": 0.0, "max_iter": 1, "shuffle": False}
    clf = Classifier(batch_size=50, random_state=0, **still).fit(X, y, sample_weight=weights)
    assert_allclose(clf.loss_, log_loss(y, clf.predict_proba(X), sample_weight=weights))


def test_the_loss_curve_is_not_clipped_if_probabilities_are_saturated(Classifier):
    """With weights this large, log p of the wrong classes is far below the logarithm of the smallest step at 1."""
    clf = Classifier(activation="identity", solver="sgd", learning_rate_init=1e-300, alpha=0.0, max_iter=1, random_state=0)
    clf.partial_fit(1e4 * X, y, classes=np.arange(10))
    z = 1e4 * X @ clf.coefs_[0] @ clf.coefs_[1] + clf.intercepts_[0] @ clf.coefs_[1] + clf.intercepts_[1]
    assert_allclose(clf.loss_, np.mean(logsumexp(z, axis=1) - z[np.arange(len(y)), y]), rtol=1e-6)


def test_lbfgs_keeps_dtype_float32(Classifier):
    clf = Classifier(solver="lbfgs", max_iter=20).fit(X.astype(np.float32), y)
    assert clf.coefs_[0].dtype == clf.predict_proba(X.astype(np.float32)).dtype == np.float32


def test_partial_fit_with_shuffle_draws_a_new_permutation_in_each_call(Classifier):
    """An int seeds one generator that later calls continue to draw from, as from a RandomState instance."""
    models = [Classifier(batch_size=20, random_state=seed) for seed in (0, np.random.RandomState(0))]
    for model in models * 3:
        model.partial_fit(X, y, classes=np.arange(10))
    assert_allclose(models[0].coefs_[0], models[1].coefs_[0])


def test_partial_fit_says_what_early_stopping_needs(Classifier):
    with pytest.warns(UserWarning, match="without X_val and y_val"):
        Classifier(early_stopping=True).partial_fit(X, y, classes=np.arange(10))


def test_warm_start_keeps_the_moments(Classifier):
    whole = Classifier(max_iter=10, shuffle=False, random_state=0).fit(X, y)
    halves = Classifier(max_iter=5, shuffle=False, random_state=0, warm_start=True).fit(X, y).fit(X, y)
    assert_allclose(halves.coefs_[0], whole.coefs_[0])


def test_a_pickle_holds_the_parameters_once(Classifier):
    clf = Classifier((256, 256), max_iter=2).fit(X, y)
    parameters = sum(array.nbytes for array in clf.coefs_ + clf.intercepts_)
    assert len(pickle.dumps(clf)) <= 1.1 * parameters


def test_predicting_a_million_rows_takes_bounded_memory(Classifier):
    rows = np.zeros((1_000_000, 5), np.float32)
    clf = Classifier(max_iter=2).fit(X[:, :5].astype(np.float32), y)
    result = len(rows) * 10 * 4
    assert peak_of(lambda: clf.predict_proba(rows)) < 4 * result
