"""Which engine trains: the compiled one only what it knows to the last part, else NumPy's, which says why."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sksoftmax import loss
from sksoftmax.data import heads
from sksoftmax.engines import compiled_engine
from sksoftmax.nn import layers, optimizers
from sksoftmax.training import steps
from support.data import ENSEMBLE_X, ENSEMBLE_y
from support.engines import _kernels, needs_compiler, trained_by
from support.estimators import quick_ensemble, short_default
from support.weights import assert_same_weights, flat


class SignedSGD(optimizers.SGD):
    """Steps of one size."""

    def step(self, w, g, rate):
        super().step(w, np.sign(g, out=g), rate)


class SignedAdam(optimizers.Adam):
    """Adam on the signs of the gradient."""

    def step(self, w, g, rate):
        super().step(w, np.sign(g, out=g), rate)


class FlatSoftmaxHead(heads.SoftmaxHead):
    """A softmax whose loss is a tenth of the cross-entropy."""

    @staticmethod
    def loss(logits, targets, weights=None, smoothing=0.0, prior=None):
        value, d_logits = loss.softmax_loss(logits, targets, weights, smoothing, prior)
        return 0.1 * value, 0.1 * d_logits


class FlatBinaryHead(heads.BinaryHead):
    """A logistic unit whose loss is a tenth of the cross-entropy."""

    @staticmethod
    def loss(logits, targets, weights=None, smoothing=0.0, prior=0.5):
        value, d_logits = loss.logistic_loss(logits, targets, weights, smoothing, prior)
        return 0.1 * value, 0.1 * d_logits


def softsign(Z):
    """H = Z / (1 + |Z|); H' = (1 − |H|)²."""
    H = np.divide(Z, 1 + np.abs(Z), out=Z)
    return H, lambda d_H: np.multiply(d_H, (1 - np.abs(H)) ** 2, out=d_H)


def ensemble(**params):
    """A small ensemble without a forest before it."""
    return quick_ensemble(relevance=None, dtype="float64", **params)


def assert_numpy_trains(monkeypatch, fit, reason, usual=None):
    """By default NumPy trains, for this reason, and so that the fit is not the `usual` one."""
    monkeypatch.delenv("SKSOFTMAX_ENGINE", raising=False)
    ours, theirs = fit(), trained_by(monkeypatch, "numpy", fit)
    assert ours.engine_ == f"numpy: {reason}"
    assert_same_weights(ours, theirs)
    assert ours.loss_curve_ == theirs.loss_curve_
    if usual is not None:
        assert not np.allclose(flat(ours), flat(usual), rtol=1e-3)


# What the compiled engine does not know


@needs_compiler
@pytest.mark.parametrize("kind, name", [(SignedSGD, "sgd"), (SignedAdam, "adam")], ids=["SGD", "Adam"])
def test_a_subclassed_optimizer_is_trained_by_numpy(monkeypatch, kind, name):
    def fit():
        return ensemble(solver=name).fit(ENSEMBLE_X, ENSEMBLE_y)

    usual = fit()
    assert usual.engine_ == "compiled"
    monkeypatch.setitem(optimizers.OPTIMIZERS, name, kind)
    assert_numpy_trains(monkeypatch, fit, f"it has no step of {kind.__name__}", usual)


@needs_compiler
@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_subclassed_head_is_trained_by_numpy(monkeypatch, solver):
    def fit():
        return ensemble(solver=solver, alpha=0.1).fit(ENSEMBLE_X, ENSEMBLE_y)

    usual = fit()
    assert usual.engine_ == "compiled"
    monkeypatch.setitem(heads.OUT_ACTIVATIONS, "softmax", FlatSoftmaxHead)
    assert_numpy_trains(monkeypatch, fit, "it has no loss of FlatSoftmaxHead", usual)


@needs_compiler
def test_a_subclassed_head_for_two_classes_is_trained_by_numpy(monkeypatch):
    monkeypatch.setattr("sksoftmax.data.targets.BinaryHead", FlatBinaryHead)
    assert_numpy_trains(monkeypatch, lambda: ensemble().fit(ENSEMBLE_X, ENSEMBLE_y > 0), "it has no loss of FlatBinaryHead")


@needs_compiler
def test_an_added_activation_is_trained_and_predicted_by_numpy(monkeypatch):
    monkeypatch.setitem(layers.ACTIVATIONS, "softsign", softsign)
    fits = []

    def fit():
        fits.append(ensemble(activation=["relu", "softsign"]).fit(ENSEMBLE_X, ENSEMBLE_y))
        return fits[-1]

    assert_numpy_trains(monkeypatch, fit, "it has no activation 'softsign'", ensemble().fit(ENSEMBLE_X, ENSEMBLE_y))
    assert_array_equal(*[clf.predict_proba(ENSEMBLE_X) for clf in fits])


@needs_compiler
def test_a_network_of_too_many_layers_is_trained_by_numpy(monkeypatch):
    monkeypatch.setattr(compiled_engine, "MOST_LAYERS", 2)
    assert_numpy_trains(monkeypatch, lambda: ensemble().fit(ENSEMBLE_X, ENSEMBLE_y), "the network has more than 2 layers")
    assert ensemble(hidden_layer_sizes=(5,)).fit(ENSEMBLE_X, ENSEMBLE_y).engine_ == "compiled"


@needs_compiler
@pytest.mark.parametrize("n_members", [1, 4])
def test_another_order_of_batches_is_trained_as_numpy_trains_it(monkeypatch, n_members):
    def fit():
        return short_default(relevance=None, dtype="float64", epsilon=1e-4, n_members=n_members).fit(ENSEMBLE_X, ENSEMBLE_y)

    usual, cut = fit(), steps.cut
    monkeypatch.setattr(steps, "cut", lambda order, size: [batch[:, ::2].copy() for batch in cut(order, size)[::-1]])
    ours, theirs = trained_by(monkeypatch, "compiled", fit), trained_by(monkeypatch, "numpy", fit)
    np.testing.assert_allclose(flat(ours), flat(theirs), rtol=0, atol=1e-10)
    assert not np.allclose(flat(ours), flat(usual), rtol=1e-3)


# The choice of the user


@needs_compiler
def test_an_engine_that_the_user_asks_for_trains(monkeypatch):
    for asked, name in {"": "compiled", "compiled": "compiled", "numpy": "numpy: SKSOFTMAX_ENGINE asks for it"}.items():
        monkeypatch.setenv("SKSOFTMAX_ENGINE", asked)
        assert ensemble().fit(ENSEMBLE_X, ENSEMBLE_y).engine_ == name


CALLS = {
    "fit": lambda: ensemble().fit(ENSEMBLE_X, ENSEMBLE_y),
    "fit by L-BFGS": lambda: ensemble(solver="lbfgs").fit(ENSEMBLE_X, ENSEMBLE_y),
    "partial_fit": lambda: ensemble().partial_fit(ENSEMBLE_X, ENSEMBLE_y, classes=[0, 1, 2]),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_name_of_an_engine_is_an_error_that_names_the_right_ones(monkeypatch, name):
    monkeypatch.setenv("SKSOFTMAX_ENGINE", "jit")
    with pytest.raises(ValueError, match=r"SKSOFTMAX_ENGINE must be one of \('numpy', 'compiled'\) or empty; got 'jit'"):
        CALLS[name]()


def test_the_compiled_engine_where_it_cannot_train_is_an_error_with_the_reason(monkeypatch):
    monkeypatch.setenv("SKSOFTMAX_ENGINE", "compiled")
    monkeypatch.setitem(layers.ACTIVATIONS, "softsign", softsign)
    reason = "it has no activation 'softsign'" if _kernels else "no C compiler worked"
    with pytest.raises(ValueError, match=f"SKSOFTMAX_ENGINE asks for the compiled engine, which cannot train here: {reason}"):
        ensemble(activation=["relu", "softsign"]).fit(ENSEMBLE_X, ENSEMBLE_y)


# Without the extension


@pytest.fixture
def not_built(monkeypatch):
    """The package as it is where no C compiler was found."""
    monkeypatch.setattr(compiled_engine, "_kernels", None)
    monkeypatch.delenv("SKSOFTMAX_ENGINE", raising=False)


NOT_BUILT = "no C compiler worked when this package was installed"


@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_a_package_without_the_extension_trains_and_predicts_with_numpy_and_says_so(not_built, solver):
    clf = ensemble(solver=solver).fit(ENSEMBLE_X, ENSEMBLE_y)
    assert clf.engine_ == f"numpy: {NOT_BUILT}"
    assert clf.predict_proba(ENSEMBLE_X).shape == (len(ENSEMBLE_X), 3)


def test_partial_fit_without_the_extension_says_so(not_built):
    clf = ensemble().partial_fit(ENSEMBLE_X, ENSEMBLE_y, classes=[0, 1, 2])
    assert clf.engine_ == f"numpy: {NOT_BUILT}"


def test_a_package_without_the_extension_cannot_train_with_it(not_built, monkeypatch):
    monkeypatch.setenv("SKSOFTMAX_ENGINE", "compiled")
    with pytest.raises(ValueError, match=f"cannot train here: {NOT_BUILT}"):
        ensemble().fit(ENSEMBLE_X, ENSEMBLE_y)


# The tables of both


@needs_compiler
def test_the_extension_has_the_activations_of_the_layers():
    assert list(_kernels.ACTIVATIONS) == list(layers.ACTIVATIONS)


@needs_compiler
def test_the_compiled_engine_has_every_optimizer_and_every_head():
    assert set(compiled_engine.UPDATES) == set(optimizers.OPTIMIZERS.values())
    assert set(compiled_engine.LOSSES) == {*heads.OUT_ACTIVATIONS.values(), heads.BinaryHead, heads.MultilabelHead}
    assert {name for name, *_ in compiled_engine.UPDATES.values()} == set(_kernels.UPDATES)
    assert set(compiled_engine.LOSSES.values()) == set(_kernels.LOSSES)
