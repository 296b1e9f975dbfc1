"""Every parameter: its forms, wrong values, which get an error that names it, and combinations that are refused."""

from types import SimpleNamespace

import numpy as np
import pytest
import sklearn
from sklearn.metrics import accuracy_score

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.nn.layers import ACTIVATIONS
from sksoftmax.parameters import check_combination, dropout_rates, layer_activations, layer_sizes
from support.data import FEW_X as X
from support.data import FEW_y as y
from support.estimators import plain, planned
from support.marks import STEPWISE

WRONG = {  # wrong types, and values out of range
    "hidden_layer_sizes": [None, "100x3", "10--3", "-3", 0, (10, 0), (10, -1), (2.5,), (True,), [[3, 3]], [(1, 2), 3]],
    "activation": [None, "Relu", "swish2", ["relu", "tanh"], ["Relu"]],
    "solver": [None, "rmsprop"],
    "alpha": ["0.1", None, -1e-9, np.nan, np.inf],
    "batch_size": [None, "all", 0, 2.5],
    "learning_rate": [0.1, None, "linear"],
    "learning_rate_init": ["0.1", None, 0.0, -0.1, np.nan, np.inf],
    "power_t": ["0.5", None, -0.5],
    "max_iter": [10.0, None, 0, -1],
    "shuffle": ["yes", None],
    "random_state": ["seed", 1.5, -1, np.random.default_rng(0)],
    "tol": ["small", None, -1e-4, np.nan],
    "verbose": ["yes", None, -1],
    "warm_start": ["yes", None],
    "momentum": ["0.9", None, -0.1, 1.1],
    "nesterovs_momentum": ["yes", None],
    "early_stopping": ["maybe", None],
    "validation_fraction": ["0.1", None, 1.0, -0.1],
    "beta_1": ["0.9", None, 1.0, -0.1],
    "beta_2": ["0.9", None, 1.0, -0.1],
    "epsilon": ["tiny", None, 0.0, -1.0],
    "n_iter_no_change": ["few", None, 0, 2.5, -np.inf],
    "max_fun": [10.5, None, 0],
    "out_activation": [None, "sigmoid", "identity"],
    "weight_decay": ["0.1", None, -0.1, np.nan],
    "class_weight": ["even", 2.0, {3: 1.0}, {0: -1.0}, {0: "heavy"}, {0: np.nan}, [{0: 1.0, 1: 2.0}]],
    "scoring": [None, "precise", 1],
    "restore_best": ["yes", None],
    "dropout": ["0.1", None, 1.0, -0.1, [0.1, 0.2], [1.0], ["0.1"]],
    "label_smoothing": ["0.1", None, 1.0, -0.1],
    "clip_norm": ["1", 0.0, -1.0],
    "ema_decay": ["0.9", None, 1.0, -0.1],
    "warmup": ["0.1", None, 1.0, -0.1],
    "scaling": ["minmax", True],
    "categorical_features": ["all", 3, [9], ["length"], [True, False]],
    "dtype": [None, "float16", np.float32],
    "parametrization": [None, "mup"],
    "n_members": [None, 0, -2, 1.5],
    "companion": [None, True, "yes", 1],
    "n_bins": [None, -1, 2.5],
    "relevance": ["forest", 1.0, [1.0]],
    "target_type": [None, "labels", 1],
    "handle_unknown": [None, "infrequent_if_exist", True],
}


def test_every_parameter_is_tried_with_wrong_values():
    assert set(WRONG) == set(SoftmaxMLPClassifier().get_params())


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_a_wrong_parameter_is_named(name, value, method):
    clf = plain(**{"max_iter": 2, name: value})
    with pytest.raises((ValueError, TypeError), match=name):
        getattr(clf, method)(X, y, **({} if method == "fit" else {"classes": [0, 1, 2]}))


@pytest.mark.parametrize(("name", "allowed"), [("activation", "mish"), ("solver", "lbfgs"), ("learning_rate", "coslog4")])
def test_the_error_lists_what_is_allowed(name, allowed):
    with pytest.raises(ValueError, match=f"'{allowed}'"):
        planned(**{name: "wrong"}).fit(X, y)


@pytest.mark.parametrize(
    ("name", "function", "message"),
    [
        ("learning_rate", lambda: 1.0, r"as learning_rate\(progress\); got .*too many positional arguments\.$"),
        ("learning_rate", lambda epoch, rate: rate, r"as learning_rate\(progress\); got .*missing .* argument: 'rate'\.$"),
        ("scoring", lambda clf: 1.0, r"as scoring\(estimator, X, y\); got .*too many"),
        ("scoring", accuracy_score, r"as scoring\(estimator, X, y\); got <function accuracy_score .*make_scorer"),
    ],
)
def test_a_function_that_does_not_take_its_arguments_is_refused_with_them(name, function, message):
    with pytest.raises(ValueError, match=f"{name} must be callable {message}"):
        planned(**{name: function}).fit(X, y)


def test_a_function_without_a_signature_may_be_the_learning_rate():
    planned(learning_rate=int).fit(X, y)


def parameters_with(**changes):
    return SimpleNamespace(**plain(**changes).get_params())


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ("256-128", [256, 128]),
        ("7", [7]),
        (" 7 - 3 ", [7, 3]),
        ("", []),
        ("  ", []),
        (7, [7]),
        (np.int32(7), [7]),
        ((), []),
        ([3, 2], [3, 2]),
        (np.array([3, 2]), [3, 2]),
        (range(1, 3), [1, 2]),
        (np.array([], dtype=int), []),
    ],
)
def test_hidden_layer_sizes_of_every_form_become_a_list_of_int(sizes, expected):
    result = layer_sizes(sizes)
    assert result == expected
    assert {type(size) for size in result} <= {int}


@pytest.mark.parametrize("sizes", ["a", "3-", "-3", "3--2", "3.5", "3,2", "0", "3-0", (0,), (3, -1), (2.0,), [True], [[3, 2]]])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_hidden_layer_sizes_that_are_not_positive_integers_are_refused_with_an_example(sizes, method):
    clf = plain(sizes)
    with pytest.raises(ValueError, match=r"hidden_layer_sizes must be > 0 and of integers.*as in \(256, 128\) or '256-128'; got"):
        clf.fit(X, y) if method == "fit" else clf.partial_fit(X, y, classes=[0, 1, 2])


@pytest.mark.parametrize("activation", [("tanh", "relu"), ["tanh", "relu"], np.array(["tanh", "relu"])])
def test_a_list_of_activations_becomes_a_tuple(activation):
    assert layer_activations(activation, 2) == ("tanh", "relu")
    assert layer_activations("tanh", 2) == "tanh"
    assert layer_activations([], 0) == ()


@pytest.mark.parametrize("activation", [["tanh"], ["tanh", "relu", "relu"], ["tanh", "sine"], ["tanh", None], [0, 1], []])
def test_a_list_of_activations_that_does_not_fit_is_refused_with_the_allowed_ones(activation):
    with pytest.raises(ValueError, match=r"activation must be one of \['elu', .* or a list of 2 of them, one for each hidden"):
        plain((5, 4), activation).fit(X, y)


@pytest.mark.parametrize("activation", ["sine", 3, None])
def test_an_unknown_activation_is_refused_with_the_allowed_ones(activation):
    with pytest.raises(ValueError, match="The 'activation' parameter of SoftmaxMLPClassifier must be") as raised:
        plain((5,), activation).fit(X, y)
    assert all(name in str(raised.value) for name in ACTIVATIONS)


@pytest.mark.parametrize("dropout", [[0.5, 0], (0.5, 0.0), np.array([0.5, 0.0])])
def test_a_list_of_dropout_rates_becomes_a_tuple_of_float(dropout):
    assert dropout_rates(dropout, 2) == (0.5, 0.0)
    assert dropout_rates(0, 2) == 0.0
    assert dropout_rates([], 0) == ()


@pytest.mark.parametrize("dropout", [[0.5], [0.5, 0.5, 0.5], [0.5, 1.0], [-0.1, 0.5], ["a", 0.5], [np.nan, 0.5], [None, 0]])
def test_a_list_of_dropout_rates_that_does_not_fit_is_refused(dropout):
    with pytest.raises(ValueError, match=r"dropout must be a rate in \[0, 1\), or a list of 2 of them.*got"):
        plain((5, 4), dropout=dropout).fit(X, y)


STEP_PARAMETERS = [("dropout", 0.5), ("dropout", [0.5]), ("dropout", np.array([0.5])), ("clip_norm", 1.0), ("ema_decay", 0.9)]
STEP_PARAMETERS += [("warmup", 0.1), ("weight_decay", 0.01)]


@pytest.mark.parametrize(("name", "value"), STEP_PARAMETERS)
def test_a_parameter_of_steps_is_refused_for_lbfgs_with_the_alternatives(name, value):
    with pytest.raises(
        ValueError, match=rf"^{name}=.* acts on the steps of solver 'adam' or 'sgd'; solver='lbfgs' has none"
    ) as e:
        plain((5,), solver="lbfgs", **{name: value}).fit(X, y)
    assert "Leave it at" in str(e.value)


@pytest.mark.parametrize(("name", "value"), STEP_PARAMETERS)
@STEPWISE
def test_a_parameter_of_steps_is_accepted_by_adam_and_sgd(name, value, solver):
    check_combination(parameters_with(hidden_layer_sizes=(5,), solver=solver, **{name: value}))


@pytest.mark.parametrize(
    "off", [{"dropout": 0}, {"dropout": [0.0]}, {"dropout": np.zeros(1)}, {"weight_decay": 0}, {"ema_decay": 0, "warmup": 0}]
)
def test_a_parameter_of_steps_that_is_off_is_accepted_by_lbfgs_in_each_form(off):
    check_combination(parameters_with(hidden_layer_sizes=(5,), solver="lbfgs", **off))


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_skip_parameter_validation_skips_the_checks_of_single_parameters(method):
    clf, arguments = planned(shuffle=1), {"classes": [0, 1, 2]} if method == "partial_fit" else {}
    with pytest.raises(ValueError, match="'shuffle' parameter"):  # scikit-learn's constraint wants a bool
        getattr(clf, method)(X, y, **arguments)
    with sklearn.config_context(skip_parameter_validation=True):
        assert getattr(clf, method)(X, y, **arguments).n_iter_ >= 1
        with pytest.raises(ValueError, match="relevance"):  # what does not fit together is still refused
            getattr(planned(scaling=None, relevance=[1.0] * X.shape[1]), method)(X, y, **arguments)


@pytest.mark.parametrize("n_members", [2, 3, 5])
def test_n_members_may_be_any_number_from_1_on(n_members):
    clf = planned(n_members=n_members, max_iter=2).fit(np.tile(X, (4, 1)), np.tile(y, 4), groups=np.arange(120))
    assert len(clf.member_weights_) == len(clf.coefs_[0]) == n_members
    assert np.isfinite(clf.predict_proba(X)).all()


NEAREST = {
    "scoring": {"log_loss": "neg_log_loss", "auc": "roc_auc", "f1_makro": "f1_macro", "brier_score": "neg_brier_score"},
    "activation": {"sigmoid": "logistic", "ReLU": "relu", "swish": "silu"},
    "solver": {"adamw": "adam", "SGD": "sgd"},
    "learning_rate": {"cos": "cosine"},
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in NEAREST.items() for value in values])
def test_an_unknown_value_is_answered_with_the_nearest(name, value):
    with pytest.raises(ValueError, match=f"'{name}'.*{value!r} instead. Did you mean {NEAREST[name][value]!r}") as caught:
        planned(**{name: value}).fit(X, y)
    assert len(str(caught.value)) < 400


def test_a_value_of_another_type_or_far_from_all_is_answered_without_a_suggestion():
    for name, value in (("activation", 3), ("solver", "zzz")):
        with pytest.raises(ValueError, match=f"'{name}'") as caught:
            planned(**{name: value}).fit(X, y)
        assert "Did you mean" not in str(caught.value)
