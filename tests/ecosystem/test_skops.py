"""skops saves and loads the estimator without pickle, given the list of types to trust."""

from functools import cache
from importlib import import_module

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_matrix
from sklearn.datasets import load_iris
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from sksoftmax import TRUSTED_TYPES, SoftmaxMLPClassifier
from support.estimators import plain

sio = pytest.importorskip("skops.io")


from skops.io.exceptions import UntrustedTypesFoundException  # noqa: E402 only where it is installed

X, y = load_iris(return_X_y=True)
X = StandardScaler().fit_transform(X)
TARGETS = {
    "classes": y,
    "two classes": np.array(["no", "yes"])[(y > 0).astype(int)],
    "multilabel": np.column_stack([y == 1, y == 2]).astype(int),
}
OPTIMIZERS = {
    ("Adam",): {"dropout": 0.1},
    ("SGD",): {"solver": "sgd", "weight_decay": 0.1},
    ("Adam", "WeightAverage"): {"ema_decay": 0.9, "clip_norm": 1.0},
}
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def five_epochs(**params):
    return plain(**{"hidden_layer_sizes": (6,), "max_iter": 5, "random_state": 0, **params})


def reloaded(estimator):
    """The estimator after a round trip in which the listed types, beyond scikit-learn's own, are trusted."""
    return sio.loads(sio.dumps(estimator), trusted=TRUSTED_TYPES)


def untrusted(estimator):
    """The types that skops asks to trust."""
    return set(sio.get_untrusted_types(data=sio.dumps(estimator)))


def full_names_of(types):
    """The names of these types without their modules."""
    return {name.rpartition(".")[2] for name in types}


HEADS = {"classes": "SoftmaxHead", "two classes": "BinaryHead", "multilabel": "MultilabelHead"}


@pytest.mark.parametrize("target", TARGETS)
def test_a_fitted_model_predicts_the_same_after_loading_and_needs_no_types_of_what_it_lacks(target):
    """A plain model needs one head, one block of numbers, and no optimizer."""
    clf = five_epochs().fit(X, TARGETS[target])
    loaded = reloaded(clf)
    needed = full_names_of(untrusted(clf))
    assert needed & set(HEADS.values()) == {HEADS[target]}
    assert needed & {"Adam", "SGD", "WeightAverage", "Bins", "Codes", "Flags", "OneHot"} == set()
    assert_array_equal(loaded.predict_proba(X), clf.predict_proba(X))
    assert_array_equal(loaded.predict(X), clf.predict(X))


def categories_and_missing_values():
    """Rows with numbers, missing values and categories, as a frame."""
    frame = pd.DataFrame(X, columns=list("abcd")).assign(kind=np.array(["p", "q", "r"])[y])
    frame.loc[::7, "a"] = np.nan
    return frame


RAW = {"scaling": "robust", "categorical_features": "from_dtype", "n_bins": 4}
CITIES = pd.DataFrame({"city": [f"c{i % 300:03}" for i in range(600)]})
ORDERS = pd.DataFrame({"when": [f"2024-01-{1 + i % 28:02}" for i in range(150)], "price": [f"${i}" for i in range(150)]})
MANY = np.random.RandomState(0).normal(size=(6100, 2))
MODELS = {
    **{name: lambda name=name: five_epochs().fit(X, TARGETS[name]) for name in TARGETS},
    "soft labels": lambda: five_epochs().fit(X, np.full((150, 3), [0.5, 0.3, 0.2])),
    "raw columns": lambda: five_epochs(**RAW).fit(categories_and_missing_values(), y),
    "embedded": lambda: five_epochs(**RAW, max_iter=1).fit(CITIES, np.arange(600) % 2),
    "dates and quantities": lambda: five_epochs(**RAW).fit(ORDERS, y),
    "sentinels": lambda: five_epochs(**RAW).fit(np.where(X < -1, -999, X), y),
    "sparse": lambda: five_epochs(**RAW).fit(csr_matrix(np.where(X > 4, X, 0)), y),
    "ensemble": lambda: SoftmaxMLPClassifier((6,), max_iter=3, random_state=0).fit(X, y),
    "boosted trees": lambda: SoftmaxMLPClassifier((4,), max_iter=1, n_members=2, random_state=0).fit(MANY, MANY[:, 0] > 0),
    "lbfgs": lambda: five_epochs(solver="lbfgs").fit(X, y),
    "early stopping": lambda: five_epochs(early_stopping=True).fit(X, y),
    "warm start": lambda: five_epochs(warm_start=True, random_state=np.random.RandomState(0)).fit(X, y),
    "adam, continued": lambda: five_epochs().partial_fit(X, y, classes=[0, 1, 2]),
    "sgd, continued": lambda: five_epochs(solver="sgd").partial_fit(X, y, classes=[0, 1, 2]),
    "averaged, continued": lambda: five_epochs(ema_decay=0.9).partial_fit(X, y, classes=[0, 1, 2]),
    "converted": lambda: SoftmaxMLPClassifier.from_sklearn(MLPClassifier((6,), max_iter=5, random_state=0).fit(X, y)),
}


@cache
def untrusted_in(name):
    return untrusted(MODELS[name]())


@pytest.mark.parametrize("name", MODELS)
def test_every_kind_of_model_needs_none_but_types_to_trust(name):
    assert untrusted_in(name) - set(TRUSTED_TYPES) == set()
    assert reloaded(MODELS[name]()).__sklearn_is_fitted__()


def test_some_model_needs_each_of_types_to_trust():
    assert set().union(*map(untrusted_in, MODELS)) == set(TRUSTED_TYPES)


def test_types_to_trust_are_classes_of_this_package_named_by_where_they_are_defined():
    assert len(set(TRUSTED_TYPES)) == len(TRUSTED_TYPES)
    for name in TRUSTED_TYPES:
        module, _, kind = name.rpartition(".")
        found = getattr(import_module(module), kind)
        assert isinstance(found, type)
        assert f"{found.__module__}.{found.__name__}" == name
        assert module.startswith("sksoftmax.")


@pytest.mark.parametrize("optimizers", OPTIMIZERS, ids=str)
@pytest.mark.parametrize("target", TARGETS)
def test_partial_fit_continues_after_loading_as_if_never_saved(target, optimizers):
    clf, target = five_epochs(**OPTIMIZERS[optimizers]), TARGETS[target]
    for _ in range(3):
        clf.partial_fit(X, target, classes=None if target.ndim == 2 else np.unique(target))
    assert full_names_of(untrusted(clf)) & {"Adam", "SGD", "WeightAverage"} == set(optimizers)
    loaded = reloaded(clf)
    for _ in range(2):
        assert_array_equal(loaded.partial_fit(X, target).coefs_[0], clf.partial_fit(X, target).coefs_[0])
    assert loaded.loss_curve_ == clf.loss_curve_


def test_early_stopping_of_partial_fit_continues_after_loading():
    clf = five_epochs(early_stopping=True, n_iter_no_change=2, learning_rate_init=0.1)
    given = {"X_val": X[::3], "y_val": y[::3]}
    clf.partial_fit(X, y, classes=[0, 1, 2], **given)
    loaded = reloaded(clf)
    for _ in range(2):
        clf.partial_fit(X, y, **given)
        loaded.partial_fit(X, y, **given)
    assert loaded.validation_scores_ == clf.validation_scores_
    assert loaded.best_validation_score_ == clf.best_validation_score_


def test_warm_start_continues_after_loading_as_if_never_saved():
    clf = five_epochs(warm_start=True, random_state=np.random.RandomState(0)).fit(X, y)
    loaded = reloaded(clf)
    assert_array_equal(loaded.fit(X, y).coefs_[0], clf.fit(X, y).coefs_[0])


@pytest.mark.parametrize(
    "params",
    [
        {"solver": "lbfgs"},
        {"hidden_layer_sizes": ()},
        {"n_iter_no_change": np.inf},
        {"hidden_layer_sizes": (6, 4), "activation": ["tanh", "relu"], "dropout": [0.1, 0.0]},
        {"class_weight": {0: 1.0, 1: 2.0, 2: 0.5}, "early_stopping": True, "scoring": "neg_log_loss"},
    ],
    ids=str,
)
def test_a_loaded_model_can_be_fitted_again(params):
    clf = five_epochs(**params).fit(X, y)
    loaded = reloaded(clf)
    assert loaded.get_params() == clf.get_params()
    assert_array_equal(loaded.fit(X, y).coefs_[0], clf.coefs_[0])


def test_weights_set_by_hand_are_saved():
    clf = five_epochs().fit(X, y)
    clf.coefs_ = [2 * W for W in clf.coefs_]
    assert_array_equal(reloaded(clf).predict_proba(X), clf.predict_proba(X))


def test_every_fitted_attribute_comes_back_equal():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X.astype(np.float32), columns=["a", "b", "c", "d"])
    clf = five_epochs(early_stopping=True).fit(frame, np.array(["x", "y", "z"], dtype=object)[y])
    loaded = reloaded(clf)
    names = [name for name in vars(clf) if name.endswith("_")]
    for name in names:
        np.testing.assert_equal(getattr(loaded, name), getattr(clf, name))
        assert type(getattr(loaded, name)) is type(getattr(clf, name)), name
    assert loaded.predict_proba(frame).dtype == np.float32


def test_nothing_is_loaded_without_trust():
    data = sio.dumps(five_epochs().fit(X, y))
    with pytest.raises(UntrustedTypesFoundException, match=r"sksoftmax\.classifier\.SoftmaxMLPClassifier"):
        sio.loads(data)


FRAME = pd.DataFrame(
    {
        "length": np.where(np.arange(600) % 9, np.arange(600.0), np.nan),
        "color": np.array(["red", "green", "blue"])[np.arange(600) % 3],
        "city": [f"city {i % 290}" for i in range(600)],
    }
)
KINDS = {"binary": np.arange(600) % 2, "multiclass": np.arange(600) % 3, "multilabel": np.c_[np.arange(600) % 2, np.ones(600)]}


@pytest.mark.parametrize("target", KINDS)
@pytest.mark.parametrize("params", [{}, {"n_members": 1, "solver": "sgd"}, {"n_members": 1, "ema_decay": 0.5}], ids=str)
def test_TRUSTED_TYPES_are_all_that_skops_asks_for(target, params):
    params = {"hidden_layer_sizes": (4,), "max_iter": 2, "random_state": 0, "warm_start": True, **params}
    clf = SoftmaxMLPClassifier(**params).fit(FRAME, KINDS[target])
    data = sio.dumps(clf)
    assert set(sio.get_untrusted_types(data=data)) <= set(TRUSTED_TYPES)
    assert_array_equal(sio.loads(data, trusted=TRUSTED_TYPES).predict_proba(FRAME), clf.predict_proba(FRAME))
