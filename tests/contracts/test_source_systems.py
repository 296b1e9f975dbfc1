"""The systems that introductory texts work through, with the numbers they print."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from sksoftmax.layout import Layout
from sksoftmax.loss import cross_entropy, softmax
from sksoftmax.nn.network import Architecture, network_from_arrays
from sksoftmax.nn.optimizers import SGD
from support.estimators import plain
from support.networks import form_of, forward, initialized

# Two inputs, three classes, no hidden layer: one step of gradient descent at rate 1


X, Y = np.array([[8.0, 7.0]]), np.array([[0.0, 0.0, 1.0]])
EQUAL_WEIGHTS = {
    "w": np.full((2, 3), 0.5),
    "b": np.ones(3),
    "new_w": [[-2.16666667, -2.16666667, 5.83333333], [-1.83333333, -1.83333333, 5.16666667]],
    "new_b": [0.66666667, 0.66666667, 1.66666667],
    "new_p": [3.09335001e-50, 3.09335001e-50, 1],
    "printed_losses": (1.9095425, 2.99760217e-15),
    "atol": 6e-9,  # half a unit in the last place printed
    "rtol": 1e-8,
}
RANDOM_WEIGHTS = {
    "w": np.array([[-0.03010464, -0.48454925, -0.19359648], [-0.48489008, -0.29742846, -0.09327472]]),
    "b": np.zeros(3),
    "new_w": [[-1.54217344, -0.63265234, 1.46657541], [-1.80795027, -0.42701866, 1.35937568]],
    "new_b": [-0.1890086, -0.01851289, 0.20752149],
    "new_p": [5.56493009e-21, 1.50529585e-13, 1],
    "printed_losses": (0.46077411, 3.02091685e-13),
    "atol": 1.5e-7,  # the weights to start from are rounded to 8 decimals too, which x = (8, 7) multiplies twice
    "rtol": 5e-6,
}
CASES = pytest.mark.parametrize("case", [EQUAL_WEIGHTS, RANDOM_WEIGHTS], ids=["equal", "random"])


def clipped(p):
    """The text keeps its probabilities away from 0 and 1 before it takes logarithms."""
    return np.clip(p, 1e-15, 1 - 1e-15)


def sum_of_binary_losses(p):
    """Σ −[y log ŷ + (1 − y) log(1 − ŷ)], the number that the text prints."""
    p = clipped(p)
    return -(Y * np.log(p) + (1 - Y) * np.log(1 - p)).sum()


def formula_loss(p):
    """J = −Σ y log ŷ, the formula that the text gives."""
    return -(Y * np.log(clipped(p))).sum()


def one_step_of_case(case):
    """Loss and probabilities before one step, and the network after it."""
    network = network_from_arrays(Architecture(Layout(2), (), 3, ()), [case["w"]], [case["b"]])
    network.allocate_gradient()
    logits, backprop = forward(network, X)
    loss, d_logits = cross_entropy(logits[0], Y)
    backprop(d_logits[None])
    SGD(network.parameters, momentum=0, nesterov=False).step(network.parameters, network.gradient, 1.0)
    return loss, softmax(logits[0]), network


@CASES
def test_one_step_of_gradient_descent_gives_the_printed_weights_and_probabilities(case):
    _, _, network = one_step_of_case(case)
    np.testing.assert_allclose(network.coefs[0], case["new_w"], rtol=0, atol=case["atol"])
    np.testing.assert_allclose(network.intercepts[0], case["new_b"], rtol=0, atol=case["atol"])
    np.testing.assert_allclose(softmax(forward(network, X)[0][0])[0], case["new_p"], rtol=case["rtol"])


@CASES
def test_the_printed_losses_are_sums_of_binary_losses_of_clipped_probabilities(case):
    _, p, network = one_step_of_case(case)
    before, after = case["printed_losses"]
    assert sum_of_binary_losses(p) == pytest.approx(before, rel=1e-7)
    assert sum_of_binary_losses(softmax(forward(network, X)[0][0])) == pytest.approx(after, rel=1e-3)  # 1 − ŷ has few digits left


@CASES
def test_the_formulas_loss_is_the_cross_entropy_and_not_the_printed_one(case):
    loss, p, _ = one_step_of_case(case)
    assert loss == pytest.approx(formula_loss(p), rel=1e-14)
    assert loss < 0.8 * case["printed_losses"][0]


# XOR


def xor_data(seed):
    """100 points at each corner of the unit square with noise 0.05, standardized and split 280/120."""
    rng = np.random.RandomState(seed)
    corners = np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], 100, axis=0)
    points = StandardScaler().fit_transform(corners + rng.normal(scale=0.05, size=corners.shape))
    return train_test_split(points, corners[:, 0] ^ corners[:, 1], test_size=120, random_state=rng)


def steps_to_all_right(clf, seed, most=2000):
    """Steps, counted in whole epochs, until all validation points are right; None if `most` are not enough."""
    X_train, X_val, y_train, y_val = xor_data(seed)
    steps_per_epoch = -(-len(X_train) // 16)
    for epoch in range(1, most // steps_per_epoch + 1):
        clf.partial_fit(X_train, y_train, classes=[0, 1])
        if clf.score(X_val, y_val) == 1:
            return epoch * steps_per_epoch
    return None


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("out_activation, rate, n_outputs", [("softmax", 1e-2, 2), ("auto", 5e-3, 1)])
def test_xor_is_learnt_by_a_2_4_4_network_with_either_head(out_activation, rate, n_outputs, seed):
    clf = plain(
        (4, 4),
        activation="leaky_relu",
        out_activation=out_activation,
        learning_rate_init=rate,
        batch_size=16,
        alpha=0,
        random_state=seed,
    )
    assert steps_to_all_right(clf, seed) is not None
    assert [W.shape for W in clf.coefs_] == [(2, 4), (4, 4), (4, n_outputs)]


def test_xor_is_not_learnt_without_a_hidden_layer():
    clf = plain((), learning_rate_init=1e-2, batch_size=16, alpha=0, random_state=0)
    assert steps_to_all_right(clf, seed=0, most=500) is None


# Softmax regression


def standardized(load):
    X, y = load(return_X_y=True)
    return StandardScaler().fit_transform(X), y


def test_softmax_regression_by_sgd_follows_the_two_gradient_cases_row_by_row():
    X, y = standardized(load_iris)
    X, y = X[::7], y[::7]
    sgd = {"solver": "sgd", "momentum": 0, "alpha": 0, "learning_rate_init": 0.1, "batch_size": 1, "shuffle": False}
    clf = plain((), random_state=0, **sgd)
    clf.partial_fit(X, y, classes=[0, 1, 2])

    start = initialized(form_of(4, (), 3))
    W, b = start.coefs[0], start.intercepts[0]
    for x, label in zip(X, y):
        p = softmax(x @ W + b)
        for j in range(3):
            W[:, j] -= 0.1 * (-x + p[j] * x if j == label else p[j] * x)
            b[j] -= 0.1 * (-1 + p[j] if j == label else p[j])
    np.testing.assert_allclose(clf.coefs_[0], W, rtol=1e-10)
    np.testing.assert_allclose(clf.intercepts_[0], b, rtol=1e-10)


def test_softmax_regression_by_sgd_comes_near_the_optimum():
    X, y = standardized(load_iris)
    sgd = plain((), solver="sgd", alpha=1, learning_rate_init=0.5, learning_rate="cosine", random_state=0)
    optimum = LogisticRegression(tol=1e-8).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(sgd.fit(X, y).predict_proba(X), optimum, atol=1e-2)


def test_two_softmax_units_share_the_weights_of_one_logistic_unit_and_half_its_penalty():
    X, y = standardized(load_breast_cancer)
    lbfgs = {"solver": "lbfgs", "tol": 1e-8, "max_iter": 5000, "random_state": 0}
    two = plain((), out_activation="softmax", alpha=2, **lbfgs).fit(X, y)
    one = plain((), alpha=1, **lbfgs).fit(X, y)
    np.testing.assert_allclose(two.predict_proba(X), one.predict_proba(X), atol=1e-4)
    np.testing.assert_allclose(two.coefs_[0][:, 0], -two.coefs_[0][:, 1], atol=1e-3)


def test_sample_weight_gives_the_weighted_optimum_of_logistic_regression():
    X, y = standardized(load_iris)
    weight = np.random.RandomState(0).randint(4, size=len(y))
    ours = plain((), solver="lbfgs", alpha=1, tol=1e-8, max_iter=5000, random_state=0).fit(X, y, weight)
    theirs = LogisticRegression(tol=1e-8, max_iter=5000).fit(X, y, weight)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-4)


# Iris with three layers of weights


def test_a_three_layer_network_learns_iris():
    X, y = standardized(load_iris)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, stratify=y, random_state=0)
    clf = plain((16, 16), learning_rate_init=0.01, learning_rate="cosine", max_iter=100, random_state=0)
    clf.fit(X_train, y_train)
    assert clf.n_layers_ == 4  # the input counts
    assert clf.score(X_test, y_test) >= 0.95
