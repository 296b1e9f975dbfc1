"""The network that many workers train is the one that `SoftmaxMLPClassifier` trains with the same batches."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

pytest.importorskip("distributed")
pytest.importorskip("dask.dataframe", exc_type=ImportError)

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.dask import DaskSoftmaxMLPClassifier
from support import clusters
from support.clusters import FRAME, GROUPS, LABELS, MANY_LABELS, NUMBERS, SIZES, SOFT, SPARSE, WEIGHTS, in_parts

BASE = {"hidden_layer_sizes": (16, 8), "dtype": "float64", "random_state": 0, "max_iter": 3}
CONFIGURATIONS = {  # X, y, other arguments of fit, parameters
    "numbers": (NUMBERS, LABELS, {}, {}),
    "one network": (NUMBERS, LABELS, {}, {"n_members": 1}),
    "a frame": (FRAME, LABELS.astype(str), {}, {}),
    "a sparse matrix": (SPARSE, LABELS, {}, {}),
    "weights": (NUMBERS, LABELS, {"sample_weight": WEIGHTS}, {}),
    "groups": (NUMBERS, LABELS, {"groups": GROUPS}, {"companion": False}),
    "multilabel": (NUMBERS, MANY_LABELS, {}, {"class_weight": "balanced"}),
    "soft labels": (NUMBERS, SOFT, {}, {}),
    "early stopping": (NUMBERS, LABELS, {}, {"early_stopping": True, "n_members": 1, "max_iter": 6}),
    "early stopping of an ensemble": (FRAME, LABELS, {"sample_weight": WEIGHTS}, {"early_stopping": True, "scoring": "loss"}),
    "MLPClassifier's settings": (
        np.nan_to_num(NUMBERS),
        LABELS,
        {},
        {"scaling": None, "n_members": 1, "solver": "sgd", "alpha": 0.1, "clip_norm": 0.5, "ema_decay": 0.9, "batch_size": 40},
    ),
    "L-BFGS": (NUMBERS, LABELS, {"sample_weight": WEIGHTS}, {"solver": "lbfgs", "alpha": 0.1, "max_iter": 10}),
}


@pytest.fixture(scope="module", params=[*(pytest.param(n, marks=pytest.mark.nightly) for n in (1, 2)), 3])
def workers(request):
    """A cluster with one, two or three workers."""
    with clusters.cluster(request.param) as client:
        yield client


def trained_on_cluster(name, **params):
    X, y, others, own = CONFIGURATIONS[name]
    others = {key: in_parts(value, SIZES) for key, value in others.items()}
    return DaskSoftmaxMLPClassifier(**BASE | own | params).fit(in_parts(X, SIZES), in_parts(y, SIZES), **others)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:.*lbfgs failed to converge")
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_the_network_is_the_one_of_a_single_process(name, workers):
    X, y, others, own = CONFIGURATIONS[name]
    params = {} if own.get("solver") == "lbfgs" else {"dropout": 0.0}
    one = SoftmaxMLPClassifier(**BASE | own | params).fit(X, y, **others)
    many = trained_on_cluster(name, **params)
    assert many.engine_.startswith("dask: ")
    assert_allclose(many.loss_curve_, one.loss_curve_, rtol=1e-9)
    for ours, theirs in zip(many.coefs_ + many.intercepts_ + many.embeddings_, one.coefs_ + one.intercepts_ + one.embeddings_):
        assert_allclose(ours, theirs, atol=1e-6)
    assert_allclose(many.to_local().predict_proba(X), one.predict_proba(X), atol=1e-3)  # calibration ends within a tolerance


@pytest.fixture(scope="module")
def trained_by_two():
    """The coefs_ of default dropout by two workers, by the name of a configuration."""
    with clusters.cluster(2):
        return {name: trained_on_cluster(name).coefs_[0] for name in ("numbers", "a frame", "one network")}


@pytest.mark.parametrize("name", ["numbers", "a frame", "one network"])
def test_dropout_does_not_depend_on_the_number_of_workers(name, workers, trained_by_two):
    assert_allclose(trained_on_cluster(name).coefs_[0], trained_by_two[name], atol=1e-9)


@pytest.mark.parametrize("name", ["numbers", "a frame", "weights", "MLPClassifier's settings"])
def test_numpys_engine_trains_the_same_network(name, workers, monkeypatch):
    compiled = trained_on_cluster(name, dropout=0.0)
    monkeypatch.setenv("SKSOFTMAX_ENGINE", "numpy")
    by_numpy = trained_on_cluster(name, dropout=0.0)
    assert by_numpy.engine_.startswith("dask: numpy")
    assert_allclose(by_numpy.coefs_[0], compiled.coefs_[0], atol=1e-9)
