"""Compiled steps against NumPy's: the same weights, to rounding, whatever is trained and how."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.nn.layers import ACTIVATIONS
from sksoftmax.training import compiled, steps
from sksoftmax.training.compiled import CompiledEpochs
from support import interrupted_fits
from support.failures import interrupt, run_out_of_memory
from support.interrupted_fits import SETTINGS

pytest.importorskip("numba")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
rng = np.random.default_rng(0)
N = 203
X = rng.normal(size=(N, 5))
y = np.array(["b", "a", "c"])[X[:, :3].argmax(axis=1)]
WEIGHTS = rng.uniform(0.1, 3, N)
P = rng.dirichlet(np.ones(3), N)
MANY = np.array([f"k{i:03}" for i in range(260)] * 2, dtype=object)
FEW = np.array([f"c{i % 17}" for i in range(520)], dtype=object)
TARGETS = {
    "labels": y,
    "two classes": y == "a",
    "two softmax units": y == "a",
    "probabilities": P,
    "two probabilities": np.column_stack([P[:, 0], 1 - P[:, 0]]),
    "multilabel": (X[:, :3] > 0).astype(int),
}


def fitted(engine, monkeypatch, rows=X, targets=y, sample_weight=None, **params):
    """A small fit of three epochs by this engine."""
    monkeypatch.setenv("SKSOFTMAX_ENGINE", engine)
    params = {"hidden_layer_sizes": (7, 6), "max_iter": 3, "batch_size": 20, "random_state": 0, "dtype": "float64", **params}
    return SoftmaxMLPClassifier(**params).fit(rows, targets, sample_weight=sample_weight)


def assert_engines_agree(monkeypatch, **params):
    """The vector of all weights, relative to its length, and the loss curve."""
    numpy, numba = (fitted(engine, monkeypatch, **params) for engine in ("numpy", "numba"))
    rtol = 1e-4 if params.get("dtype") == "float32" else 1e-10
    ours, theirs = numba._model.network.parameters, numpy._model.network.parameters
    assert np.linalg.norm(ours - theirs) <= rtol * np.linalg.norm(theirs)
    assert_allclose(numba.loss_curve_, numpy.loss_curve_, rtol=rtol)
    return numba


@pytest.mark.parametrize("members", [1, 4])
@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("kind", TARGETS)
def test_every_head_trains_as_in_numpy(kind, smoothing, weighted, members, monkeypatch):
    weights, out = WEIGHTS if weighted else None, "softmax" if kind == "two softmax units" else "auto"
    params = {"n_members": members, "label_smoothing": smoothing, "out_activation": out, "sample_weight": weights}
    assert_engines_agree(monkeypatch, targets=TARGETS[kind], **params)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_every_activation_trains_as_in_numpy(activation, solver, dtype, monkeypatch):
    rate = 1e-3 if solver == "adam" else 1e-2
    assert_engines_agree(monkeypatch, activation=activation, solver=solver, dtype=dtype, learning_rate_init=rate, n_members=1)


OPTIONS = {
    "no hidden layer": {"hidden_layer_sizes": ()},
    "three layers": {"hidden_layer_sizes": (5, 4, 3), "activation": ["tanh", "selu", "mish"]},
    "alpha": {"alpha": 0.3},
    "weighted alpha": {"alpha": 0.3, "sample_weight": WEIGHTS},
    "weight_decay": {"weight_decay": 0.5},
    "clip_norm": {"clip_norm": 0.05},
    "long clip_norm": {"clip_norm": 1e3},
    "ema_decay": {"ema_decay": 0.9},
    "dropout": {"dropout": 0.3},
    "dropout of one layer": {"dropout": [0.0, 0.4]},
    "everything": {"alpha": 0.1, "weight_decay": 0.2, "clip_norm": 0.5, "ema_decay": 0.8, "dropout": 0.2, "label_smoothing": 0.1},
    "ntk": {"parametrization": "ntk"},
    "standard": {"parametrization": "standard"},
    "no bins": {"n_bins": 0},
    "raw numbers": {"scaling": None, "n_bins": 0},
    "one batch": {"batch_size": 203},
    "no shuffle": {"shuffle": False},
    "early stopping": {"early_stopping": True},
    "one cycle": {"learning_rate": "one_cycle", "warmup": 0.2},
    "invscaling": {"learning_rate": "invscaling"},
    "not Nesterov's": {"nesterovs_momentum": False, "momentum": 0.5},
}


@pytest.mark.parametrize("members", [1, 4])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_trains_as_in_numpy(option, solver, members, monkeypatch):
    assert_engines_agree(monkeypatch, solver=solver, n_members=members, **OPTIONS[option])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("members", [1, 4])
@pytest.mark.parametrize("columns", ["embedded", "one-hot", "both", "only embedded", "only one-hot"])
def test_columns_of_categories_train_as_in_numpy(columns, members, solver, dtype, monkeypatch):
    pd = pytest.importorskip("pandas")
    numbers = np.random.default_rng(1).normal(size=(520, 2))
    frame = pd.DataFrame({"a": numbers[:, 0], "b": numbers[:, 1], "many": MANY, "few": FEW})
    keep = {
        "embedded": ["a", "many", "b"],
        "one-hot": ["few", "a", "b"],
        "both": ["a", "b", "few", "many"],
        "only embedded": ["many"],
        "only one-hot": ["few"],
    }
    target = (numbers[:, 0] + np.arange(520) % 17 > 8).astype(int)
    params = {"solver": solver, "n_members": members, "dtype": dtype, "batch_size": 40, "dropout": 0.1, "weight_decay": 0.1}
    clf = assert_engines_agree(monkeypatch, rows=frame[keep[columns]], targets=target, **params)
    assert bool(clf._model.network.form.n_codes) == (columns in ("embedded", "both", "only embedded"))


def test_one_hot_codes_train_as_in_numpy(monkeypatch):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({f"c{j}": np.random.default_rng(j).integers(100, size=800).astype(str) for j in range(4)})
    frame["number"] = np.random.default_rng(9).normal(size=800)
    target = frame["c0"].str.len().to_numpy() + (frame["number"] > 0)
    for members in (1, 4):
        clf = assert_engines_agree(monkeypatch, rows=frame, targets=target, n_members=members)
    assert clf._model.network.form.n_one_hot


@pytest.mark.parametrize("layout", ["C", "F"])
def test_rows_that_are_read_only_and_in_any_order_of_memory_train_as_in_numpy(layout, monkeypatch):
    rows, weights = np.array(X, order=layout), WEIGHTS.copy()
    rows.flags.writeable = weights.flags.writeable = False
    assert_engines_agree(monkeypatch, rows=rows, sample_weight=weights, scaling=None, n_bins=0, n_members=1)


@pytest.mark.parametrize("members", [1, 4])
def test_rows_that_are_read_batch_by_batch_train_as_those_in_memory(members, monkeypatch):
    in_memory = fitted("numba", monkeypatch, n_members=members)
    monkeypatch.setattr("sksoftmax.data.rows.COPY_BYTES", 100)
    monkeypatch.setattr(compiled, "READ_NUMBERS", 1000)
    lazily = fitted("numba", monkeypatch, n_members=members)
    for ours, theirs in zip(lazily.coefs_, in_memory.coefs_, strict=True):
        assert_array_equal(ours, theirs)


def test_sparse_rows_are_trained_by_numpy(monkeypatch):
    monkeypatch.setattr(steps, "CompiledEpochs", None)
    assert fitted("numba", monkeypatch, rows=csr_matrix(np.where(X > 1, X, 0)), n_bins=0).n_iter_ == 3


@pytest.mark.parametrize("params", [{}, {"solver": "sgd"}, {"ema_decay": 0.9}, {"dropout": 0.2}, {"n_members": 4}])
def test_partial_fit_trains_as_in_numpy(params, monkeypatch):
    def trained(engine):
        monkeypatch.setenv("SKSOFTMAX_ENGINE", engine)
        clf = SoftmaxMLPClassifier(
            **{"hidden_layer_sizes": (6,), "n_members": 1, "random_state": 0, "dtype": "float64", **params}
        )
        for start in (0, 100, 50):
            clf = pickle.loads(
                pickle.dumps(clf.partial_fit(X[start : start + 100], y[start : start + 100], classes=["a", "b", "c"]))
            )
        return clf

    for ours, theirs in zip(trained("numba").coefs_, trained("numpy").coefs_, strict=True):
        assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("members", [1, 4, 8])
def test_the_model_is_the_same_to_the_bit_with_one_thread_and_with_eight(members, monkeypatch):
    def trained(n_threads):
        monkeypatch.setattr("sksoftmax.nn.threads.allowed_threads", lambda: n_threads)
        return fitted("numba", monkeypatch, n_members=members, dropout=0.2)

    one, eight = trained(1), trained(8)
    for ours, theirs in zip(one.coefs_, eight.coefs_, strict=True):
        assert_array_equal(ours, theirs)
    assert_array_equal(one.predict_proba(X), eight.predict_proba(X))


@pytest.mark.parametrize("members", [1, 4])
def test_training_that_diverges_goes_back_to_good_weights(members, monkeypatch):
    params = {"solver": "sgd", "learning_rate_init": 1e6, "n_members": members, "scaling": None, "n_bins": 0}
    clf = fitted("numba", monkeypatch, rows=1e3 * X, **params)
    assert np.isfinite(clf.predict_proba(X)).all()
    assert np.isfinite(clf.loss_curve_).all()


# Ctrl-C and errors


@pytest.mark.parametrize("at_call", [1, 2, 9])
@pytest.mark.parametrize("make", SETTINGS.values(), ids=SETTINGS)
def test_an_interrupt_between_compiled_steps_keeps_a_usable_model(make, at_call, monkeypatch):
    monkeypatch.setenv("SKSOFTMAX_ENGINE", "numba")
    clf = make(batch_size=20)
    if clf.solver == "lbfgs":
        pytest.skip("L-BFGS takes no such steps")
    monkeypatch.setattr(compiled, "MULTIPLICATIONS", 1)  # a pause after each step
    interrupt(monkeypatch, CompiledEpochs, "read", at_call)
    with pytest.warns(UserWarning, match="interrupted by user"):
        clf.fit(interrupted_fits.X, interrupted_fits.y)
    monkeypatch.undo()
    interrupted_fits.assert_usable(clf)


@pytest.mark.parametrize("members", [1, 4])
@pytest.mark.parametrize("fitted_before", [False, True])
def test_running_out_of_memory_between_compiled_steps_changes_nothing(members, fitted_before, monkeypatch):
    monkeypatch.setenv("SKSOFTMAX_ENGINE", "numba")
    clf = SoftmaxMLPClassifier((6,), n_members=members, max_iter=3, random_state=0)
    if fitted_before:
        clf.fit(X, y)
    before = vars(clf).copy()
    run_out_of_memory(monkeypatch, CompiledEpochs, "read", 2)
    with pytest.raises(MemoryError):
        clf.fit(X[::-1], y[::-1])
    assert vars(clf) == before
