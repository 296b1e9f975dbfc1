"""scikit-learn's common checks, on a dozen configurations in CI and on many more at night."""

from itertools import product

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from sksoftmax import SoftmaxMLPClassifier
from support.estimators import plain

RATES = {(): 0.1, (10,): 0.02, (10, 10, 10): 0.02}
WEIGHT_CHECKS = ("check_sample_weight_equivalence_on_dense_data", "check_sample_weight_equivalence_on_sparse_data")


def patient(solver, early_stopping, hidden_layer_sizes):
    """A plain network that learns the data of the checks with this solver."""
    return plain(
        hidden_layer_sizes,
        solver=solver,
        early_stopping=early_stopping,
        scoring="accuracy" if solver == "lbfgs" and hidden_layer_sizes else "loss",
        learning_rate_init=RATES[hidden_layer_sizes],
        n_iter_no_change=50 if solver == "lbfgs" else 10,
    )


ALWAYS = [  # one for each way through the code
    SoftmaxMLPClassifier(),
    SoftmaxMLPClassifier(n_members=1),
    SoftmaxMLPClassifier(solver="lbfgs"),
    SoftmaxMLPClassifier(n_members=4, early_stopping=True),
    plain(),
    plain((10,), out_activation="softmax"),
    plain("16-8", ["elu", "tanh"], learning_rate="cosine", warmup=0.1, learning_rate_init=0.05, clip_norm=1),
    plain((10,), solver="lbfgs", class_weight="balanced", label_smoothing=0.05),
    plain((20,), dropout=0.1, ema_decay=0.9, learning_rate_init=0.02),
    plain(scaling="robust", categorical_features="from_dtype"),
    patient("sgd", False, ()),
    patient("adam", True, (10,)),
    patient("lbfgs", True, (10, 10, 10)),
]
NIGHTLY = [
    SoftmaxMLPClassifier(solver="sgd"),
    plain(solver="lbfgs"),
    plain((10,), batch_size=10),
    plain((10,), activation="mish", weight_decay=0.01, learning_rate_init=0.02),
    plain((10,), learning_rate="coslog4", learning_rate_init=0.02, max_iter=100),
    plain(scaling="standard"),
]
COMBINATIONS = [patient(*params) for params in product(("adam", "sgd", "lbfgs"), (False, True), RATES)]
NIGHTLY += [clf for clf in COMBINATIONS if str(clf) not in map(str, ALWAYS)]


def expected_failures(estimator):
    """The checks whose result depends on chance, or on a validation part of six rows."""
    failures = {}
    if estimator.early_stopping or estimator.batch_size != "auto" or estimator.dropout not in (0, "auto"):
        reason = "Random splits, batches and drops of repeated rows are not those of weighted ones."
        failures |= dict.fromkeys(WEIGHT_CHECKS, reason)
    if estimator.early_stopping and estimator.hidden_layer_sizes == () and estimator.solver != "lbfgs":
        reason = "Weights of 1000 and 0.0001 make all six validation rows right in the first epochs, and training ends."
        failures["check_class_weight_classifiers"] = reason
    return failures


WARNINGS = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning",
    "ignore::sklearn.exceptions.SkipTestWarning",
    "ignore:early_stopping=True has no effect in partial_fit",
)


@WARNINGS
@parametrize_with_checks(ALWAYS, expected_failed_checks=expected_failures)
def test_passes_the_common_checks(estimator, check):
    check(estimator)


@pytest.mark.nightly
@WARNINGS
@parametrize_with_checks(NIGHTLY, expected_failed_checks=expected_failures)
def test_passes_the_common_checks_in_more_configurations(estimator, check):
    check(estimator)
