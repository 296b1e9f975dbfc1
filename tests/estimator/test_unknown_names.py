"""Names of parameters and arguments that do not exist: the error suggests ours."""

import inspect

import pytest
from sklearn.pipeline import make_pipeline

from sksoftmax import SoftmaxMLPClassifier
from support.data import FEW_X as X
from support.data import FEW_y as y
from support.estimators import planned

MISTAKES = {
    "constructor": lambda name: SoftmaxMLPClassifier(**{name: 1}),
    "set_params": lambda name: SoftmaxMLPClassifier().set_params(**{name: 1}),
    "pipeline": lambda name: make_pipeline(SoftmaxMLPClassifier()).set_params(**{f"softmaxmlpclassifier__{name}": 1}),
    "fit": lambda name: planned().fit(X, y, **{name: 1}),
    "partial_fit": lambda name: planned().partial_fit(X, y, **{name: 1}),
}


@pytest.mark.parametrize("where", MISTAKES)
@pytest.mark.parametrize("name, ours", [("epochs", "max_iter"), ("droput", "dropout"), ("eval_set", "X_val")])
def test_an_unknown_name_is_answered_with_ours(where, name, ours):
    with pytest.raises((TypeError, ValueError), match=rf"'{name}'.*\b{ours}\b") as caught:
        MISTAKES[where](name)
    assert len(str(caught.value)) < 300


def test_an_unknown_parameter_that_resembles_none_is_refused_without_advice():
    with pytest.raises(TypeError, match=r"__init__\(\) has no argument 'zzz'\.$"):
        SoftmaxMLPClassifier(zzz=1)
    with pytest.raises(ValueError, match=r"has no parameter 'zzz__deep'\.$"):
        SoftmaxMLPClassifier().set_params(zzz__deep=1)


def test_the_signatures_are_those_of_the_methods():
    assert "learning_rate_init" in inspect.signature(SoftmaxMLPClassifier).parameters
    assert list(inspect.signature(SoftmaxMLPClassifier.fit).parameters)[:4] == ["self", "X", "y", "sample_weight"]
