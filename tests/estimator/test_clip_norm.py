"""The parameter `clip_norm`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sksoftmax.nn.optimizers import SGD, Adam
from support.estimators import planned
from support.marks import STEPWISE
from support.targets import MULTICLASS, X
from support.weights import assert_same_weights, flat


def one_sgd_step(**params):
    """The parameters after one step on all rows, and how far they went."""
    params = {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 0.5, "batch_size": 60, "max_iter": 1, **params}
    start = planned(**{**params, "learning_rate_init": 1e-300}).fit(X, MULTICLASS)
    end = planned(**params).fit(X, MULTICLASS)
    return end, flat(end) - flat(start)


@pytest.mark.parametrize("alpha", [0.0, 5.0])
def test_clip_norm_limits_the_length_of_a_step_and_keeps_its_direction(alpha):
    _, free = one_sgd_step(alpha=alpha)
    _, cut = one_sgd_step(alpha=alpha, clip_norm=0.05)
    assert np.linalg.norm(free) > 2 * 0.5 * 0.05
    assert np.linalg.norm(cut) == pytest.approx(0.5 * 0.05, rel=1e-9)
    assert_allclose(cut / np.linalg.norm(cut), free / np.linalg.norm(free), rtol=1e-7, atol=1e-12)


@STEPWISE
def test_clip_norm_does_not_change_a_shorter_gradient(solver):
    assert_same_weights(*(planned(solver=solver, clip_norm=norm).fit(X, MULTICLASS) for norm in (None, 1e3)))


@STEPWISE
def test_clip_norm_acts_on_every_step_of_fit_and_partial_fit(solver, monkeypatch):
    optimizer, lengths = {"adam": Adam, "sgd": SGD}[solver], []
    step = optimizer.step
    monkeypatch.setattr(optimizer, "step", lambda self, w, g, rate: lengths.append(np.linalg.norm(g)) or step(self, w, g, rate))
    clf = planned(solver=solver, clip_norm=0.05, batch_size=20).fit(X, MULTICLASS)
    clf.partial_fit(X, MULTICLASS)
    assert lengths == pytest.approx([0.05] * 12, rel=1e-9)


def test_clip_norm_limits_the_gradient_of_each_member_as_if_it_were_alone(monkeypatch):
    step, norms = Adam.step, []

    def recorded(self, w, g, rate):
        parts = clf_form.split(g)
        norms.extend(np.sqrt(sum((part[member] ** 2).sum() for part in parts)) for member in range(4))
        step(self, w, g, rate)

    clf = planned(n_members=4, clip_norm=0.05, max_iter=1).fit(X, MULTICLASS)
    clf_form = clf._model.network.architecture
    monkeypatch.setattr(Adam, "step", recorded)
    clf.fit(X, MULTICLASS)
    assert norms == pytest.approx([0.05] * len(norms), rel=1e-9)
    assert len(norms) >= 4


def test_clip_norm_handles_a_gradient_whose_square_overflows():
    """An outlier that float32 can hold, but not the square of."""
    rows = X.astype(np.float32)
    rows[3] *= 1e25
    params = {"hidden_layer_sizes": (), "solver": "sgd", "momentum": 0.0, "alpha": 0.0, "batch_size": 60, "max_iter": 1}
    with np.errstate(over="ignore"):
        start = planned(**params, learning_rate_init=1e-30, clip_norm=1e-6).fit(rows, MULTICLASS)
        end = planned(**params, learning_rate_init=0.5, clip_norm=0.1).fit(rows, MULTICLASS)
    assert np.linalg.norm(flat(end) - flat(start)) == pytest.approx(0.05, rel=1e-4)
