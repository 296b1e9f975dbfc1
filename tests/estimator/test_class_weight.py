"""class_weight is sample_weight by class: in every solver, for every kind of target, in training, splits and scores."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import softmax
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight

from support.estimators import plain
from support.marks import SOLVERS, STEPWISE

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X = np.random.default_rng(0).normal(size=(60, 4))
MULTICLASS = np.array(["b", "a", "c"])[X[:, :3].argmax(axis=1)]
BINARY = np.where(X[:, 0] > 0.8, 7, 3)
MULTILABEL = (X[:, :3] > 0.5).astype(int)
SOFT = softmax(2 * X[:, :3], axis=1)
SOFT_PAIR = softmax(2 * X[:, :2], axis=1)
WEIGHTS = np.random.default_rng(1).uniform(0.5, 2, 60)
CASES = {  # y, class_weight, and the factor of each row
    "multiclass": (MULTICLASS, {"a": 2.0, "c": 0.25}, compute_sample_weight({"a": 2.0, "b": 1.0, "c": 0.25}, MULTICLASS)),
    "binary": (BINARY, {7: 4, 3: 0.5}, np.where(BINARY == 7, 4, 0.5)),
    "multilabel": (
        MULTILABEL,
        [{1: 3.0}, {0: 0.5, 1: 2.0}, {}],
        compute_sample_weight([{0: 1.0, 1: 3.0}, {0: 0.5, 1: 2.0}, {0: 1.0, 1: 1.0}], MULTILABEL),
    ),
    "soft": (SOFT, {0: 2.0, 2: 0.25}, SOFT @ [2.0, 1.0, 0.25]),
    "soft pair": (SOFT_PAIR, {0: 4, 1: 0.5}, SOFT_PAIR @ [4, 0.5]),
}
EVERY_CASE = pytest.mark.parametrize("target", CASES)


def batched(**params):
    defaults = {"hidden_layer_sizes": (5,), "learning_rate_init": 0.02, "max_iter": 4, "batch_size": 13, "random_state": 0}
    return plain(**{**defaults, **params})


def assert_same_training(one, other, rtol=1e-9):
    for a, b in zip(one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True):
        assert_allclose(a, b, rtol=rtol, atol=1e-12)
    assert_allclose(one.loss_curve_, other.loss_curve_, rtol=1e-10)


@SOLVERS
@EVERY_CASE
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["unweighted", "weighted"])
def test_class_weight_equals_a_sample_weight_of_the_same_factors(target, solver, weights):
    y, class_weight, factors = CASES[target]
    one = batched(solver=solver, class_weight=class_weight).fit(X, y, weights)
    assert_same_training(one, batched(solver=solver).fit(X, y, factors if weights is None else factors * weights))
    assert not np.allclose(one.coefs_[0], batched(solver=solver).fit(X, y, weights).coefs_[0])


@EVERY_CASE
def test_the_loss_is_weighted_by_class_weight(target):
    y, class_weight, factors = CASES[target]
    clf = batched(solver="lbfgs", class_weight=class_weight, alpha=0.0).fit(X, y)
    log_p = clf.predict_log_proba(X)
    if target == "multilabel":
        p = clf.predict_proba(X)
        losses = -(y * np.log(p) + (1 - y) * np.log1p(-p)).sum(axis=1)
    else:
        losses = -((y if y.ndim == 2 else y[:, None] == clf.classes_) * log_p).sum(axis=1)
    assert clf.loss_ == pytest.approx(np.average(losses, weights=factors), rel=1e-9)


@EVERY_CASE
@STEPWISE
def test_partial_fit_multiplies_by_a_class_weight_dict(target, solver):
    y, class_weight, factors = CASES[target]
    classes = np.unique(y) if y.ndim == 1 else None
    one, other = batched(solver=solver, class_weight=class_weight), batched(solver=solver)
    for rows in (slice(0, 40), slice(20, 60)):
        one.partial_fit(X[rows], y[rows], classes=classes)
        other.partial_fit(X[rows], y[rows], factors[rows], classes=classes)
    assert_same_training(one, other)


@EVERY_CASE
def test_warm_start_continues_with_class_weight(target):
    y, class_weight, factors = CASES[target]
    one = batched(class_weight=class_weight, warm_start=True).fit(X, y).fit(X, y)
    assert_same_training(one, batched(warm_start=True).fit(X, y, factors).fit(X, y, factors))


def test_class_weight_0_leaves_the_rows_out_but_the_class_stays_in_classes():
    kept = MULTICLASS != "b"
    clf = batched(class_weight={"b": 0}).fit(X, MULTICLASS)
    assert_same_training(clf, batched().fit(X, MULTICLASS, kept.astype(float)), rtol=0)
    assert clf.t_ == 4 * kept.sum()
    assert clf.classes_.tolist() == ["a", "b", "c"]


@pytest.mark.parametrize("early_stopping", [False, True])
def test_class_weight_keeps_dtype_float32(early_stopping):
    clf = batched(class_weight="balanced", early_stopping=early_stopping).fit(X.astype(np.float32), MULTICLASS)
    assert {W.dtype for W in clf.coefs_ + clf.intercepts_} == {np.dtype(np.float32)}
    exact = batched(class_weight="balanced", early_stopping=early_stopping).fit(X, MULTICLASS)
    assert_allclose(clf.loss_curve_, exact.loss_curve_, rtol=1e-4)


# "balanced"


@pytest.mark.parametrize("target", ["multiclass", "binary"])
@SOLVERS
def test_class_weight_balanced_is_scikit_learns_compute_class_weight(target, solver):
    y = CASES[target][0]
    classes = np.unique(y)
    balanced = compute_class_weight("balanced", classes=classes, y=y)
    one = batched(solver=solver, class_weight="balanced").fit(X, y)
    assert_same_training(one, batched(solver=solver, class_weight=dict(zip(classes.tolist(), balanced))).fit(X, y))


def test_class_weight_balanced_of_a_multilabel_target_is_scikit_learns_product():
    one = batched(class_weight="balanced").fit(X, MULTILABEL)
    assert_same_training(one, batched().fit(X, MULTILABEL, compute_sample_weight("balanced", MULTILABEL)))


@pytest.mark.parametrize("target", ["multiclass", "binary", "multilabel"])
def test_class_weight_balanced_counts_rows_by_their_sample_weight(target):
    y, counts = CASES[target][0], np.arange(60) % 3
    rows = np.repeat(np.arange(60), counts)
    one = batched(solver="lbfgs", class_weight="balanced").fit(X, y, counts)
    assert_same_training(one, batched(solver="lbfgs", class_weight="balanced").fit(X[rows], y[rows]), rtol=1e-5)


def test_class_weight_balanced_ignores_a_class_whose_rows_all_have_sample_weight_0():
    clf = batched(class_weight="balanced").fit(X, MULTICLASS, (MULTICLASS != "c").astype(float))
    assert np.isfinite(clf.loss_)
    assert clf.classes_.tolist() == ["a", "b", "c"]


def test_partial_fit_refuses_class_weight_balanced_and_says_what_to_do():
    with pytest.raises(ValueError, match=r"class_weight='balanced' is not supported for partial_fit.*compute_class_weight"):
        batched(class_weight="balanced").partial_fit(X, MULTICLASS, classes=["a", "b", "c"])


# Validation rows


@SOLVERS
def test_class_weight_weights_validation_rows_with_the_factors_of_the_training_rows(solver):
    train, val = slice(0, 40), slice(40, 60)
    factors = compute_class_weight("balanced", classes=np.array(["a", "b", "c"]), y=MULTICLASS[train])
    weights = factors[np.searchsorted(["a", "b", "c"], MULTICLASS[val])]
    clf = batched(solver=solver, class_weight="balanced", early_stopping=True, restore_best=False)
    clf.fit(X[train], MULTICLASS[train], X_val=X[val], y_val=MULTICLASS[val])
    accuracy = accuracy_score(MULTICLASS[val], clf.predict(X[val]), sample_weight=weights)
    assert clf.validation_scores_[-1] == pytest.approx(accuracy, rel=1e-12)
    loss = log_loss(MULTICLASS[val], clf.predict_proba(X[val]), sample_weight=weights)
    assert clf.validation_loss_curve_[-1] == pytest.approx(loss, rel=1e-9)


@pytest.mark.parametrize("scoring", ["accuracy", "loss", "f1_weighted"])
def test_class_weight_weights_rows_split_off_by_early_stopping_as_sample_weight_does(scoring):
    y, class_weight, factors = CASES["multiclass"]
    one = batched(class_weight=class_weight, early_stopping=True, scoring=scoring).fit(X, y)
    other = batched(early_stopping=True, scoring=scoring).fit(X, y, factors)
    assert_same_training(one, other)
    assert_allclose(one.validation_scores_, other.validation_scores_, rtol=1e-12)


@pytest.mark.parametrize("own", [False, True], ids=["split off", "own rows"])
def test_early_stopping_scores_no_row_of_class_weight_0(own):
    scored = []

    def remember(estimator, X, y):
        scored.append(y)
        return 0.0

    given = {"X_val": X[40:], "y_val": MULTICLASS[40:]} if own else {}
    clf = batched(class_weight={"b": 0}, early_stopping=True, scoring=remember, validation_fraction=0.4)
    clf.fit(X, MULTICLASS, **given)
    assert "b" in MULTICLASS[40:]
    assert {str(label) for labels in scored for label in labels} == {"a", "c"}


# Errors


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ({"b": -1}, "class_weight must be finite and non-negative; got -1 for class 'b'"),
        ({"a": 0, "b": 0, "c": 0}, "class_weight gives every row the weight 0"),
        ("heavy", "The 'class_weight' parameter of SoftmaxMLPClassifier must be"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_an_invalid_class_weight_is_named(class_weight, message, method):
    classes = {"classes": ["a", "b", "c"]} if method == "partial_fit" else {}
    with pytest.raises(ValueError, match=message):
        getattr(batched(class_weight=class_weight), method)(X, MULTICLASS, **classes)


IRIS = load_iris(return_X_y=True)


@pytest.mark.parametrize("class_weight", [{"setosa": 1, "versicollor": 2}, {"versicollor": 2}])
def test_class_weight_with_a_misspelled_class_is_refused_as_scikit_learn_refuses_it(class_weight):
    X, y = IRIS[0][:100], np.array(["setosa", "versicolor"])[IRIS[1][:100]]
    for clf in (LogisticRegression(class_weight=class_weight), batched(class_weight=class_weight)):
        with pytest.raises(ValueError, match="versicolor'"):
            clf.fit(X, y)
    with pytest.raises(ValueError, match=r"not in y, \['versicollor'\], and lacks classes of y, \['"):
        batched(class_weight=class_weight).fit(X, y)
