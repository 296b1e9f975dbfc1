"""scikit-learn's common checks, on many configurations."""

from itertools import product

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from sksoftmax import SoftmaxMLPClassifier

RATES = {(): 0.1, (10,): 0.02, (10, 10, 10): 0.02}
WEIGHT_CHECKS = ("check_sample_weight_equivalence_on_dense_data", "check_sample_weight_equivalence_on_sparse_data")


def configurations():
    yield SoftmaxMLPClassifier()
    for solver, early_stopping, (hidden, rate) in product(("adam", "sgd", "lbfgs"), (False, True), RATES.items()):
        patience = 50 if solver == "lbfgs" else 10
        yield SoftmaxMLPClassifier(
            hidden, solver=solver, early_stopping=early_stopping, learning_rate_init=rate, n_iter_no_change=patience
        )
    yield SoftmaxMLPClassifier(solver="lbfgs")
    yield SoftmaxMLPClassifier((10,), batch_size=10)
    yield SoftmaxMLPClassifier((10,), out_activation="softmax")
    yield SoftmaxMLPClassifier((10,), activation="mish", weight_decay=0.01, learning_rate_init=0.02)
    yield SoftmaxMLPClassifier((10,), learning_rate="coslog4", learning_rate_init=0.02, max_iter=100)


def random_split_or_batches(estimator):
    """A random split of repeated rows is not a split of weighted ones, and random batches neither."""
    if estimator.early_stopping or estimator.batch_size != "auto":
        return dict.fromkeys(WEIGHT_CHECKS, random_split_or_batches.__doc__)
    return {}


@pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning",
    "ignore::sklearn.exceptions.SkipTestWarning",
    "ignore:early_stopping=True has no effect in partial_fit",
)
@parametrize_with_checks(list(configurations()), expected_failed_checks=random_split_or_batches)
def test_passes_the_common_checks(estimator, check):
    check(estimator)
