"""The loss module against SciPy, against finite differences and against its own derivation."""

import numpy as np
import pytest
from scipy import special

from sksoftmax.loss import (
    binary_cross_entropy,
    cross_entropy,
    log_sigmoid,
    log_softmax,
    logistic_loss,
    sigmoid,
    softmax,
    softmax_jacobian,
    softmax_loss,
)

DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
WEIGHTED = pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
N, K = 7, 4


def random_case(soft, weighted, seed=0):
    """Logits, targets of the given kind, the same targets as dense rows, and weights or None."""
    rng = np.random.RandomState(seed)
    logits = rng.normal(scale=3, size=(N, K))
    labels = rng.randint(K, size=N)
    targets = rng.dirichlet(np.ones(K), N) if soft else labels
    dense = targets if soft else np.eye(K)[labels]
    return logits, targets, dense, rng.uniform(0.1, 3, N) if weighted else None


def shares(weight, n=N):
    """w / Σw, or 1/n without weights."""
    return np.full(n, 1 / n) if weight is None else weight / weight.sum()


def numerical_gradient(function, z, step=1e-5):
    """Central differences of a function, one entry of z at a time; they stack along the last axes."""
    columns = []
    for index in np.ndindex(z.shape):
        up, down = z.copy(), z.copy()
        up[index] += step
        down[index] -= step
        columns.append((function(up) - function(down)) / (2 * step))
    return np.stack(columns, axis=-1)


# Softmax and its logarithm


@pytest.mark.parametrize("scale", [1, 30, 1e4])
@pytest.mark.parametrize("ours, scipys", [(softmax, special.softmax), (log_softmax, special.log_softmax)])
def test_softmax_and_log_softmax_equal_scipys(ours, scipys, scale):
    logits = scale * np.random.RandomState(0).uniform(-1, 1, (50, 6))
    np.testing.assert_allclose(ours(logits), scipys(logits, axis=1), rtol=1e-12, atol=1e-300)


@DTYPES
def test_softmax_is_exact_at_large_logits_and_keeps_the_dtype(dtype):
    logits = np.array([[1e4, -1e4, 0], [1e4, 1e4, -1e4], [-1e4, -1e4, -1e4]], dtype)
    p, log_p = softmax(logits), log_softmax(logits)
    assert p.dtype == log_p.dtype == dtype
    np.testing.assert_array_equal(p, np.array([[1, 0, 0], [0.5, 0.5, 0], [1 / 3] * 3], dtype))
    log_2, log_3 = np.log(2), np.log(3)
    expected = [[0, -2e4, -1e4], [-log_2, -log_2, -2e4 - log_2], [-log_3] * 3]
    np.testing.assert_allclose(log_p, expected, rtol=2 * np.finfo(dtype).eps)


@pytest.mark.parametrize("function", [softmax, log_softmax])
@pytest.mark.parametrize("dtype", [np.int64, np.float16, bool])
def test_other_dtypes_become_float64(function, dtype):
    logits = np.array([[0, 1, 1]], dtype)
    result = function(logits)
    assert result.dtype == np.float64
    np.testing.assert_array_equal(result, function(logits.astype(float)))


def test_probabilities_sum_to_one_along_the_last_axis_of_any_shape():
    logits = np.random.RandomState(0).normal(scale=5, size=(2, 3, 4))
    np.testing.assert_allclose(softmax(logits).sum(axis=-1), 1, rtol=1e-14)
    np.testing.assert_allclose(np.exp(log_softmax(logits)).sum(axis=-1), 1, rtol=1e-14)
    for function in (softmax, log_softmax):
        np.testing.assert_array_equal(function(logits)[1, 2], function(logits[1, 2]))


# The Jacobian


def test_jacobian_is_p_i_times_delta_ij_minus_p_j():
    z = np.random.RandomState(0).normal(size=K)
    p = softmax(z)
    formula = [[p[i] * ((i == j) - p[j]) for j in range(K)] for i in range(K)]
    np.testing.assert_allclose(softmax_jacobian(z), formula, rtol=1e-14)
    np.testing.assert_allclose(softmax_jacobian(z), numerical_gradient(softmax, z), atol=1e-10)


@DTYPES
def test_jacobian_keeps_the_dtype_and_vanishes_if_the_softmax_is_saturated(dtype):
    jacobian = softmax_jacobian(np.array([1e4, -1e4], dtype))
    assert jacobian.dtype == dtype
    np.testing.assert_array_equal(jacobian, np.zeros((2, 2)))


# Cross-entropy


@pytest.mark.parametrize("soft", [False, True], ids=["labels", "soft"])
@WEIGHTED
def test_cross_entropy_is_the_weighted_mean_of_scipys_log_softmax(soft, weighted):
    logits, targets, y, weight = random_case(soft, weighted)
    loss, _ = cross_entropy(logits, targets, weight)
    expected = -(y * special.log_softmax(logits, axis=1)).sum(axis=1) @ shares(weight)
    assert isinstance(loss, float)
    assert loss == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("soft", [False, True], ids=["labels", "soft"])
@WEIGHTED
def test_gradient_of_cross_entropy_is_p_minus_y_times_the_share_of_the_weight(soft, weighted):
    logits, targets, y, weight = random_case(soft, weighted)
    _, d_logits = cross_entropy(logits, targets, weight)
    expected = (special.softmax(logits, axis=1) - y) * shares(weight)[:, None]
    np.testing.assert_allclose(d_logits, expected, rtol=1e-12, atol=1e-16)
    numerical = numerical_gradient(lambda z: cross_entropy(z, targets, weight)[0], logits)
    np.testing.assert_allclose(d_logits.ravel(), numerical, atol=1e-9)


@DTYPES
def test_cross_entropy_is_exact_at_large_logits_and_keeps_the_dtype(dtype):
    logits = np.array([[1e4, -1e4], [1e4, -1e4]], dtype)
    loss, d_logits = cross_entropy(logits, [0, 1])
    assert loss == 1e4  # (0 + 2e4) / 2
    assert d_logits.dtype == dtype
    np.testing.assert_array_equal(d_logits, [[0, 0], [0.5, -0.5]])
    loss, d_logits = cross_entropy(logits, np.array([[1, 0], [0.25, 0.75]]))
    assert loss == 7500
    assert d_logits.dtype == dtype
    np.testing.assert_array_equal(d_logits, [[0, 0], [0.375, -0.375]])


# The logistic unit


@DTYPES
def test_sigmoid_and_log_sigmoid_equal_scipys_and_keep_the_dtype(dtype):
    z = np.array([-1e4, -50, -1, 0, 1, 50, 1e4], dtype)
    assert sigmoid(z).dtype == log_sigmoid(z).dtype == dtype
    np.testing.assert_array_equal(sigmoid(z), special.expit(z))
    np.testing.assert_allclose(log_sigmoid(z), special.log_expit(z), rtol=4 * np.finfo(dtype).eps)


def test_the_logistic_unit_is_the_softmax_of_zero_and_z():
    z = np.linspace(-40, 40, 33)
    two = np.column_stack([np.zeros_like(z), z])
    labels = np.arange(len(z)) % 2
    np.testing.assert_allclose(sigmoid(z), softmax(two)[:, 1], rtol=1e-13)
    np.testing.assert_allclose(log_sigmoid(z), log_softmax(two)[:, 1], rtol=1e-13, atol=1e-15)
    loss, d_z = binary_cross_entropy(z[:, None], labels[:, None])
    loss_two, d_two = cross_entropy(two, labels)
    assert loss == pytest.approx(loss_two, rel=1e-14)
    np.testing.assert_allclose(d_z[:, 0], d_two[:, 1], rtol=1e-12, atol=1e-17)


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("soft", [False, True], ids=["labels", "soft"])
@WEIGHTED
def test_binary_cross_entropy_sums_outputs_averages_rows_and_has_gradient_p_minus_y(n_outputs, soft, weighted):
    rng = np.random.RandomState(0)
    z = rng.normal(scale=3, size=(N, n_outputs))
    y = rng.uniform(size=z.shape) if soft else rng.randint(2, size=z.shape)
    weight = rng.uniform(0.1, 3, N) if weighted else None
    loss, d_z = binary_cross_entropy(z, y, weight)
    losses = -(y * special.log_expit(z) + (1 - y) * special.log_expit(-z)).sum(axis=1)
    assert isinstance(loss, float)
    assert loss == pytest.approx(losses @ shares(weight), rel=1e-13)
    np.testing.assert_allclose(d_z, (special.expit(z) - y) * shares(weight)[:, None], rtol=1e-12, atol=1e-16)
    numerical = numerical_gradient(lambda z: binary_cross_entropy(z, y, weight)[0], z)
    np.testing.assert_allclose(d_z.ravel(), numerical, atol=1e-9)


@DTYPES
def test_binary_cross_entropy_is_exact_at_large_logits_and_keeps_the_dtype(dtype):
    z = np.array([[1e4], [1e4], [-1e4], [-1e4]], dtype)
    loss, d_z = binary_cross_entropy(z, np.array([[0], [1], [0], [1]]))
    assert loss == 5000  # (1e4 + 0 + 0 + 1e4) / 4
    assert d_z.dtype == dtype
    np.testing.assert_array_equal(d_z, [[0.25], [0], [0], [-0.25]])


# Weights and arguments


LOSSES = pytest.mark.parametrize("loss_function", [cross_entropy, binary_cross_entropy])


@LOSSES
def test_sample_weight_2_equals_the_row_twice_and_0_leaves_it_out(loss_function):
    logits, y, _, _ = random_case(soft=True, weighted=False)
    weight = np.array([1, 2, 0, 1, 0, 2, 1])
    rows = np.repeat(np.arange(N), weight)
    loss, d_logits = loss_function(logits, y, weight)
    loss_repeated, d_repeated = loss_function(logits[rows], y[rows])
    expected = np.zeros_like(logits)
    np.add.at(expected, rows, d_repeated)
    assert loss == pytest.approx(loss_repeated, rel=1e-14)
    np.testing.assert_allclose(d_logits, expected, rtol=1e-14)


@pytest.mark.parametrize("loss_function, soft", [(cross_entropy, False), (cross_entropy, True), (binary_cross_entropy, True)])
def test_a_loss_does_not_write_to_its_arguments(loss_function, soft):
    logits, targets, _, weight = arguments = random_case(soft, weighted=True)
    before = [a.copy() for a in arguments]
    loss_function(logits, targets, weight)
    for now, then in zip(arguments, before):
        np.testing.assert_array_equal(now, then)


@pytest.mark.parametrize("loss_function", [softmax_loss, logistic_loss])
def test_the_losses_of_training_write_their_gradient_over_the_logits(loss_function):
    logits, y, _, _ = random_case(soft=True, weighted=False)
    assert loss_function(logits, y, None)[1] is logits


@pytest.mark.parametrize(
    "logits, targets, message",
    [
        (np.zeros(3), [0], r"logits must have shape \(n_samples, n_classes\)"),
        (np.zeros((2, 3, 1)), [0, 0], r"logits must have shape \(n_samples, n_classes\)"),
        (np.zeros((2, 3)), [0, 1, 2], r"targets must have shape \(2,\) or \(2, 3\).*got \(3,\)"),
        (np.zeros((2, 3)), np.ones((2, 2)) / 2, r"targets must have shape \(2,\) or \(2, 3\).*got \(2, 2\)"),
        (np.zeros((2, 3)), 0, r"targets must have shape.*got \(\)"),
        (np.zeros((2, 3)), [0, 3], r"labels must be in 0 … 2; got 0 … 3"),
        (np.zeros((2, 3)), [-1, 2], r"labels must be in 0 … 2; got -1 … 2"),
        (np.zeros((2, 3)), [0.0, 1.0], r"must be integer labels; got dtype float64"),
        (np.zeros((2, 3)), [True, False], r"must be integer labels; got dtype bool"),
    ],
)
def test_cross_entropy_names_what_is_wrong_with_its_targets(logits, targets, message):
    with pytest.raises(ValueError, match=message):
        cross_entropy(logits, targets)


@pytest.mark.parametrize(
    "z, y", [(np.zeros((3, 1)), np.zeros(3)), (np.zeros(3), np.zeros(3)), (np.zeros((3, 2)), np.zeros((3, 1)))]
)
def test_binary_cross_entropy_names_the_shapes_that_do_not_fit(z, y):
    with pytest.raises(ValueError, match="targets must have the shape of the two-dimensional logits"):
        binary_cross_entropy(z, y)


@LOSSES
@pytest.mark.parametrize(
    "weight, message",
    [
        (np.zeros(N), "sample_weight must be non-negative with a sum above zero; the sum is 0"),
        (np.full(N, np.nan), "sample_weight must be non-negative with a sum above zero"),
        (np.ones(N - 1), r"sample_weight must have shape \(7,\), one weight a row; got \(6,\)"),
        (np.ones((N, 1)), r"sample_weight must have shape \(7,\), one weight a row; got \(7, 1\)"),
        (2.0, r"sample_weight must have shape \(7,\), one weight a row; got \(\)"),
    ],
)
def test_losses_refuse_weights_of_a_wrong_shape_or_without_a_positive_sum(loss_function, weight, message):
    logits, y, _, _ = random_case(soft=True, weighted=False)
    with pytest.raises(ValueError, match=message):
        loss_function(logits, y, weight)


# The derivation: from the Jacobian to p − y, and on to a dense layer


def dense_layer_and_target(n_inputs=5, seed=0):
    """One row x, its logits under a random dense layer, and a random distribution y."""
    rng = np.random.RandomState(seed)
    x, W, b = rng.normal(size=n_inputs), rng.normal(size=(n_inputs, K)), rng.normal(size=K)
    return x, W, b, rng.dirichlet(np.ones(K))


@pytest.mark.parametrize("seed", range(5))
def test_the_chain_rule_through_the_jacobian_gives_p_minus_y_for_any_distribution(seed):
    x, W, b, y = dense_layer_and_target(seed=seed)
    z = x @ W + b
    p = softmax(z)
    through_the_jacobian = (-y / p) @ softmax_jacobian(z)
    np.testing.assert_allclose(through_the_jacobian, p - y, atol=1e-14)
    np.testing.assert_allclose(cross_entropy(z[None], y[None])[1][0], through_the_jacobian, atol=1e-14)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint64, np.int8])
def test_labels_of_any_integer_type_are_labels(dtype):
    logits, labels = np.random.RandomState(0).normal(size=(300, 3)), np.arange(300) % 3
    assert cross_entropy(logits, labels.astype(dtype))[0] == cross_entropy(logits, labels)[0]


def test_losses_of_no_rows_are_refused():
    for loss in (cross_entropy, binary_cross_entropy):
        with pytest.raises(ValueError, match="logits"):
            loss(np.empty((0, 2)), np.empty((0, 2)))


# Label smoothing


SMOOTHING = pytest.mark.parametrize("smoothing", [0.1, 0.5, 0.99])


@SMOOTHING
@pytest.mark.parametrize("soft", [False, True], ids=["labels", "soft"])
@WEIGHTED
def test_label_smoothing_is_the_loss_of_smoothed_soft_labels(smoothing, soft, weighted):
    logits, targets, y, weight = random_case(soft, weighted)
    loss, d_logits = cross_entropy(logits, targets, weight, label_smoothing=smoothing)
    expected_loss, expected = cross_entropy(logits, (1 - smoothing) * y + smoothing / K, weight)
    assert loss == pytest.approx(expected_loss, rel=1e-13)
    np.testing.assert_allclose(d_logits, expected, rtol=1e-12, atol=1e-16)
    numerical = numerical_gradient(lambda z: cross_entropy(z, targets, weight, smoothing)[0], logits)
    np.testing.assert_allclose(d_logits.ravel(), numerical, atol=1e-9)


@SMOOTHING
@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("soft", [False, True], ids=["labels", "soft"])
@WEIGHTED
def test_label_smoothing_of_logistic_units_is_the_loss_of_targets_drawn_towards_a_half(smoothing, n_outputs, soft, weighted):
    rng = np.random.RandomState(0)
    z = rng.normal(scale=3, size=(N, n_outputs))
    y = rng.uniform(size=z.shape) if soft else rng.randint(2, size=z.shape)
    weight = rng.uniform(0.1, 3, N) if weighted else None
    loss, d_z = binary_cross_entropy(z, y, weight, label_smoothing=smoothing)
    expected_loss, expected = binary_cross_entropy(z, (1 - smoothing) * y + smoothing / 2, weight)
    assert loss == pytest.approx(expected_loss, rel=1e-13)
    np.testing.assert_allclose(d_z, expected, rtol=1e-12, atol=1e-16)
    numerical = numerical_gradient(lambda z: binary_cross_entropy(z, y, weight, smoothing)[0], z)
    np.testing.assert_allclose(d_z.ravel(), numerical, atol=1e-9)


@LOSSES
@DTYPES
def test_label_smoothing_keeps_the_dtype_is_exact_at_large_logits_and_does_not_write_to_its_arguments(loss_function, dtype):
    logits, y = np.array([[1e4, -1e4], [-1e4, 1e4]], dtype), np.array([[1, 0], [1, 0]], dtype)
    before = logits.copy(), y.copy()
    loss, d_logits = loss_function(logits, y, None, 0.5)
    # smoothed y is (0.75, 0.25): −log p is 0 and 2e4 for the softmax, 0 or 1e4 for each logistic unit
    assert loss == pytest.approx(1e4, rel=1e-6)
    assert d_logits.dtype == dtype
    np.testing.assert_allclose(d_logits, [[0.125, -0.125], [-0.375, 0.375]], rtol=1e-6)
    np.testing.assert_array_equal(logits, before[0])
    np.testing.assert_array_equal(y, before[1])


@LOSSES
@pytest.mark.parametrize("smoothing", [-0.1, 1.0, 2, np.nan])
def test_label_smoothing_outside_zero_to_one_is_refused(loss_function, smoothing):
    logits, y, _, _ = random_case(soft=True, weighted=False)
    with pytest.raises(ValueError, match=r"label_smoothing must be in \[0, 1\); got"):
        loss_function(logits, y, None, smoothing)


@LOSSES
def test_label_smoothing_of_zero_changes_nothing(loss_function):
    logits, y, _, _ = random_case(soft=True, weighted=False)
    assert loss_function(logits, y, None, 0.0)[0] == loss_function(logits, y)[0]
    np.testing.assert_array_equal(loss_function(logits, y, None, 0.0)[1], loss_function(logits, y)[1])


def test_logits_whose_difference_overflows_have_probabilities_0_and_1_without_a_warning():
    largest = np.finfo(np.float64).max
    np.testing.assert_array_equal(softmax([largest, -largest, 0.0]), [1, 0, 0])
