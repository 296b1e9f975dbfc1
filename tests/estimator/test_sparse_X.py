"""Fits on a sparse X: numbers beside words, columns that fit has not seen, and memory."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array, csr_matrix, hstack
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.training.config import MAX_SPARSE_WEIGHTS, TrainingConfig

RNG = np.random.default_rng(0)
N = 600
NUMBERS = np.column_stack([RNG.normal(2000, 10, N), RNG.normal(290, 10, N), RNG.lognormal(4, 1, N)])
TEXTS = [" ".join(words) for words in np.array([f"w{i}" for i in range(100)])[RNG.integers(100, size=(N, 5))]]
Y = (NUMBERS[:, 0] - 2000) / 10 - (NUMBERS[:, 1] - 290) / 10 + np.log(NUMBERS[:, 2]) - 4 > 0
WORDS = TfidfVectorizer().fit_transform(TEXTS)


def few_epochs(**params):
    """Four networks for 20 epochs."""
    return SoftmaxMLPClassifier((32,), **({"n_members": 4, "max_iter": 20, "random_state": 0} | params))


def accuracy(clf, X, y=Y):
    """The accuracy on the last third of the rows after a fit on the others."""
    first, last = slice(0, 2 * N // 3), slice(2 * N // 3, N)
    return clf.fit(X[first], y[first]).score(X[last], y[last])


# Numbers beside words


def test_numbers_beside_words_decide_as_the_numbers_alone_do():
    frame = pd.DataFrame(NUMBERS, columns=["year", "kelvin", "price"]).assign(text=TEXTS)
    columns = make_column_transformer((TfidfVectorizer(), "text"), ("passthrough", ["year", "kelvin", "price"]))
    assert columns.fit_transform(frame).format == "csr"
    assert accuracy(make_pipeline(columns, few_epochs()), frame) > 0.92


def test_numbers_divided_by_their_deviation_beside_words_decide_too():
    assert accuracy(few_epochs(), hstack([WORDS, StandardScaler(with_mean=False).fit_transform(NUMBERS)]).tocsr()) > 0.92


def test_numbers_in_a_sparse_matrix_are_learned_as_in_an_array():
    sparse, dense = (few_epochs(max_iter=2).fit(X, Y) for X in (csr_array(NUMBERS), NUMBERS))
    assert_array_equal(sparse.predict_proba(csr_array(NUMBERS)), dense.predict_proba(NUMBERS))
    assert_array_equal(sparse.encoded_feature_names_, dense.encoded_feature_names_)


def test_numbers_of_noise_beside_words_that_decide_do_no_harm():
    alone, beside = [], []
    for seed in (11, 12):
        rng = np.random.default_rng(seed)
        words = csr_matrix(rng.poisson(0.15, (N, 60)) * 1.0)
        y = words @ rng.normal(size=60) > 0
        alone.append(accuracy(few_epochs(), words, y))
        beside.append(accuracy(few_epochs(), hstack([words, NUMBERS]).tocsr(), y))
    assert np.mean(beside) > np.mean(alone) - 0.03


def test_a_column_of_large_numbers_or_of_one_value_does_no_harm():
    rare = np.where(RNG.random((N, 1)) < 0.05, 1e9, 0)
    X = hstack([WORDS, rare, NUMBERS, np.full((N, 1), 7), np.zeros((N, 1))]).tocsr()
    clf = few_epochs()
    assert accuracy(clf, X) > 0.92
    assert clf.unused_columns_ == {"x104": "all its values are equal", "x105": "all its values are equal"}


# Rows and types


MIXED = hstack([WORDS, NUMBERS]).tocsr()


@pytest.mark.parametrize("n_rows", [1, 7, N])
def test_sparse_and_dense_rows_have_equal_probabilities(n_rows):
    clf = few_epochs(max_iter=3, dtype="float64").fit(MIXED, Y)
    rows = MIXED[:n_rows]
    assert_allclose(clf.predict_proba(rows), clf.predict_proba(MIXED)[:n_rows], rtol=1e-9)
    for form in (rows.toarray(), rows.tocsc(), rows.tocoo(), csr_array(rows)):
        assert_allclose(clf.predict_proba(form), clf.predict_proba(rows), rtol=1e-9)


@pytest.mark.parametrize("dtype", [bool, np.int64, np.float32])
def test_sparse_booleans_and_integers_equal_floats(dtype):
    rows = csr_matrix(np.column_stack([WORDS.toarray() > 0, NUMBERS[:, 0] > 1980]))
    one, other = (few_epochs(max_iter=3, dtype="float32").fit(rows.astype(kind), Y) for kind in (dtype, np.float64))
    assert_array_equal(one.predict_proba(rows), other.predict_proba(rows))


def test_a_row_of_zeros_has_finite_probabilities():
    clf = few_epochs(max_iter=3).fit(csr_matrix(np.vstack([np.zeros((1, WORDS.shape[1])), WORDS.toarray()[1:]])), Y)
    assert np.isfinite(clf.predict_proba(csr_matrix((2, WORDS.shape[1])))).all()


def test_a_matrix_without_entries_can_be_fitted():
    clf = few_epochs(max_iter=3).fit(csr_matrix((N, 5)), Y)
    assert_allclose(clf.predict_proba(csr_matrix((1, 5)))[0, 1], Y.mean(), atol=0.05)
    assert len(clf.encoded_feature_names_) == 0


def test_validation_rows_may_be_sparse_and_early_stopping_sets_sparse_rows_aside():
    given = few_epochs(max_iter=5, early_stopping=True).fit(MIXED[:400], Y[:400], X_val=MIXED[400:], y_val=Y[400:])
    split = few_epochs(max_iter=5, early_stopping=True).fit(MIXED, Y)
    assert len(given.validation_scores_) == len(split.validation_scores_) == 5


# Wide X


HASHED = HashingVectorizer(n_features=2**18).fit_transform(TEXTS)


def test_only_columns_with_entries_have_weights():
    clf = few_epochs(max_iter=2).fit(HASHED, Y)
    seen = np.unique(HASHED.indices)
    assert clf.coefs_[0].shape == (4, len(seen), 32)
    assert_array_equal(clf.encoded_feature_names_, [f"x{i}" for i in seen])
    assert clf.predict(HASHED[:2]).shape == (2,)


def test_without_scaling_all_columns_have_weights():
    assert few_epochs(max_iter=1, n_members=1, scaling=None).fit(WORDS[:, :7], Y).coefs_[0].shape == (7, 32)


def test_partial_fit_keeps_columns_that_only_later_rows_fill():
    """Here y depends on a word that the first call does not have."""
    late = csr_matrix((Y[:, None] & (np.arange(N) >= 100)[:, None]) * 1.0)
    X = hstack([WORDS, late]).tocsr()
    clf = few_epochs(n_members=1).partial_fit(X[:100], Y[:100], classes=[False, True])
    for _ in range(20):
        clf.partial_fit(X[100:], Y[100:])
    assert clf.score(X[100:], Y[100:]) > 0.95


@pytest.mark.parametrize(
    ("n_inputs", "n_rows", "expected"), [(1, 1000, 8), (1.01, 1000, 4), (2.01, 1000, 1), (2, 5000, 4), (0, 1000, 8)]
)
def test_a_committee_on_a_wide_sparse_X_has_fewer_members(n_inputs, n_rows, expected):
    n_inputs = int(n_inputs * MAX_SPARSE_WEIGHTS / 8 / 128)
    assert TrainingConfig.resolve(SoftmaxMLPClassifier().get_params(), n_rows, n_sparse=n_inputs).n_members == expected
    assert TrainingConfig.resolve(SoftmaxMLPClassifier(n_members=8).get_params(), n_rows, n_sparse=n_inputs).n_members == 8
