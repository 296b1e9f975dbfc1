"""The attributes of a fitted estimator."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.data.targets import Targets
from sksoftmax.model import Model
from sksoftmax.nn.ensemble_weights import EnsembleWeights
from sksoftmax.training.attributes import attributes_of_columns, estimator_so_far, fitted_attributes
from sksoftmax.training.progress import Progress
from sksoftmax.training.state import TrainingState
from support.networks import fitted_preprocessor, form_of, initialized

X = np.column_stack([np.arange(20.0), np.ones(20), np.arange(20) % 2])
CALIBRATED = EnsembleWeights(np.ones(1), np.ones(1), 2.0, np.array([0.5]))


@pytest.fixture
def parts():
    """An estimator that has seen X, an untrained model, and a state after one epoch."""
    estimator = SoftmaxMLPClassifier()
    estimator.n_features_in_ = 3
    preprocessor = fitted_preprocessor(X, categories={2: ["a", "b"]})
    network = initialized(form_of(preprocessor.layout.n_columns, (4,), 1))
    model = Model(preprocessor, network, CALIBRATED, Targets("labels", np.arange(2), "auto"), "float64", None)
    return estimator, model, TrainingState(Progress([0.5], stale_epochs=3), resolved={"batch_size_": 20})


def test_the_estimator_so_far_is_fitted_while_the_one_in_training_is_not_and_its_arrays_continue_to_change(parts):
    estimator, model, state = parts
    so_far = estimator_so_far(*parts)
    check_is_fitted(so_far)
    with pytest.raises(NotFittedError):
        check_is_fitted(estimator)
    assert np.shares_memory(so_far.coefs_[0], model.network.parameters)
    state.progress.loss_curve.append(0.4)
    assert so_far.loss_curve_ == [0.5]


def test_attributes_describe_the_model_the_columns_the_curves_and_what_auto_became(parts):
    found = fitted_attributes(*parts)
    assert (found["n_layers_"], found["loss_"], found["batch_size_"], found["_no_improvement_count"]) == (3, 0.5, 20, 3)
    assert found["encoded_feature_names_"].tolist() == ["x0", "x1", "x2_b"]


def test_on_request_arrays_no_longer_change_and_one_network_holds_its_calibration(parts):
    _, model, state = parts
    found, last = fitted_attributes(*parts, copied=True), model.network.coefs[-1].copy()
    model.network.parameters[...] = 0
    state.progress.loss_curve.append(0.4)
    assert_array_equal(found["coefs_"][-1], 2 * last)
    assert found["loss_curve_"] == [0.5] and found["temperature_"] == 1
    assert model.ensemble_weights is CALIBRATED


def test_columns_are_named_as_in_X_or_by_their_number(parts):
    estimator, model, _ = parts
    for names in (["x0", "x1", "x2"], ["size", "one", "kind"]):
        found = attributes_of_columns(estimator, model.preprocessor)
        assert found["encoded_feature_names_"].tolist() == [*names[:2], f"{names[2]}_b"]
        assert found["categories_"] == {names[2]: ["a", "b"]}
        assert found["unused_columns_"] == {names[1]: "all its values are equal, or missing"}
        estimator.feature_names_in_ = np.array(["size", "one", "kind"])
