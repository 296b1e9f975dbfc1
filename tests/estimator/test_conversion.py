"""from_sklearn and to_sklearn: the same model on the other side."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits, load_iris
from sklearn.neural_network import MLPClassifier

from sksoftmax import SoftmaxMLPClassifier
from support.estimators import plain
from support.marks import STEPWISE
from support.repository import FOLDER

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, digit = load_digits(return_X_y=True)
X, digit = X[:300] / 16, digit[:300]
TARGETS = {
    "multiclass": digit.astype(str),
    "binary": np.where(digit > 4, 7, 3),
    "multilabel": np.column_stack([digit > 4, digit % 2 == 0]).astype(int),
}
SOLVER_PARAMS = [
    {"solver": "adam"},
    {"solver": "sgd", "early_stopping": True},
    {"solver": "lbfgs"},
    {"solver": "sgd", "momentum": 0.5},
]


def fitted_mlp(target="multiclass", **params):
    y = digit if params.get("early_stopping") and target == "multiclass" else TARGETS[target]
    return MLPClassifier(**{"hidden_layer_sizes": (15, 10), "max_iter": 8, "random_state": 0, **params}).fit(X, y), y


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("params", SOLVER_PARAMS, ids=str)
def test_from_sklearn_keeps_weights_classes_and_curves(params, target):
    theirs, _ = fitted_mlp(target, **params)
    ours = SoftmaxMLPClassifier.from_sklearn(theirs)
    assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=0, atol=1e-12)
    assert_array_equal(ours.predict(X), theirs.predict(X))
    for name in ("classes_", "n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_", "n_features_in_"):
        assert_array_equal(getattr(ours, name), getattr(theirs, name))
    for name in ("loss_curve_", "validation_scores_", "best_validation_score_", "best_loss_"):
        if hasattr(theirs, name):
            assert getattr(ours, name) == getattr(theirs, name)
    ours.coefs_[0][:] = 0
    assert theirs.coefs_[0].any()


def test_from_sklearn_keeps_parameters_and_sets_new_ones_to_neutral_values():
    theirs = MLPClassifier((3, 4), "tanh", alpha=0.3, solver="sgd", learning_rate="adaptive", max_fun=7)
    params = SoftmaxMLPClassifier.from_sklearn(theirs).get_params()
    assert {name: params[name] for name in theirs.get_params()} == theirs.get_params()
    assert params == {**plain().get_params(), **theirs.get_params()}


@STEPWISE
def test_partial_fit_after_from_sklearn_continues_with_the_moments(solver):
    theirs, y = fitted_mlp(solver=solver)
    ours = SoftmaxMLPClassifier.from_sklearn(theirs)
    assert_allclose(ours.partial_fit(X, y).coefs_[0], theirs.partial_fit(X, y).coefs_[0], rtol=1e-9)


def test_partial_fit_after_from_sklearn_continues_from_partial_fit_and_after_a_pickle():
    theirs = MLPClassifier(random_state=0, shuffle=False)
    for _ in range(3):
        theirs.partial_fit(X, digit, classes=np.arange(10))
    ours = pickle.loads(pickle.dumps(SoftmaxMLPClassifier.from_sklearn(theirs)))
    assert_allclose(ours.partial_fit(X, digit).coefs_[0], theirs.partial_fit(X, digit).coefs_[0], rtol=1e-9)


@pytest.mark.parametrize("params", [{"solver": "lbfgs"}, {"solver": "sgd", "momentum": 0.0}], ids=str)
def test_warm_start_after_from_sklearn_continues_training(params):
    theirs, y = fitted_mlp(warm_start=True, **params)
    ours = SoftmaxMLPClassifier.from_sklearn(theirs)
    assert_allclose(ours.fit(X, y).coefs_[0], theirs.fit(X, y).coefs_[0], rtol=1e-6, atol=1e-9)


def test_from_sklearn_takes_an_older_pickle_with_fewer_attributes():
    theirs, _ = fitted_mlp(solver="lbfgs")
    for name in ("_no_improvement_count", "feature_names_in_", "best_loss_", "loss_curve_"):
        vars(theirs).pop(name, None)
    ours = SoftmaxMLPClassifier.from_sklearn(theirs)
    assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-12)
    assert ours.loss_ == theirs.loss_


def test_from_sklearn_keeps_feature_names_and_dtype_float32():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X.astype(np.float32), columns=[f"pixel{i}" for i in range(64)])
    theirs = MLPClassifier(max_iter=3, random_state=0).fit(frame, digit)
    ours = SoftmaxMLPClassifier.from_sklearn(theirs)
    assert ours.feature_names_in_.tolist() == frame.columns.tolist()
    assert ours.predict_proba(frame).dtype == np.float32
    with pytest.raises(ValueError, match="feature names"):
        ours.predict(frame.iloc[:, ::-1])


def test_from_sklearn_refuses_anything_but_an_mlpclassifier():
    with pytest.raises(TypeError, match="mlp must be a scikit-learn MLPClassifier; got str"):
        SoftmaxMLPClassifier.from_sklearn("mlp")


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("params", SOLVER_PARAMS, ids=str)
def test_to_sklearn_gives_the_same_fitted_model(params, target):
    y = TARGETS[target]
    ours = plain((15,), max_iter=8, random_state=0, **params).fit(X, y)
    theirs = ours.to_sklearn()
    assert_allclose(theirs.predict_proba(X), ours.predict_proba(X), rtol=0, atol=1e-12)
    assert_array_equal(theirs.predict(X), ours.predict(X))
    assert theirs.loss_curve_ == ours.loss_curve_
    assert theirs.get_params() == MLPClassifier((15,), max_iter=8, random_state=0, **params).get_params()


def test_a_model_of_to_sklearn_continues_training():
    ours = plain(max_iter=3, random_state=0).fit(X, digit)
    theirs = pickle.loads(pickle.dumps(ours.to_sklearn()))
    before = theirs.score(X, digit)
    for _ in range(20):
        theirs.partial_fit(X, digit)
    assert theirs.score(X, digit) > before


def test_to_sklearn_turns_soft_labels_into_the_labels_of_their_columns():
    soft = np.random.default_rng(0).dirichlet(np.ones(3), len(X))
    ours = plain(max_iter=3, random_state=0).fit(X, soft)
    assert_allclose(ours.to_sklearn().predict_proba(X), ours.predict_proba(X), atol=1e-12)


@pytest.mark.parametrize(
    "params",
    [
        {"activation": "gelu"},
        {"activation": np.array(["relu", "tanh"])},
        {"learning_rate": "cosine"},
        {"max_iter": "auto"},
        {"weight_decay": 0.1},
        {"dropout": np.array([0.1, 0.2])},
        {"out_activation": "softmax"},
    ],
    ids=str,
)
def test_to_sklearn_names_what_mlpclassifier_cannot_express(params):
    (name,) = params
    with pytest.raises(ValueError, match=f"{name}=.* cannot be expressed by MLPClassifier"):
        plain(**params).to_sklearn()


def test_to_sklearn_names_every_parameter_that_is_in_the_way():
    with pytest.raises(ValueError, match="cannot be expressed by MLPClassifier") as caught:
        SoftmaxMLPClassifier().to_sklearn()
    defaults, neutral = SoftmaxMLPClassifier().get_params(), plain().get_params()
    own = [name for name in defaults if name not in MLPClassifier().get_params() and defaults[name] != neutral[name]]
    for name in ("max_iter", "learning_rate", *own):
        assert f"{name}={defaults[name]!r} (it " in str(caught.value)


@pytest.mark.parametrize("n_members", [1, 4])
def test_to_sklearn_names_obstacles_of_parameters_and_of_the_fitted_model_together(n_members):
    frame = pd.DataFrame({"length": X[:, 0], "color": np.where(digit % 2, "red", "blue")})
    clf = SoftmaxMLPClassifier((4,), n_members=n_members, max_iter=1, label_smoothing=0.1, random_state=0).fit(frame, digit)
    with pytest.raises(ValueError, match=r"learning_rate=.*label_smoothing=0\.1") as caught:
        clf.set_params(learning_rate="cosine").to_sklearn()
    parts = ["fitted with scaling='robust'", "the categories of columns ['color']"]
    for part in parts + (["a fitted ensemble of 4 networks"] if n_members > 1 else []):
        assert part in str(caught.value)


@pytest.mark.parametrize(("sizes", "theirs"), [("6-5", (6, 5)), ("7", (7,)), ("", ())])
def test_to_sklearn_turns_a_hidden_layer_sizes_string_into_a_tuple(sizes, theirs):
    mlp = plain(sizes, solver="lbfgs", max_iter=1000, alpha=10.0).to_sklearn()
    assert mlp.hidden_layer_sizes == theirs
    assert len(mlp.fit(X[:100], digit[:100]).coefs_) == len(theirs) + 1


def test_to_sklearn_refuses_a_model_of_one_class():
    with pytest.raises(ValueError, match=r"1 class\(es\)"):
        plain(max_iter=1).fit(X, np.zeros(len(X), int)).to_sklearn()


def test_to_sklearn_of_an_unfitted_model_is_unfitted_and_from_sklearn_restores_it():
    ours = plain((7,), activation="tanh", random_state=3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        theirs = ours.to_sklearn()
    assert not hasattr(theirs, "coefs_")
    assert SoftmaxMLPClassifier.from_sklearn(theirs).get_params() == ours.get_params()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")
def test_from_sklearn_takes_mlpclassifiers_pickled_by_scikit_learn_1_4():
    """Fitted on standardized iris: multiclass with early stopping, multilabel, and string labels."""
    models = pickle.loads((FOLDER / "mlpclassifiers_1.4.2.pickle").read_bytes())
    iris, kind = load_iris(return_X_y=True)
    iris = (iris - iris.mean(axis=0)) / iris.std(axis=0)
    targets = {
        "adam": kind,
        "sgd": np.column_stack([kind == 1, kind > 0]).astype(int),
        "lbfgs": np.where(kind > 1, "late", "early"),
    }
    for solver, (theirs, probabilities) in models.items():
        ours = SoftmaxMLPClassifier.from_sklearn(theirs)
        assert_allclose(ours.predict_proba(iris[::10]), probabilities, atol=1e-12)
        assert ours.n_iter_ == theirs.n_iter_
        ours.set_params(early_stopping=False, warm_start=True).fit(iris, targets[solver])
