"""`RadialNetwork`: its units, its logits for every head, with and without the compiled extension."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sksoftmax import radial as module
from sksoftmax.engines import compiled_engine
from sksoftmax.radial import LEAST, RadialNetwork, logits_of_outputs, units
from support.networks import HEADS

rng = np.random.RandomState(0)
X = rng.normal(size=(40, 7))
CENTERS = np.asfortranarray(X[:15, 2:])


def network(n_outputs=3, dtype=np.float64):
    W, offset = rng.normal(size=(15, n_outputs)) / 9, np.full(n_outputs, 1 / 3)
    return RadialNetwork(CENTERS.astype(dtype), 2, 3.0, W.astype(dtype), offset.astype(dtype))


@pytest.fixture(params=["compiled", "scipy"])
def either_engine(request, monkeypatch):
    if request.param == "scipy":
        monkeypatch.setattr(compiled_engine, "_kernels", None)


@pytest.mark.parametrize("dtype, rtol", [(np.float32, 1e-5), (np.float64, 1e-13)])
@pytest.mark.parametrize("n_centers", [1, 15])
def test_a_unit_answers_exp_of_minus_the_distance_over_the_width(either_engine, dtype, rtol, n_centers):
    found = units(X.astype(dtype), 2, CENTERS[:n_centers].astype(dtype), 3.0)
    distances = np.abs(X[:, None, 2:] - CENTERS[None, :n_centers]).sum(axis=2)
    assert found.dtype == dtype
    assert_allclose(found, np.exp(-distances / 3), rtol=rtol)


@pytest.mark.parametrize("name", list(HEADS))
def test_probabilities_of_logits_are_the_clipped_outputs(either_engine, name):
    head = HEADS[name]
    trained = network(head.n_outputs)
    f = units(X, 2, CENTERS, 3.0) @ trained.W + trained.offset
    p = np.clip(f, LEAST, 1 - LEAST)
    found = head.probabilities(trained.logits(X, head))[:, -head.n_outputs :]
    assert_allclose(found, p / p.sum(axis=1, keepdims=True) if name == "softmax" else p, rtol=1e-12)


def test_logits_do_not_depend_on_how_many_rows_are_computed_at_once(monkeypatch):
    trained, head = network(), HEADS["softmax"]
    at_once = trained.logits(X, head)
    monkeypatch.setattr(module, "UNITS", 40)
    assert_allclose(trained.logits(X, head), at_once, rtol=1e-13)


def test_logits_are_finite_far_from_all_centers(either_engine):
    trained, head = network(dtype=np.float32), HEADS["softmax"]
    far = np.full((1, 7), 1e15, np.float32)
    assert_allclose(head.probabilities(trained.logits(far, head)), 1 / 3, rtol=1e-6)


def test_logits_are_finite_for_any_outputs():
    for head in HEADS.values():
        assert np.isfinite(logits_of_outputs(np.array([[-1e4, 0, 1e4]])[:, : head.n_outputs], head)).all()


@pytest.mark.parametrize("n_columns, n_outputs", [(6, 3), (7, 2)])
def test_a_network_of_other_columns_or_outputs_is_refused(n_columns, n_outputs):
    network().check(7, 3)
    with pytest.raises(ValueError, match="radial network does not fit"):
        network().check(n_columns, n_outputs)
