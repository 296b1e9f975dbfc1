"""Suggestions for names and values that do not exist."""

import inspect
import re

import pytest

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.suggestions import ALIASES, UNSUPPORTED, answers_unknown_names, nearest_value, unknown_name

PARAMETERS = list(SoftmaxMLPClassifier().get_params())


@pytest.mark.parametrize(
    "name, ours",
    [
        ("epochs", "max_iter"),
        ("max_epochs", "max_iter"),
        ("n_estimators", "n_members"),
        ("lr", "learning_rate_init"),
        ("patience", "n_iter_no_change"),
        ("cat_features", "categorical_features"),
        ("eval_set", "X_val"),
        ("hidden_dim", "hidden_layer_sizes"),
        ("optimizer", "solver"),
        ("droput", "dropout"),
        ("C", "alpha"),
        ("n_jobs", "OMP_NUM_THREADS"),
        ("device", "CPU"),
        ("callbacks", "set_callbacks"),
        ("loss", "scoring"),
    ],
)
def test_the_name_of_another_library_or_a_misspelled_one_is_answered_with_ours_or_with_what_to_know(name, ours):
    assert re.match(rf"There is no '{name}'\. .*\b{ours}\b", unknown_name("There is no", name, PARAMETERS))


def test_a_name_that_resembles_none_is_answered_without_advice():
    assert unknown_name("There is no", "zzz", PARAMETERS) == "There is no 'zzz'."


@pytest.mark.parametrize(
    "value, allowed, nearest",
    [
        ("Adam", ["adam", "sgd"], "adam"),
        ("sigmoid", ["logistic", "tanh"], "logistic"),
        ("brier_score", ["brier_scores", "neg_brier_score"], "neg_brier_score"),
        ("acuracy", ["accuracy", "loss"], "accuracy"),
        ("zzz", ["adam"], None),
        (3, ["3"], None),
    ],
)
def test_a_wrong_value_is_answered_with_the_allowed_one_that_it_probably_means(value, allowed, nearest):
    assert nearest_value(value, allowed) == nearest


def test_every_suggestion_names_a_parameter_or_an_argument_that_there_is():
    arguments = {*PARAMETERS, *inspect.signature(SoftmaxMLPClassifier.fit).parameters}
    assert all(suggestion.split("=")[0].split()[0] in arguments for suggestion in ALIASES.values())
    assert not {*ALIASES, *UNSUPPORTED} & arguments


def test_a_decorated_method_answers_an_unknown_argument_and_keeps_its_signature():
    class Trained:
        def __init__(self, dropout=0.0):
            self.dropout = dropout

        @answers_unknown_names
        def fit(self, X, sample_weight=None):
            return X, sample_weight

    assert Trained().fit(1, sample_weight=2) == (1, 2)
    assert list(inspect.signature(Trained.fit).parameters) == ["self", "X", "sample_weight"]
    for name, ours in (("sample_weights", "sample_weight"), ("droput", "dropout")):  # an argument, and a parameter
        with pytest.raises(TypeError, match=rf"Trained\.fit\(\) has no argument '{name}'\. Use {ours}\."):
            Trained().fit(1, **{name: 2})
