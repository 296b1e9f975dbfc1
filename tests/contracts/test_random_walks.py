"""Random sequences of calls: each one succeeds, or is refused by name and leaves the estimator as it was.

By day 200 walks, the same ones each time; 5,000 new ones with `--hypothesis-profile night tests/contracts/test_random_walks.py`.
"""

import pickle
import re
import warnings
from inspect import signature

import numpy as np
import pandas as pd
import pytest
from hypothesis import note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning, UndefinedMetricWarning

from sksoftmax import TRUSTED_TYPES, SoftmaxMLPClassifier
from support import strategies as ours
from support.networks import fitted_model, training_state

sio = pytest.importorskip("skops.io")

HAS_GROUPS = "groups" in signature(SoftmaxMLPClassifier.fit).parameters
OF_CALLS = ["X", "y", "sample_weight", "Sample weights", "X_val", "y_val", "classes", "classes_", "groups"]
OF_SCIKIT_LEARN = ["feature names", "numbers of samples", "least populated class", "validation set", "class probabilities"]
CAUSE = rf"\b({'|'.join([*signature(SoftmaxMLPClassifier).parameters, *OF_CALLS, *OF_SCIKIT_LEARN])})\b"
EXPECTED = (ConvergenceWarning, DataConversionWarning, UndefinedMetricWarning, UserWarning)

# X, y and weights: what a walk begins with, and seldom leaves

COLUMNS = {
    "number": lambda rng, n: rng.normal(size=n) * 100,
    "gaps": lambda rng, n: np.where(rng.random(n) < 0.3, np.nan, rng.normal(size=n)),
    "mostly 0": lambda rng, n: rng.poisson(0.1, n).astype(float),
    "constant": lambda rng, n: np.full(n, float(rng.integers(2))),
    "text": lambda rng, n: rng.choice(np.array(["red", "green", "blue", None], object), n),
    "category": lambda rng, n: pd.Categorical(rng.choice(["x", "y", "z"], n)),
    "bool": lambda rng, n: rng.random(n) < 0.3,
}
NUMERIC = list(COLUMNS)[:4]


def frame(rng, n, names):
    return pd.DataFrame({name: COLUMNS[name](rng, n) for name in names})


FORMS = {
    "array": lambda rng, n: frame(rng, n, NUMERIC).to_numpy(),
    "float32": lambda rng, n: frame(rng, n, NUMERIC).to_numpy(np.float32),
    "full": lambda rng, n: frame(rng, n, ["number", "mostly 0"]).to_numpy(),
    "frame": lambda rng, n: frame(rng, n, COLUMNS),
    "objects": lambda rng, n: frame(rng, n, ["number", "text"]).to_numpy(dtype=object),
    "sparse": lambda rng, n: csr_matrix(frame(rng, n, ["mostly 0", "constant", "number"]).to_numpy()),
}
TARGETS = {
    "text": lambda rng, n: np.array(["a", "b", "c"])[rng.permutation(np.arange(n) % 3)],
    "two": lambda rng, n: rng.permutation(np.arange(n) % 2),
    "multilabel": lambda rng, n: rng.integers(0, 2, (n, 3)),
    "soft": lambda rng, n: rng.dirichlet(np.ones(3), n),
}
CLASSES = {"text": ["a", "b", "c"], "two": [0, 1]}
WEIGHTS = {name: ours.WEIGHTS[name] for name in ("none", "integers", "random", "some zero", "a number")}
FAULTS = {  # of X, y and weights
    "short y": lambda X, y, weights: (X, y[:-1], weights),
    "negative weight": lambda X, y, weights: (X, y, -np.ones(len(y))),
    "infinite X": lambda X, y, weights: (np.full((len(y), 4), np.inf), y, weights),
    "one column": lambda X, y, weights: (np.ones((len(y), 1)), y, weights),
    "other labels": lambda X, y, weights: (X, np.resize(["new", "newer"], len(y)), weights),
    "a score that is no number": lambda X, y, weights: (X, y, weights),  # found out after an epoch of training
    "missing labels": lambda X, y, weights: (X, np.resize([None, "a"], len(y)), weights),
}
CHANGES = {**ours.PARAMETERS, **ours.OF_STEPS, "solver": st.sampled_from(["adam", "sgd", "lbfgs"])} | {
    "n_members": st.sampled_from([1, 4]),
    "n_bins": st.sampled_from([0, 5]),
    "categorical_features": st.sampled_from(["from_dtype", None]),
    "hidden_layer_sizes": st.sampled_from([(3,), (), (2, 3)]),
    "handle_unknown": st.sampled_from(["ignore", "error"]),
    "max_iter": st.sampled_from([1, 2]),
    "random_state": st.integers(0, 9),
}
ROWS = st.one_of(st.integers(1, 4), st.integers(5, 30), st.integers(100, 110))
CALLS = {
    "n": ROWS,
    "weights": st.sampled_from(["none", *sorted(WEIGHTS)]),
    "fault": st.sampled_from([None] * 30 + sorted(FAULTS) + ["a score that is no number"] * 4),
    "other": st.sampled_from([None] * 50 + [(form, kind) for form in sorted(FORMS) for kind in sorted(TARGETS)][::5]),
    "extra": st.sampled_from([None, None, "groups", "validation"]),
}


def saved_by_pickle(clf):
    return pickle.loads(pickle.dumps(clf))


def saved_by_skops(clf):
    return sio.loads(sio.dumps(clf), trusted=[*TRUSTED_TYPES, *sio.get_untrusted_types(data=sio.dumps(clf))])


class Walk(RuleBasedStateMachine):
    """An estimator, and the kinds of X and y with which its walk began."""

    @initialize(
        form=st.sampled_from(sorted(FORMS)),
        kind=st.sampled_from(sorted(TARGETS)),
        n_members=st.sampled_from([1, 4]),
        scaling=st.sampled_from(["robust", "robust", "standard", None]),
        warm_start=st.booleans(),
        rng=ours.generators(),
    )
    def begin(self, form, kind, n_members, scaling, warm_start, rng):
        if scaling is None and form not in ("full", "sparse"):  # the others have missing numbers
            form = "full"
        self.architecture, self.kind, self.rng, self.asked = form, kind, rng, None
        params = {"hidden_layer_sizes": (3,), "max_iter": 2, "n_bins": 5, "random_state": 0}
        self.clf = SoftmaxMLPClassifier(n_members=n_members, scaling=scaling, warm_start=warm_start, **params)

    def call(self, name, *args, **kwargs):
        """What the method returns; or its error, which must name the cause and leave the estimator as it was."""
        note(f"{name}: {[type(value).__name__ for value in args]} {sorted(kwargs)}")
        before, answers = dict(vars(self.clf)), self.answers()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                result = getattr(self.clf, name)(*args, **kwargs)
            except (ValueError, TypeError) as error:
                assert re.search(CAUSE, str(error)), f"names no cause: {error!r}"
                assert vars(self.clf).keys() == before.keys()
                assert all(vars(self.clf)[key] is value for key, value in before.items())
                assert_array_equal(self.answers(), answers)
                result = error
        assert [warning for warning in caught if not issubclass(warning.category, EXPECTED)] == []
        return result

    def answers(self):
        """The probabilities of the rows that are asked for, if any; checked."""
        if self.asked is None:
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            probabilities = self.clf.predict_proba(self.asked)
        assert np.isfinite(probabilities).all()
        assert probabilities.shape == (self.asked.shape[0], len(self.clf.classes_))
        if fitted_model(self.clf).targets.kind == "multilabel":
            assert ((probabilities >= 0) & (probabilities <= 1)).all()
        else:
            assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
        return probabilities

    def train(self, method, n, weights, fault, other, extra):
        """Train on new rows of the walk's kinds, or, seldom, of others or with a fault."""
        form, kind = other or (self.architecture, self.kind)
        X, y, weights = FORMS[form](self.rng, n), TARGETS[kind](self.rng, n), WEIGHTS[weights](self.rng, n)
        asked = X
        if fault:
            X, y, weights = FAULTS[fault](X, y, weights)
        keywords = {"sample_weight": weights}
        if method == "partial_fit":
            keywords["classes"] = CLASSES.get(kind)
        if extra == "groups" and HAS_GROUPS and method == "fit":
            keywords["groups"] = self.rng.integers(0, 4, n)
        if extra == "validation":
            self.clf.set_params(early_stopping="auto" if fault else True)
            keywords |= {"X_val": FORMS[form](self.rng, 9), "y_val": TARGETS[kind](self.rng, 9)}
        scoring = self.clf.scoring
        if fault == "a score that is no number":
            self.clf.set_params(early_stopping=True, scoring=ours.no_number)
            keywords |= {"X_val": X, "y_val": y}
        result = self.call(method, X, y, **keywords)
        self.clf.set_params(scoring=scoring)
        if isinstance(result, Exception):
            return
        assert result is self.clf
        self.asked = asked if X is asked else X
        self.answers()

    @rule(**CALLS)
    def fit(self, n, weights, fault, other, extra):
        self.train("fit", n, weights, fault, other, extra)

    @precondition(lambda self: self.clf.solver != "lbfgs")
    @rule(**CALLS)
    def partial_fit(self, n, weights, fault, other, extra):
        self.train("partial_fit", n, weights, fault, other, extra)

    @rule(data=st.data(), name=st.sampled_from(sorted(CHANGES)))
    def set_params(self, data, name):
        value = data.draw(CHANGES[name])
        self.clf.set_params(**{name: value})

    @rule(warm_start=st.booleans())
    def switch_warm_start(self, warm_start):
        self.clf.set_params(warm_start=warm_start)

    @rule()
    def clone_it(self):
        self.clf, self.asked = clone(self.clf), None
        assert not hasattr(self.clf, "classes_")

    @rule(save=st.sampled_from([saved_by_pickle, saved_by_pickle, saved_by_skops]), n=st.integers(4, 20))
    def save_and_load(self, save, n):
        if callable(self.clf.learning_rate) and save is saved_by_skops:
            return  # skops trusts no function of the user's
        restored, expected = save(self.clf), self.answers()
        if self.asked is not None and self.clf.solver != "lbfgs" and training_state(self.clf).may_be_continued:
            self.check_that_both_continue_alike(save(self.clf), n)
        self.clf = restored
        assert_array_equal(self.answers(), expected)

    def check_that_both_continue_alike(self, restored, n):
        """One more call of partial_fit trains the saved estimator and the restored one alike, or refuses both."""
        X, y, found = FORMS[self.architecture](self.rng, n), TARGETS[self.kind](self.rng, n), []
        for clf in (pickle.loads(pickle.dumps(self.clf)), restored):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    found.append(clf.partial_fit(X, y).predict_proba(X))
                except ValueError as error:
                    found.append(str(error))
        assert_array_equal(*found)

    @precondition(lambda self: self.asked is not None)
    @rule(n=st.integers(1, 30), form=st.sampled_from([None] * 12 + sorted(FORMS)))
    def predict(self, n, form):
        X = FORMS[form or self.architecture](self.rng, n)
        probabilities, labels = self.call("predict_proba", X), self.call("predict", X)
        assert isinstance(labels, Exception) == isinstance(probabilities, Exception)
        if not isinstance(labels, Exception):
            assert len(labels) == n and np.isfinite(probabilities).all()


Walk.TestCase.settings = settings(max_examples=max(200, settings().max_examples), stateful_step_count=14)
test_random_walks = Walk.TestCase
