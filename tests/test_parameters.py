"""Parameters of several forms, and combinations that make no sense."""

from types import SimpleNamespace

import numpy as np
import pytest
from neutral import plain

from sksoftmax.nn.layers import ACTIVATIONS
from sksoftmax.parameters import check_combination, dropout_rates, layer_activations, layer_sizes, stops_early

X = np.random.default_rng(0).normal(size=(60, 4))
y = X[:, :3].argmax(axis=1)


def options(**changes):
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
def test_layer_sizes_of_every_form_become_a_list_of_int(sizes, expected):
    result = layer_sizes(sizes)
    assert result == expected
    assert {type(size) for size in result} <= {int}


@pytest.mark.parametrize("sizes", ["a", "3-", "-3", "3--2", "3.5", "3,2", "0", "3-0", (0,), (3, -1), (2.0,), [True], [[3, 2]]])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_sizes_that_are_no_positive_integers_are_refused_with_an_example(sizes, method):
    clf = plain(sizes)
    with pytest.raises(ValueError, match=r"hidden_layer_sizes must be > 0 and of integers.*as in \(256, 128\) or '256-128'; got"):
        clf.fit(X, y) if method == "fit" else clf.partial_fit(X, y, classes=[0, 1, 2])


@pytest.mark.parametrize("activation", [("tanh", "relu"), ["tanh", "relu"], np.array(["tanh", "relu"])])
def test_listed_activations_become_a_tuple(activation):
    assert layer_activations(activation, 2) == ("tanh", "relu")
    assert layer_activations("tanh", 2) == "tanh"
    assert layer_activations([], 0) == ()


@pytest.mark.parametrize("activation", [["tanh"], ["tanh", "relu", "relu"], ["tanh", "sine"], ["tanh", None], [0, 1], []])
def test_activations_that_do_not_fit_are_refused_with_those_there_are(activation):
    with pytest.raises(ValueError, match=r"activation must be one of \['elu', .* or a list of 2 of them, one for each hidden"):
        plain((5, 4), activation).fit(X, y)


@pytest.mark.parametrize("activation", ["sine", 3, None])
def test_an_activation_that_is_none_is_refused_with_those_there_are(activation):
    with pytest.raises(ValueError, match="The 'activation' parameter of SoftmaxMLPClassifier must be") as raised:
        plain((5,), activation).fit(X, y)
    assert all(name in str(raised.value) for name in ACTIVATIONS)


@pytest.mark.parametrize("dropout", [[0.5, 0], (0.5, 0.0), np.array([0.5, 0.0])])
def test_listed_rates_become_a_tuple_of_float(dropout):
    assert dropout_rates(dropout, 2) == (0.5, 0.0)
    assert dropout_rates(0, 2) == 0.0
    assert dropout_rates([], 0) == ()


@pytest.mark.parametrize("dropout", [[0.5], [0.5, 0.5, 0.5], [0.5, 1.0], [-0.1, 0.5], ["a", 0.5], [np.nan, 0.5], [None, 0]])
def test_rates_that_do_not_fit_are_refused(dropout):
    with pytest.raises(ValueError, match=r"dropout must be a rate in \[0, 1\), or a list of 2 of them.*got"):
        plain((5, 4), dropout=dropout).fit(X, y)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dropout", 1.0),
        ("dropout", -0.1),
        ("label_smoothing", 1.0),
        ("label_smoothing", -0.1),
        ("clip_norm", 0.0),
        ("clip_norm", -1),
        ("clip_norm", "1"),
        ("ema_decay", 1.0),
        ("ema_decay", -0.1),
        ("warmup", 1.0),
        ("warmup", -0.1),
        ("restore_best", "yes"),
        ("early_stopping", "automatic"),
        ("learning_rate", "linear"),
        ("verbose", -1),
        ("class_weight", "even"),
        ("weight_decay", -0.1),
    ],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_values_out_of_range_are_refused_by_name(name, value, method):
    clf = plain(**{name: value})
    with pytest.raises(ValueError, match=f"The '{name}' parameter of SoftmaxMLPClassifier must be"):
        clf.fit(X, y) if method == "fit" else clf.partial_fit(X, y, classes=[0, 1, 2])


# Combinations


PER_STEP = [("dropout", 0.5), ("dropout", [0.5]), ("dropout", np.array([0.5])), ("clip_norm", 1.0), ("ema_decay", 0.9)]
PER_STEP += [("warmup", 0.1), ("weight_decay", 0.01)]


@pytest.mark.parametrize(("name", "value"), PER_STEP)
def test_what_acts_on_steps_is_refused_for_lbfgs_with_the_ways_out(name, value):
    with pytest.raises(
        ValueError, match=rf"^{name}=.* acts on the steps of solver 'adam' or 'sgd'; solver='lbfgs' has none"
    ) as e:
        plain((5,), solver="lbfgs", **{name: value}).fit(X, y)
    assert "Leave it at" in str(e.value)


@pytest.mark.parametrize(("name", "value"), PER_STEP)
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_what_acts_on_steps_is_taken_by_the_solvers_that_have_them(name, value, solver):
    check_combination(options(hidden_layer_sizes=(5,), solver=solver, **{name: value}))


@pytest.mark.parametrize(
    "off", [{"dropout": 0}, {"dropout": [0.0]}, {"dropout": np.zeros(1)}, {"weight_decay": 0}, {"ema_decay": 0, "warmup": 0}]
)
def test_what_is_switched_off_is_taken_by_lbfgs_in_each_of_its_forms(off):
    check_combination(options(hidden_layer_sizes=(5,), solver="lbfgs", **off))


@pytest.mark.parametrize(
    ("early_stopping", "n_samples", "expected"),
    [(True, 1, True), (False, 10**6, False), ("auto", 10_000, False), ("auto", 10_001, True)],
)
def test_early_stopping_auto_depends_on_the_number_of_rows(early_stopping, n_samples, expected):
    assert stops_early(early_stopping, n_samples) is expected
