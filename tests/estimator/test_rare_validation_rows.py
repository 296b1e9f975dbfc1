"""The split of early_stopping sets rows of each class aside."""

import numpy as np
import pytest

from support.estimators import small


@pytest.mark.parametrize("scoring", ["neg_log_loss", "roc_auc_ovr"])
def test_early_stopping_sets_rows_of_each_class_aside(scoring):
    y = np.repeat([0, 1, 2], [140, 150, 10])
    for seed in range(15):
        X = np.random.default_rng(seed).normal(size=(300, 4))
        clf = small(early_stopping=True, scoring=scoring, max_iter=1, random_state=seed).fit(X, y)
        assert np.isfinite(clf.best_validation_score_)


def test_early_stopping_sets_rows_of_each_class_aside_if_a_class_has_two_rows_and_ignores_a_class_of_one():
    X = np.random.default_rng(0).normal(size=(302, 4))
    for seed in range(10):
        y = np.repeat([0, 1, 2], [150, 150, 2])
        small(early_stopping=True, scoring="neg_log_loss", max_iter=1, random_state=seed).fit(X, y)
        y = np.repeat([0, 1, 2], [150, 151, 1])
        small(early_stopping=True, max_iter=1, random_state=seed).fit(X, y)  # the only row of its class


@pytest.mark.filterwarnings("ignore:The number of unique classes")
def test_early_stopping_scores_two_rows_if_no_class_has_two():
    X = np.random.default_rng(0).normal(size=(12, 4))
    assert len(small(early_stopping=True, max_iter=1).fit(X, np.arange(12)).validation_scores_) == 1
