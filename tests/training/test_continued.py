"""Starts that continue: `Continued` for a warm start, `ContinuedPartial` for a later call of partial_fit."""

import numpy as np
import pytest

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.data.inputs import FitArguments
from sksoftmax.data.rows import Samples
from sksoftmax.training.continued import Continued, ContinuedPartial
from support.networks import fitted_model, training_state

X = np.random.RandomState(0).normal(size=(60, 3))
y = (X[:, 0] > 0).astype(int)
PARAMS = {"hidden_layer_sizes": (4,), "n_members": 1, "max_iter": 2, "warm_start": True, "random_state": 0}


@pytest.fixture(scope="module")
def fitted():
    return SoftmaxMLPClassifier(**PARAMS).fit(X, y)


def continued_start(fitted, kind=Continued, **params):
    params = {**fitted.get_params(deep=False), **params}
    return kind(fitted, params, np.random.RandomState(0), fitted_model(fitted), training_state(fitted))


@pytest.mark.parametrize(
    "changed", [{"n_bins": 3}, {"scaling": "standard"}, {"relevance": None}, {"hidden_layer_sizes": (5,)}, {"dtype": "float32"}]
)
def test_a_parameter_that_the_first_call_fixed_may_not_change(fitted, changed):
    (name,) = changed
    with pytest.raises(ValueError, match=rf"Training cannot continue with {name}=.*: it began with"):
        continued_start(fitted, **changed)


def test_columns_dtypes_and_the_ensemble_stay(fitted):
    made = continued_start(fitted)
    assert made.categories(None) is fitted_model(fitted).preprocessor.categories
    assert made.network_dtype(X.astype("float32"), None) == fitted.coefs_[0].dtype
    assert made.output_dtype(X.astype("float32")) == "float64"
    rows = Samples(X, y.astype(float)[:, None])
    assert made.with_copies(rows, None, None) is rows


def test_y_must_have_the_same_kind_and_classes(fitted):
    with pytest.raises(ValueError, match="the same classes as in the previous call to fit"):
        continued_start(fitted).targets(y + 1, FitArguments(X, y + 1))
    matrix = np.eye(2, dtype=int)[y][:, [0, 1]] | np.eye(2, dtype=int)[1 - y] * (X[:, 1:2] > 0)
    with pytest.raises(ValueError, match="the same kind of y in each call"):
        continued_start(fitted).targets(matrix, FitArguments(X, matrix))
    assert continued_start(fitted, ContinuedPartial).targets(y[:3], FitArguments(X[:3], y[:3])) is fitted_model(fitted).targets


@pytest.mark.parametrize("kind, rate", [(Continued, 0.01), (ContinuedPartial, 0.003)])
def test_the_state_continues_curves_and_moments_and_partial_fit_the_rate_too(fitted, kind, rate):
    made = continued_start(fitted, kind)
    earlier, optimizer = fitted_model(fitted), training_state(fitted).optimizer
    config = made.config(earlier.targets, 60, 60, earlier.preprocessor)
    model = made.model(config, earlier.preprocessor, earlier.targets, np.float64, "float64")
    optimizer.learning_rate = 0.003
    state = made.state(model, config)
    assert state.progress.loss_curve == fitted.loss_curve_ and state.progress.n_before == len(fitted.loss_curve_)
    assert state.optimizer.t == optimizer.t > 0
    assert state.optimizer.learning_rate == rate
    assert model.network is not earlier.network


@pytest.mark.parametrize("kind, expected", [(Continued, [1.0, 2.0]), (ContinuedPartial, [4.0, 6.0])])
def test_label_smoothing_counts_the_rows_of_all_calls_of_partial_fit_and_those_of_one_fit(fitted, kind, expected):
    made = continued_start(fitted, kind)
    made.earlier_state.target_sums = np.array([3.0, 4.0])
    np.testing.assert_array_equal(made.target_sums(np.array([1.0, 2.0])), expected)
