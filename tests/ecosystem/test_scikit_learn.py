"""Code that takes an MLPClassifier takes ours: scikit-learn's meta-estimators and searches, metadata routing, joblib, HTML."""

import re
from html import unescape

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn import __version__, config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.ensemble import AdaBoostClassifier, BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import RFECV
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    cross_val_predict,
    cross_validate,
    learning_curve,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.utils.fixes import parse_version

from support.estimators import plain

X, y = load_iris(return_X_y=True)
X = StandardScaler().fit_transform(X)
since_1_8 = pytest.mark.skipif(parse_version(__version__) < parse_version("1.8"), reason="came with scikit-learn 1.8")
since_1_9 = pytest.mark.skipif(parse_version(__version__) < parse_version("1.9"), reason="came with scikit-learn 1.9")
LABELS = np.column_stack([y == 1, X[:, 0] > 0]).astype(int)
WEIGHTS = np.where(np.arange(len(y)) % 3, 1.0, 0.0)


def small_lbfgs(**params):
    """A small network that L-BFGS takes to its optimum in a few steps."""
    return plain(**{"hidden_layer_sizes": (4,), "solver": "lbfgs", "alpha": 1.0, "tol": 1e-2, "random_state": 0, **params})


TWO = [("ours", small_lbfgs()), ("other", LogisticRegression())]
META_ESTIMATORS = {  # a meta-estimator, its y if that is not one label a row, and the score that it must reach
    "sigmoid": (CalibratedClassifierCV(small_lbfgs(), method="sigmoid", cv=3), y, 0.9),
    "isotonic": (CalibratedClassifierCV(small_lbfgs(), method="isotonic", cv=3), y, 0.9),
    "temperature": (CalibratedClassifierCV(small_lbfgs(), method="temperature", cv=3), y, 0.9),
    "bagging": (BaggingClassifier(small_lbfgs(), n_estimators=3, max_features=0.5, random_state=0), y, 0.8),
    "boosting": (AdaBoostClassifier(small_lbfgs(alpha=0.1), n_estimators=3, random_state=0), y, 0.9),
    "hard voting": (VotingClassifier(TWO, voting="hard"), y, 0.9),
    "soft voting": (VotingClassifier(TWO, voting="soft"), y, 0.9),
    "stacking": (StackingClassifier(TWO, LogisticRegression(), cv=3), y, 0.9),
    "stacking on top": (StackingClassifier([("other", LogisticRegression())], small_lbfgs(), cv=3), y, 0.9),
    "one against the rest": (OneVsRestClassifier(small_lbfgs()), y, 0.9),
    "one against one": (OneVsOneClassifier(small_lbfgs()), y, 0.9),
    "one against the rest of labels": (OneVsRestClassifier(small_lbfgs()), LABELS, 0.8),
    "several outputs": (MultiOutputClassifier(small_lbfgs()), np.column_stack([y, LABELS[:, 1]]), 0.8),
    "chain": (ClassifierChain(small_lbfgs(), random_state=0), LABELS, 0.8),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=since_1_8) if name == "temperature" else name for name in META_ESTIMATORS]
)
def test_a_meta_estimator_learns_with_it(name):
    meta, targets, least = META_ESTIMATORS[name]
    assert meta.fit(X, targets).score(X, targets) > least


def test_self_training():
    assert SelfTrainingClassifier(small_lbfgs()).fit(X, np.where(np.arange(150) % 5, -1, y)).score(X, y) > 0.85


def test_one_against_the_rest_with_partial_fit():
    clf = OneVsRestClassifier(small_lbfgs(solver="adam", learning_rate_init=0.05)).partial_fit(X, y, classes=[0, 1, 2])
    assert clf.partial_fit(X, y).predict_proba(X).shape == (150, 3)


def test_permutation_importance():
    importances = permutation_importance(small_lbfgs().fit(X, y), X, y, n_repeats=2, random_state=0).importances_mean
    assert importances[2:].sum() > importances[:2].sum()


@pytest.mark.parametrize("response_method", ["predict_proba", "decision_function"])
def test_partial_dependence(response_method):
    averages = partial_dependence(small_lbfgs().fit(X, y == 2), X, [3], grid_resolution=5, response_method=response_method)[
        "average"
    ]
    assert (np.diff(averages[0]) > 0).all()


def test_recursive_elimination_by_the_first_weights():
    chosen = RFECV(small_lbfgs(), importance_getter=lambda clf: np.abs(clf.coefs_[0]).sum(axis=1), cv=2).fit(X, y)
    assert chosen.support_[2:].any()


def test_incremental_learning_curve():
    clf = small_lbfgs(solver="adam", learning_rate_init=0.1)
    scores = learning_curve(
        clf, X, y, train_sizes=[0.2, 0.6, 1.0], cv=2, exploit_incremental_learning=True, shuffle=True, random_state=0
    )[1]
    assert scores[-1].mean() > 0.6


@pytest.mark.parametrize("method", ["predict_proba", "predict_log_proba", "decision_function"])
def test_cross_val_predict(method):
    assert (cross_val_predict(small_lbfgs(), X, y, cv=3, method=method).argmax(axis=1) == y).mean() > 0.9


def test_halving_grid_search():
    search = HalvingGridSearchCV(small_lbfgs(), {"alpha": [0.1, 1.0, 1e4]}, cv=2, random_state=0, min_resources=50)
    assert search.fit(X, y).best_params_["alpha"] < 1e4


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_grid_written_for_mlpclassifier_in_two_processes():
    grid = [
        {"hidden_layer_sizes": [(4,), (4, 4)], "activation": ["tanh", "relu"], "solver": ["lbfgs"], "alpha": [0.1]},
        {
            "solver": ["sgd"],
            "learning_rate": ["adaptive", "invscaling"],
            "learning_rate_init": [0.1],
            "momentum": [0.5],
            "tol": [0.1],
        },
    ]
    search = GridSearchCV(plain(max_iter=500, random_state=0), grid, cv=2, n_jobs=2, error_score="raise")
    assert search.fit(X, y).best_score_ > 0.9
    assert len(search.cv_results_["params"]) == 6


def test_a_pipeline_of_a_data_frame_with_categories():
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"]).assign(color=np.array(["red", "green", "blue"])[y])
    columns = ColumnTransformer([("number", StandardScaler(), ["a", "b"]), ("category", OneHotEncoder(), ["color"])])
    assert make_pipeline(columns, small_lbfgs(alpha=0.1)).fit(frame, y).score(frame, y) == 1


# Metadata routing


def assert_weighted(clf):
    """Whether this was fitted with WEIGHTS, which leave every third row out."""
    kept = WEIGHTS > 0
    np.testing.assert_allclose(clf.coefs_[0], small_lbfgs().fit(X[kept], y[kept]).coefs_[0], rtol=1e-6)


def test_sample_weight_is_routed_through_a_pipeline():
    with config_context(enable_metadata_routing=True):
        clf = small_lbfgs().set_fit_request(sample_weight=True).set_score_request(sample_weight=False)
        scaler = StandardScaler(with_mean=False, with_std=False).set_fit_request(sample_weight=False)
        assert_weighted(make_pipeline(scaler, clf).fit(X, y, sample_weight=WEIGHTS)[-1])


def test_sample_weight_is_routed_through_a_grid_search_to_fit_and_score():
    weighted = np.where(y == 0, 1.0, 1e-6)
    with config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(small_lbfgs(hidden_layer_sizes=()).set_fit_request(sample_weight=True))
        scoring = make_scorer(accuracy_score).set_score_request(sample_weight=True)
        search = GridSearchCV(pipeline, {"softmaxmlpclassifier__alpha": [1e3]}, cv=3, scoring=scoring)
        search.fit(X, y, sample_weight=weighted)
    assert (search.predict(X) == 0).all()
    assert search.best_score_ > 0.999


def test_sample_weight_that_was_not_requested_is_refused():
    with config_context(enable_metadata_routing=True), pytest.raises(ValueError, match=r"sample_weight.*not explicitly set"):
        cross_validate(small_lbfgs(), X, y, cv=2, params={"sample_weight": WEIGHTS}, error_score="raise")


@since_1_8
def test_sample_weight_is_routed_to_the_estimators_own_score():
    """Older versions cannot route to the score of a search without `scoring`."""
    with config_context(enable_metadata_routing=True):
        clf = small_lbfgs().set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        search = GridSearchCV(make_pipeline(clf), {"softmaxmlpclassifier__alpha": [1.0]}, cv=3)
        assert search.fit(X, y, sample_weight=WEIGHTS).best_score_ > 0.9


def test_sample_weight_under_another_name_is_routed():
    with config_context(enable_metadata_routing=True):
        clf = small_lbfgs().set_fit_request(sample_weight="importance")
        scoring = make_scorer(accuracy_score).set_score_request(sample_weight=False)
        result = cross_validate(
            clf, X, y, cv=2, params={"importance": np.where(y == 0, 1, 1e-9)}, scoring=scoring, return_estimator=True
        )
    assert all((fitted.predict(X) == 0).mean() > 0.95 for fitted in result["estimator"])


def test_classes_and_sample_weight_of_partial_fit_may_be_requested():
    with config_context(enable_metadata_routing=True):
        clf = small_lbfgs(solver="adam").set_partial_fit_request(classes=True, sample_weight=True)
    assert clf.get_metadata_routing().partial_fit.requests["classes"] is True


# Saving, cloning, showing


def test_a_model_loaded_as_a_read_only_memory_map_predicts_and_trains(tmp_path):
    clf = small_lbfgs(solver="adam").partial_fit(X, y, classes=[0, 1, 2])
    joblib.dump(clf, tmp_path / "clf.joblib")
    mapped = joblib.load(tmp_path / "clf.joblib", mmap_mode="r")
    assert_array_equal(mapped.predict_proba(X), clf.predict_proba(X))
    np.testing.assert_allclose(mapped.partial_fit(X, y).coefs_[0], clf.partial_fit(X, y).coefs_[0])


def fitted_weights(clf, X, y):
    """What a memory caches."""
    CALLS.append(1)
    return clone(clf).fit(X, y).coefs_


CALLS = []


@pytest.mark.filterwarnings("ignore:Persisting input arguments")  # joblib measures a time
def test_joblib_memory_recognizes_an_equal_estimator(tmp_path):
    cached = joblib.Memory(tmp_path, verbose=0).cache(fitted_weights)
    CALLS.clear()
    first, second = cached(small_lbfgs(), X, y), cached(small_lbfgs(), X, y)
    assert len(CALLS) == 1
    assert_array_equal(first[0], second[0])


@pytest.mark.parametrize("fitted", [False, True])
def test_html_and_text_show_the_parameters_that_were_set(fitted):
    clf = small_lbfgs(activation="mish").fit(X, y) if fitted else small_lbfgs(activation="mish")
    html = clf._repr_html_()
    assert "SoftmaxMLPClassifier" in html
    assert ("<span>Fitted</span>" in html, "<span>Not fitted</span>" in html) == (fitted, not fitted)
    assert "mish" in html
    assert "activation='mish'" in repr(clf)
    assert "beta_1" not in repr(clf)


@pytest.mark.parametrize("fitted", [False, True])
def test_html_links_to_no_page_of_ours_as_there_is_none(fitted):
    clf = small_lbfgs().fit(X, y) if fitted else small_lbfgs()
    assert all(link.startswith("#") for link in re.findall(r'href="([^"]*)"', clf._repr_html_()))
    assert "pypi.org" not in make_pipeline(StandardScaler(), clf)._repr_html_()


def tooltips(html):
    """The text beside each name that has one, by name."""
    found = re.findall(r'class="param-doc-description"[^>]*>\s*(\w+): (.*?)</span>', html, re.DOTALL)
    return {name: unescape(text) for name, text in found}


@since_1_9
def test_html_explains_every_parameter_and_fitted_attribute():
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    clf = small_lbfgs(early_stopping=True).fit(frame, y)
    shown = tooltips(clf._repr_html_())
    learned = {name for name in dir(clf) if name.endswith("_") and not name.startswith("_")}
    assert {"loss_curve_", "feature_names_in_"} <= learned
    assert set(shown) == set(clf.get_params()) | learned
    assert shown["alpha"].startswith("float, default=0.0<br><br>Strength of the L2 penalty")
