"""Names of parameters and arguments that do not exist: the error suggests ours."""

import inspect

import pytest
from sklearn.pipeline import make_pipeline

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.suggestions import ALIASES, UNSUPPORTED
from support.data import FEW_X as X
from support.data import FEW_y as y
from support.estimators import planned

THEIRS = {
    "epochs": "max_iter",
    "max_epochs": "max_iter",
    "n_estimators": "n_members",
    "lr": "learning_rate_init",
    "patience": "n_iter_no_change",
    "cat_features": "categorical_features",
    "eval_set": "X_val",
    "hidden_dim": "hidden_layer_sizes",
    "optimizer": "solver",
    "droput": "dropout",
    "C": "alpha",
    "n_jobs": "OMP_NUM_THREADS",
    "device": "CPU",
    "callbacks": "set_callbacks",
    "loss": "scoring",
}


@pytest.mark.parametrize("name", THEIRS)
@pytest.mark.parametrize("where", ["constructor", "set_params", "pipeline"])
def test_an_unknown_parameter_is_answered_with_ours(where, name):
    with pytest.raises((TypeError, ValueError), match=rf"'{name}'.*\b{THEIRS[name]}\b") as caught:
        if where == "constructor":
            SoftmaxMLPClassifier(**{name: 1})
        elif where == "set_params":
            SoftmaxMLPClassifier().set_params(**{name: 1})
        else:
            make_pipeline(SoftmaxMLPClassifier()).set_params(**{f"softmaxmlpclassifier__{name}": 1})
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("name", ["eval_set", "cat_features", "epochs"])
def test_an_unknown_argument_of_a_training_method_is_answered_with_ours(method, name):
    with pytest.raises(TypeError, match=rf"{method}\(\).*'{name}'.*\b{THEIRS[name]}\b"):
        getattr(planned(), method)(X, y, **{name: 1})
    assert list(inspect.signature(planned().fit).parameters)[:3] == ["X", "y", "sample_weight"]


def test_an_unknown_parameter_that_resembles_none_is_refused_without_advice():
    with pytest.raises(TypeError, match=r"__init__\(\) has no argument 'zzz'\.$"):
        SoftmaxMLPClassifier(zzz=1)
    with pytest.raises(ValueError, match=r"has no parameter 'zzz__deep'\.$"):
        SoftmaxMLPClassifier().set_params(zzz__deep=1)


def test_every_suggestion_names_a_parameter_or_an_argument_that_there_is():
    arguments = {*SoftmaxMLPClassifier().get_params(), *inspect.signature(SoftmaxMLPClassifier.fit).parameters}
    assert all(suggestion.split("=")[0].split()[0] in arguments for suggestion in ALIASES.values())
    assert not {*ALIASES, *UNSUPPORTED} & arguments


def test_the_signatures_are_those_of_the_methods():
    assert "learning_rate_init" in inspect.signature(SoftmaxMLPClassifier).parameters
    assert list(inspect.signature(SoftmaxMLPClassifier.fit).parameters)[:4] == ["self", "X", "y", "sample_weight"]
