"""Fits and predictions with the compiled engine, against the same with NumPy's."""

import warnings
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix
from sklearn.exceptions import ConvergenceWarning

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax import model as model_module
from sksoftmax.engines import compiled_engine
from sksoftmax.engines.compiled_engine import CompiledEngine
from sksoftmax.nn import threads
from sksoftmax.nn.ensemble_weights import EnsembleWeights
from sksoftmax.nn.layers import ACTIVATIONS
from support import data
from support.callbacks import Recorder
from support.engines import calls_of_at_most, needs_compiler, trained_by
from support.estimators import plain, quick_ensemble
from support.marks import CONVERGING, UNCONVERGED, has_callbacks
from support.networks import fitted_model, training_state
from support.processes import interrupt, run_out_of_memory
from support.weights import assert_same_weights, flat_vector

pytestmark = [needs_compiler, pytest.mark.filterwarnings(UNCONVERGED), pytest.mark.filterwarnings(CONVERGING)]
N, rng = 240, np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "length": np.where(rng.random(N) < 0.1, np.nan, rng.normal(size=N)),
        "city": rng.choice([f"city {i}" for i in range(20)], N),
        "color": rng.choice(["red", "green", "blue"], N),
        "street": rng.choice([f"street {i}" for i in range(12)], N),
    }
)
WEIGHTS = rng.uniform(0.1, 2, N)
THIN = csr_matrix(np.where(data.ENSEMBLE_X > 0.5, data.ENSEMBLE_X, 0))
X, y = data.ENSEMBLE_X, data.ENSEMBLE_y
ONE = {"n_members": 1}
SGD = {"solver": "sgd", "learning_rate_init": 0.01, "learning_rate": "constant"}
OPTIONS = {
    "default": {},
    "epsilon": {"epsilon": 1e-8},
    "relevance": {"relevance": "auto"},
    "n_bins": {"n_bins": 8},
    "no new regularization": {"label_smoothing": 0.0, "dropout": 0.0, "weight_decay": 0.0},
    **{f"activation {name}": {"activation": name} for name in ACTIVATIONS},
    "activation of each layer": {"activation": ("tanh", "relu")},
    "no hidden layer": {"hidden_layer_sizes": ()},
    "four hidden layers": {"hidden_layer_sizes": (7, 6, 5, 4)},
    "label_smoothing": {"label_smoothing": 0.3},
    "dropout": {"dropout": 0.4},
    "dropout of each kind of member": {"dropout": "auto", "n_members": 4},
    "alpha": {"alpha": 2.0},
    "weight_decay": {"weight_decay": 0.5},
    "clip_norm": {"clip_norm": 0.05},
    "ema_decay": {"ema_decay": 0.8},
    "class_weight": {"class_weight": {0: 2.0, 1: 0.5}},
    "balanced class_weight": {"class_weight": "balanced"},
    "without a class": {"class_weight": {0: 0.0}},
    "n_members 1": ONE,
    **{f"n_members {n}": {"n_members": n} for n in (2, 3, 5, 8)},
    "batch_size 7": {"batch_size": 7},
    "batch_size 7, one network": {"batch_size": 7, **ONE},
    "batch_size 1": {"batch_size": 1, "max_iter": 1},
    "all rows at once": {"batch_size": N},
    "parametrization": {"parametrization": "standard"},
    "scaling": {"scaling": "standard"},
    "without shuffle": {"shuffle": False},
    "constant learning_rate": {"learning_rate": "constant"},
    "sgd": SGD,
    "sgd, one network": {**SGD, **ONE},
    "sgd, no Nesterov": {**SGD, "nesterovs_momentum": False, "momentum": 0.7},
    "sgd, invscaling": {**SGD, "learning_rate": "invscaling"},
    "sgd, adaptive": {**SGD, "learning_rate": "adaptive", "n_iter_no_change": 1, "tol": 10.0, "max_iter": 8, **ONE},
    "sgd, one_cycle": {**SGD, "learning_rate": "one_cycle"},
    "early_stopping": {"early_stopping": True, "max_iter": 6},
    "early_stopping by loss": {"early_stopping": True, "scoring": "loss", **ONE},
    "lbfgs": {"solver": "lbfgs", "alpha": 0.1},
    "lbfgs, no hidden layer": {"solver": "lbfgs", "hidden_layer_sizes": ()},
}
KINDS_OF_X = {"frame": FRAME, "sparse": THIN}
KINDS_OF_FIT = {
    "members": {},
    "three members": {"n_members": 3},
    "one network": ONE,
    "no hidden layer": {"hidden_layer_sizes": ()},
    "sgd": SGD,
    "alpha, clip_norm, ema_decay": {"alpha": 1.0, "clip_norm": 0.1, "ema_decay": 0.7},
    "without scaling": {"scaling": None},
    "lbfgs": {"solver": "lbfgs", "alpha": 0.1},
}
DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])


def estimator(**params):
    """A default ensemble with two small layers, three epochs, and neither a forest before them nor bins.

    With a larger epsilon, Adam does not make large steps of gradients that are nothing but roundings.
    """
    return quick_ensemble(**{"relevance": None, "n_bins": 0, "epsilon": 1e-4, **params})


def assert_fits_agree(monkeypatch, fit, rows, dtype):
    """After `fit()` both engines have the same curves, probabilities and, in float64, weights.

    The weights of an ensemble are the result of a search, which is less exact: so the members are compared with equal weights.
    """
    ours, theirs = (trained_by(monkeypatch, engine, fit) for engine in ("compiled", "numpy"))
    assert ours.engine_ == "compiled"
    tolerance = {"rtol": 0, "atol": 1e-10 if dtype == "float64" else 1e-4}
    assert_allclose(ours.loss_curve_, theirs.loss_curve_, **tolerance)
    assert_allclose(ours.predict_proba(rows), theirs.predict_proba(rows), rtol=0, atol=0.01)
    for clf in (ours, theirs):
        if len(clf.member_weights_) > 1:
            model = fitted_model(clf)
            model.ensemble_weights, model.companion = EnsembleWeights.equal(clf.n_members_), None
    assert_allclose(ours.predict_proba(rows), theirs.predict_proba(rows), **tolerance)
    if dtype == "float64":
        assert_allclose(flat_vector(ours), flat_vector(theirs), **tolerance)


@DTYPES
@pytest.mark.parametrize("name", OPTIONS)
def test_fits_with_an_option_agree(monkeypatch, name, dtype):
    assert_fits_agree(monkeypatch, lambda: estimator(dtype=dtype, **OPTIONS[name]).fit(X, y), X, dtype)


@DTYPES
@pytest.mark.parametrize("params", [{}, ONE, {"label_smoothing": 0.2, "dropout": 0.2}], ids=["members", "one network", "smooth"])
@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("kind", data.KINDS)
def test_fits_on_a_kind_of_target_agree(monkeypatch, kind, weighted, params, dtype):
    options = {**params, "target_type": "probabilities" if kind.startswith("soft") else "auto"}
    if kind == "one class":
        options["n_members"] = 1
    weights = WEIGHTS if weighted else None
    assert_fits_agree(monkeypatch, lambda: estimator(dtype=dtype, **options).fit(X, data.KINDS[kind], weights), X, dtype)


def test_fits_with_softmax_for_two_classes_agree(monkeypatch):
    assert_fits_agree(monkeypatch, lambda: estimator(out_activation="softmax").fit(X, y > 0), X, "float32")


@DTYPES
@pytest.mark.parametrize("in_memory", [True, False], ids=["in memory", "not in memory"])
@pytest.mark.parametrize("name", KINDS_OF_FIT)
@pytest.mark.parametrize("kind", KINDS_OF_X)
def test_fits_on_a_kind_of_X_agree(monkeypatch, limits, kind, name, in_memory, dtype):
    limits(MAX_ONE_HOT=5, GRADIENT_ROWS=100)  # so two columns are embedded
    if not in_memory:
        limits(COPY_BYTES=1000, READ_NUMBERS=2000, PART_NUMBERS=2000)
    rows, params = KINDS_OF_X[kind], KINDS_OF_FIT[name]
    if kind == "frame" and params.get("scaling", "auto") is None:
        params = {"scaling": "standard"}
    assert_fits_agree(monkeypatch, lambda: estimator(dtype=dtype, **params).fit(rows, y, WEIGHTS), rows, dtype)


@DTYPES
@pytest.mark.parametrize("name", KINDS_OF_FIT)
def test_fits_on_an_array_that_is_not_in_memory_agree(monkeypatch, limits, name, dtype):
    limits(COPY_BYTES=1000, READ_NUMBERS=2000, PART_NUMBERS=2000, GRADIENT_ROWS=100)
    assert_fits_agree(monkeypatch, lambda: estimator(dtype=dtype, **KINDS_OF_FIT[name]).fit(X, y, WEIGHTS), X, dtype)


@pytest.mark.parametrize("params", [{}, ONE, SGD, {"ema_decay": 0.8}, {"dropout": 0.3}], ids=str)
def test_two_calls_of_partial_fit_agree(monkeypatch, params):
    def fit():
        clf = estimator(dtype="float64", **params).partial_fit(X[:150], y[:150], classes=[0, 1, 2])
        return clf.partial_fit(X[90:], y[90:])

    assert_fits_agree(monkeypatch, fit, X, "float64")


@pytest.mark.parametrize("params", [{}, ONE, SGD, {"ema_decay": 0.8}, {"solver": "lbfgs"}], ids=str)
def test_fits_with_warm_start_agree(monkeypatch, params):
    assert_fits_agree(
        monkeypatch, lambda: estimator(dtype="float64", warm_start=True, **params).fit(X, y).fit(X, y), X, "float64"
    )


@pytest.mark.parametrize("first, second", [("numpy", "compiled"), ("compiled", "numpy")])
def test_an_engine_continues_what_the_other_began(monkeypatch, first, second):
    clf = trained_by(monkeypatch, first, lambda: estimator(dtype="float64", warm_start=True, ema_decay=0.8).fit(X, y))
    clf = trained_by(monkeypatch, second, lambda: clf.fit(X, y))
    one = trained_by(monkeypatch, first, lambda: estimator(dtype="float64", warm_start=True, ema_decay=0.8).fit(X, y).fit(X, y))
    assert_allclose(clf.predict_proba(X), one.predict_proba(X), rtol=0, atol=1e-10)


def test_what_verbose_prints_agrees(monkeypatch, capsys):
    printed = []
    for engine in ("compiled", "numpy"):
        trained_by(monkeypatch, engine, lambda: estimator(verbose=True, dtype="float64").fit(X, y))
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    assert printed[0].count("\n") >= 3


@has_callbacks
def test_a_callback_sees_the_same_epochs(monkeypatch):
    recorders = [Recorder(stop_at=1), Recorder(stop_at=1)]
    one, other = (
        trained_by(monkeypatch, engine, lambda recorder=recorder: estimator(dtype="float64").set_callbacks(recorder).fit(X, y))
        for engine, recorder in zip(("compiled", "numpy"), recorders)
    )
    assert recorders[0].events == recorders[1].events
    for (_, ours), (_, theirs) in zip(recorders[0].models, recorders[1].models, strict=True):
        assert_allclose(ours, theirs, rtol=0, atol=1e-10)
    assert one.n_iter_ == other.n_iter_ == 2


def test_members_in_threads_train_to_the_same_bits(monkeypatch):
    for params in ({"n_members": 8, "dropout": 0.3}, {"n_members": 3, "ema_decay": 0.8}):
        one = trained_by(monkeypatch, "compiled", lambda params=params: estimator(**params).fit(X, y))
        monkeypatch.setattr(threads, "allowed_threads", lambda: 4)
        assert_same_weights(trained_by(monkeypatch, "compiled", lambda params=params: estimator(**params).fit(X, y)), one)
        monkeypatch.undo()


# Several epochs in one call


def assert_calls_do_not_matter(monkeypatch, fit, n_epochs):
    """Training in calls of at most so many epochs, and of one epoch, ends alike to the bit; return what the longer calls made."""
    found = []
    for most in (n_epochs, 1):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            clf, sizes = calls_of_at_most(monkeypatch, most, fit)
        found.append((clf, sizes, [str(warning.message) for warning in caught]))
    (ours, sizes, said), (theirs, of_one, also_said) = found
    assert max(sizes) > 1
    assert max(of_one) == 1
    assert said == also_said
    assert ours.loss_curve_ == theirs.loss_curve_
    assert training_state(ours).progress.kept_epoch == training_state(theirs).progress.kept_epoch
    assert_same_weights(ours, theirs)
    assert_array_equal(ours.member_weights_, theirs.member_weights_)
    return ours, sizes, said


@pytest.mark.parametrize("n_epochs", [2, 3, 1000])
@pytest.mark.parametrize(
    "params", [{}, ONE, {"dropout": 0.3, "ema_decay": 0.8}, SGD, {"shuffle": False, "batch_size": 7}], ids=str
)
def test_several_epochs_in_a_call_are_one_epoch_at_a_time(monkeypatch, params, n_epochs):
    _, sizes, _ = assert_calls_do_not_matter(monkeypatch, lambda: estimator(**{"max_iter": 7, **params}).fit(X, y), n_epochs)
    assert sum(sizes) == 7


def test_a_call_ends_with_the_fold_phase(monkeypatch):
    clf, sizes, _ = assert_calls_do_not_matter(monkeypatch, lambda: estimator(max_iter=8).fit(data.MANY_X, data.MANY_y), 1000)
    assert sizes == [clf.n_fold_epochs_, 8 - clf.n_fold_epochs_]
    assert 0 < clf.n_fold_epochs_ < 8


def unstable(rate=3.0, **params):
    """A network whose steps are too long."""
    defaults = {"solver": "sgd", "learning_rate_init": rate, "batch_size": 20, "max_iter": 30, "random_state": 0, "tol": 0.0}
    return plain((20, 20), **{"activation": "identity", **defaults, **params})


@pytest.mark.parametrize("params", [{}, {"rate": 1.0}, {"n_iter_no_change": 2}, {"ema_decay": 0.5}], ids=str)
def test_divergence_in_the_middle_of_a_call_ends_as_one_epoch_at_a_time_does(monkeypatch, params):
    clf, _, (said, *_) = assert_calls_do_not_matter(monkeypatch, lambda: unstable(**params).fit(data.X, data.MULTICLASS), 1000)
    assert "Training diverged" in said
    assert 0 < clf.n_iter_ < 30
    assert np.isfinite(clf.predict_log_proba(data.X)).all()


def test_divergence_in_the_middle_of_a_call_undoes_the_draws_of_dropout(monkeypatch):
    """Dropout's generators are set back, too: the epochs before divergence are trained again with their own masks."""

    def fit():
        return (
            estimator(**SGD, dropout=0.3, activation="identity", n_members=1, max_iter=30, scaling=None)
            .set_params(learning_rate_init=3.0, clip_norm=None)
            .fit(data.X, data.MULTICLASS)
        )

    _, _, (said, *_) = assert_calls_do_not_matter(monkeypatch, fit, 1000)
    assert "Training diverged" in said


@pytest.mark.parametrize("n_iter_no_change", [1, 4])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_training_that_tol_ends_ends_in_the_same_epoch(monkeypatch, solver, n_iter_no_change):
    def fit():
        params = {"solver": solver, "tol": 0.02, "n_iter_no_change": n_iter_no_change, "max_iter": 200, "random_state": 0}
        return plain((8,), learning_rate_init=0.01, **params).fit(X, y)

    clf, _, said = assert_calls_do_not_matter(monkeypatch, fit, 1000)
    assert clf.n_iter_ < 200
    assert said == []


def test_a_fit_after_one_that_tol_ended_continues_alike(monkeypatch):
    def fit():
        params = {"tol": 0.02, "n_iter_no_change": 3, "warm_start": True, "random_state": 0}
        return plain((8,), learning_rate_init=0.01, **params).fit(X, y).fit(X, y)

    assert_calls_do_not_matter(monkeypatch, fit, 1000)


@pytest.mark.parametrize("params", [{"early_stopping": True}, {"verbose": True}, {**SGD, "learning_rate": "invscaling"}], ids=str)
def test_an_epoch_after_which_somebody_looks_is_a_call_of_its_own(monkeypatch, capsys, params):
    _, sizes = calls_of_at_most(monkeypatch, 1000, lambda: estimator(**params).fit(X, y))
    assert sizes == [1, 1, 1]


# Predictions


@pytest.fixture
def without_kernels(monkeypatch):
    """A function that predicts with NumPy."""

    def predict(clf, rows):
        with monkeypatch.context() as patched:
            patched.setattr(compiled_engine, "_kernels", None)
            return deepcopy(clf).predict_proba(rows)

    return predict


FITTED = {
    "members": lambda dtype: estimator(dtype=dtype).fit(X, y),
    "one network": lambda dtype: estimator(dtype=dtype, **ONE).fit(X, y),
    "no hidden layer": lambda dtype: estimator(dtype=dtype, hidden_layer_sizes=()).fit(X, y),
    "two classes": lambda dtype: estimator(dtype=dtype).fit(X, y > 0),
    "frame": lambda dtype: estimator(dtype=dtype).fit(FRAME, y),
    "sparse": lambda dtype: estimator(dtype=dtype).fit(THIN, y),
}


def queried(name, n_rows):
    """So many rows for this fitted estimator."""
    rows = {"frame": FRAME, "sparse": THIN}.get(name, X)
    numbers = np.arange(n_rows) % N
    return rows.iloc[numbers] if name == "frame" else rows[numbers]


@DTYPES
@pytest.mark.parametrize("rows_at_once", [None, 64], ids=["one chunk", "chunks"])
@pytest.mark.parametrize("name", FITTED)
def test_predictions_of_any_number_of_rows_agree(monkeypatch, limits, without_kernels, name, rows_at_once, dtype):
    limits(MAX_ONE_HOT=5)
    clf = FITTED[name](dtype)
    if rows_at_once:
        limits(CHUNK_NUMBERS=1)
        monkeypatch.setattr(model_module, "SMALLEST_CHUNK", rows_at_once)
    for n_rows in (1, 2, 64, 65, 240):
        rows = queried(name, n_rows)
        expected = without_kernels(clf, rows)
        assert_allclose(clf.predict_proba(rows), expected, rtol=1e-12 if dtype == "float64" else 1e-5, atol=1e-7)


def test_predictions_follow_weights_that_are_changed_in_place(without_kernels):
    clf = FITTED["members"]("float64")
    before = clf.predict_proba(X[:3])
    clf.coefs_[0][...] *= 2
    assert np.abs(clf.predict_proba(X[:3]) - before).max() > 1e-3
    assert_allclose(clf.predict_proba(X[:3]), without_kernels(clf, X[:3]), rtol=1e-12)


@pytest.mark.parametrize("name", ["members", "frame"])
def test_any_number_of_threads_may_predict_at_once(limits, name):
    limits(MAX_ONE_HOT=5)
    clf = FITTED[name]("float64")
    sizes = [1, 3, 64, 65, 100] * 12
    expected = [clf.predict_proba(queried(name, n)) for n in sizes]
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda n: clf.predict_proba(queried(name, n)), sizes))
    for ours, theirs in zip(found, expected, strict=True):
        assert_array_equal(ours, theirs)
    assert len(fitted_model(clf).network.waiting) <= 6


def test_partial_fit_after_divergence_continues_alike(monkeypatch):
    def fit():
        clf = unstable().fit(data.X, data.MULTICLASS)
        return clf.set_params(learning_rate_init=0.01).partial_fit(data.X, data.MULTICLASS)

    assert_calls_do_not_matter(monkeypatch, fit, 1000)


# Ctrl-C and errors between calls


def in_parts(monkeypatch):
    """Let each call of the kernel take few steps, so that there is something between the calls."""
    monkeypatch.setattr(CompiledEngine, "most_epochs", 1)


@pytest.mark.parametrize("at_call", [1, 3])
@pytest.mark.parametrize("params", [{}, ONE, {"ema_decay": 0.9}, {"solver": "sgd"}], ids=str)
def test_an_interrupt_keeps_a_model_that_predicts_and_continues(params, at_call, monkeypatch):
    in_parts(monkeypatch)
    interrupt(monkeypatch, CompiledEngine, "take_steps", at_call)
    with pytest.warns(UserWarning, match="interrupted by user"):
        clf = quick_ensemble(max_iter=5, **params).fit(X, y)
    assert clf.n_iter_ == at_call - 1
    assert np.isfinite(clf.predict_log_proba(X)).all()
    assert np.isfinite(clf.partial_fit(X, y).loss_)


@pytest.mark.parametrize("error", [interrupt, run_out_of_memory])
def test_an_interrupt_or_an_error_in_partial_fit_changes_nothing(error, monkeypatch):
    clf = quick_ensemble(max_iter=2).partial_fit(X, y, classes=np.unique(y))
    expected = deepcopy(clf).partial_fit(X, y)
    with monkeypatch.context() as patched:
        error(patched, CompiledEngine, "take_steps", 1)
        with pytest.raises((KeyboardInterrupt, MemoryError)):
            clf.partial_fit(X, y)
    assert_same_weights(clf.partial_fit(X, y), expected)


def test_a_row_that_diverges_after_the_fold_phase_leaves_weights_that_have_learned():
    X = np.random.default_rng(0).normal(size=(1000, 20))
    y = (X[:, 0] + X[:, 1] > 0).astype(int)
    huge = X.copy()
    huge[0] *= 1e160
    with pytest.warns(ConvergenceWarning, match="last good weights"):
        clf = SoftmaxMLPClassifier(16, n_members=1, random_state=4, max_iter=20, scaling=None).fit(huge, y)
    assert clf.score(X[1:], y[1:]) > 0.9


def test_sparse_rows_whose_numbers_are_strided_are_read():
    X = csr_matrix(np.where(data.ENSEMBLE_X > 0.5, data.ENSEMBLE_X, 0))
    strided = X.copy()
    strided.data, strided.indices = np.repeat(X.data, 2)[::2], np.repeat(X.indices, 2)[::2]
    expected, found = (quick_ensemble(max_iter=2, scaling=None).fit(rows, y) for rows in (X, strided))
    assert_same_weights(found, expected)


def test_weights_of_another_precision_are_numpys():
    clf = quick_ensemble(max_iter=2, companion=False).fit(X, y)
    expected = clf.predict_proba(X)
    clf.coefs_ = [W.astype(np.longdouble) for W in clf.coefs_]
    assert_allclose(clf.predict_proba(X), expected, rtol=1e-6)
