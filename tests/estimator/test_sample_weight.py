"""The argument `sample_weight`: a row of weight 2 is the row twice, a row of weight 0 is absent."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from support.data import ARRAYS, BINARY, MULTICLASS, X
from support.estimators import converged, planned
from support.marks import SOLVERS, STEPWISE, UNCONVERGED
from support.weights import assert_same_weights


@pytest.mark.filterwarnings(UNCONVERGED)
@SOLVERS
@pytest.mark.parametrize("target", ARRAYS)
def test_sample_weight_2_equals_the_row_twice(target, solver):
    y, counts = ARRAYS[target], np.where(np.arange(60) % 3, 1, 2)
    one, other = planned(solver=solver, max_iter=10), planned(solver=solver, max_iter=10)
    one.fit(X, y, counts), other.fit(np.repeat(X, counts, axis=0), np.repeat(y, counts, axis=0))
    assert_allclose(one.predict_proba(X), other.predict_proba(X), rtol=1e-6)
    assert one.loss_ == pytest.approx(other.loss_, rel=1e-9)


@pytest.mark.parametrize("early_stopping", [False, True])
@STEPWISE
def test_sample_weight_0_leaves_the_row_out_of_random_batches_and_early_stopping_splits(solver, early_stopping):
    kept = np.arange(60) % 3 > 0
    params = {"solver": solver, "batch_size": 7, "early_stopping": early_stopping}
    one, other = planned(**params).fit(X, BINARY, kept.astype(float)), planned(**params).fit(X[kept], BINARY[kept])
    assert_same_weights(one, other, rtol=1e-10)
    assert one.loss_curve_ == pytest.approx(other.loss_curve_, rel=1e-12)
    assert one.t_ == other.t_ == 3 * (36 if early_stopping else 40)


def test_sample_weight_0_leaves_the_row_out_of_partial_fit():
    kept = np.arange(60) % 3 > 0
    one = planned(batch_size=7).partial_fit(X, MULTICLASS, kept.astype(float), classes=range(3))
    assert_same_weights(one, planned(batch_size=7).partial_fit(X[kept], MULTICLASS[kept], classes=range(3)), rtol=1e-10)


def test_a_class_whose_rows_all_have_sample_weight_0_stays_in_classes():
    clf = converged().fit(X, MULTICLASS, sample_weight=(MULTICLASS != 2).astype(float))
    assert clf.classes_.tolist() == [0, 1, 2]
    assert clf.predict_proba(X)[:, 2].max() < 0.2


def test_an_equal_sample_weight_only_rescales_alpha():
    assert_allclose(planned().fit(X, BINARY, np.full(60, 0.3)).coefs_[0], planned(alpha=1e-4 / 0.3).fit(X, BINARY).coefs_[0])


def test_score_takes_sample_weight():
    clf = planned().fit(X, MULTICLASS)
    hits = clf.predict(X) == MULTICLASS
    assert 0 < hits.mean() < 1
    assert clf.score(X, MULTICLASS, sample_weight=hits) == 1


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_wrong_sample_weight_is_refused_with_its_row(method):
    with pytest.raises(ValueError, match=r"sample_weight must be non-negative; got .* in row 0"):
        getattr(planned(), method)(X, BINARY, sample_weight=-np.ones(60), **({} if method == "fit" else {"classes": [0, 1]}))


def test_a_sample_weight_that_the_networks_dtype_cannot_hold_is_refused_with_this_dtype():
    with pytest.raises(ValueError, match="sample_weight must have a sum that float32 holds; got inf"):
        planned(dtype="float32").fit(X, BINARY, sample_weight=np.full(60, 1e300))
