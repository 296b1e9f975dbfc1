"""The model for TabArena fits and predicts on what AutoGluon passes; a stand-in replaces AutoGluon and TabArena."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from threadpoolctl import threadpool_info

import sksoftmax
from sksoftmax import SoftmaxMLPClassifier
from support.repository import ROOT, loaded

pd = pytest.importorskip("pandas")
FOLDER = ROOT / "benchmarks" / "tabarena"


class AbstractModel:
    """The part of AutoGluon's base class that the model uses."""

    def __init__(self, hyperparameters):
        self.hyperparameters = hyperparameters

    def _get_model_params(self):
        return self.hyperparameters

    def preprocess(self, X, **kwargs):
        return X


def stand_in(monkeypatch, name, **contents):
    """Let `import name` find a module with these contents."""
    module = ModuleType(name)
    vars(module).update(contents)
    monkeypatch.setitem(sys.modules, name, module)
    return module


@pytest.fixture
def model_class(monkeypatch):
    """The class of the model, on the stand-in for AutoGluon's."""
    stand_in(monkeypatch, "autogluon.core.models", AbstractModel=AbstractModel)
    return loaded(FOLDER / "model.py").SoftmaxMLPModel


def autogluon_frame():
    """A frame as AutoGluon passes it: numbers with a gap, booleans, categories that are codes; labels 0 and 1."""
    rng = np.random.default_rng(0)
    y = pd.Series(np.resize([0, 1, 1], 80), index=np.arange(100, 180))
    X = pd.DataFrame({"number": rng.normal(size=80) + 3 * y.to_numpy(), "yes": rng.random(80) < 0.5}, index=y.index)
    X["category"] = pd.Categorical(rng.integers(0, 3, 80))
    X.iloc[5, 0] = np.nan
    return X, y


def test_the_model_predicts_as_the_classifier_does_with_the_seed_of_autogluon(model_class):
    X, y = autogluon_frame()
    model = model_class({"n_members": 1, "random_state": 3})
    model._fit(X, y, X_val=X[:9], y_val=y[:9], time_limit=60, num_cpus=1, num_gpus=0, verbosity=0)
    expected = SoftmaxMLPClassifier(n_members=1, random_state=3).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(model.model.predict_proba(X), expected)


def test_the_model_fits_on_as_many_threads_as_autogluon_gives_it(model_class, monkeypatch):
    threads = []

    def fit(self, X, y, sample_weight=None):
        threads.extend(library["num_threads"] for library in threadpool_info())
        raise NotFittedError

    monkeypatch.setattr(SoftmaxMLPClassifier, "fit", fit)
    with pytest.raises(NotFittedError):
        model_class({})._fit(*autogluon_frame(), num_cpus=1)
    assert set(threads) == {1}


def test_the_model_names_its_seed_and_the_kinds_of_problems_and_columns(model_class):
    assert model_class.seed_name in SoftmaxMLPClassifier().get_params()
    assert model_class._supported_problem_types == ["binary", "multiclass"]
    assert set(model_class.cheap_hyperparameters) <= set(SoftmaxMLPClassifier().get_params())
    assert "category" in model_class._default_auxiliary_params_extra["valid_raw_types"]


def test_tabarena_is_given_the_defaults_and_the_version_of_this_package(model_class, monkeypatch):
    stand_in(monkeypatch, "tabarena.utils.config_utils", ConfigGenerator=SimpleNamespace)
    stand_in(monkeypatch, "tabarena.models._model_info", ModelInfo=SimpleNamespace)
    descriptor = SimpleNamespace(method_metadata=SimpleNamespace)
    stand_in(monkeypatch, "tabarena.models._method_metadata", ModelDescriptor=lambda **facts: descriptor)
    stand_in(monkeypatch, "tabarena.models.sksoftmax.model", SoftmaxMLPModel=model_class)
    hpo = loaded(FOLDER / "hpo.py")
    stand_in(monkeypatch, "tabarena.models.sksoftmax.hpo", gen_sksoftmax=hpo.gen_sksoftmax)
    info = loaded(FOLDER / "info.py").sksoftmax_info
    assert info.model_cls is info.search_space.model_cls is model_class
    assert info.search_space.manual_configs == [{}]
    assert info.method_metadata.ag_key == model_class.ag_key
    assert info.pip_extra == (f"sksoftmax=={sksoftmax.__version__}",)
