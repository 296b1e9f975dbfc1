"""The fits that the tests of Ctrl-C interrupt, in this process and in others."""

import pickle

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from support.estimators import short, short_default

X = np.random.default_rng(0).normal(size=(120, 4))
y = np.array(["b", "a", "c"])[X[:, :3].argmax(axis=1)]
N_EPOCHS = 6  # of both estimators

SETTINGS = {
    "adam": short,
    "sgd": lambda **params: short(solver="sgd", **params),
    "lbfgs": lambda **params: short(solver="lbfgs", **params),
    "averaged": lambda **params: short(ema_decay=0.9, **params),
    "early stopping": lambda **params: short(early_stopping=True, **params),
    "lbfgs, early stopping": lambda **params: short(solver="lbfgs", early_stopping=True, **params),
    "ensemble": short_default,
    "ensemble, early stopping": lambda **params: short_default(early_stopping=True, **params),
}


def assert_usable(clf):
    """It predicts, can be pickled, and continues training in a warm start and in partial_fit."""
    p = clf.predict_proba(X)
    assert_allclose(p.sum(axis=1), 1, rtol=1e-5)
    assert clf.n_iter_ <= N_EPOCHS
    curves = [curve for curve in (clf.validation_loss_curve_, clf.validation_scores_) if curve is not None]
    assert {len(curve) for curve in curves} <= {len(clf.loss_curve_)}
    copy = pickle.loads(pickle.dumps(clf))
    assert_array_equal(copy.predict_proba(X), p)
    assert np.isfinite(copy.set_params(warm_start=True).fit(X, y).loss_)
    if clf.solver != "lbfgs":
        assert np.isfinite(clf.set_params(early_stopping=False).partial_fit(X, y).loss_)
    assert np.isfinite(clf.predict_log_proba(X)).all()
