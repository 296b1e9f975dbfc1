"""Gradients and optima against independent computations: complex steps through a plain forward pass, and other solvers.

The derivative of a function that NumPy evaluates on complex numbers is Im f(x + ih) / h, exact to rounding for h = 1e-30, as
nothing is subtracted (Squire & Trapp, 1998). The forward pass here shares no line with the library's.
"""

from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import minimize
from scipy.special import erf
from sklearn.linear_model import LogisticRegression

from sksoftmax.data.heads import BinaryHead, MultilabelHead, SoftmaxHead
from sksoftmax.data.rows import Samples
from sksoftmax.engines.numpy_engine import NumpyEngine
from sksoftmax.nn.layers import ACTIVATIONS
from sksoftmax.nn.network import Network
from sksoftmax.training.callbacks import NoTasks
from sksoftmax.training.lbfgs import loss_and_gradient
from sksoftmax.training.progress import Report
from sksoftmax.training.run import Run
from support.estimators import plain
from support.networks import fitted_model, form_of, model_of

STEP = 1e-30
FORMULAS = {  # from the papers, for complex numbers; z.real decides between branches
    "identity": lambda z: z,
    "relu": lambda z: np.where(z.real > 0, z, 0),
    "leaky_relu": lambda z: np.where(z.real > 0, z, 0.1 * z),
    "elu": lambda z: np.where(z.real > 0, z, np.exp(z) - 1),
    "selu": lambda z: 1.0507009873554805 * np.where(z.real > 0, z, 1.6732632423543772 * (np.exp(z) - 1)),
    "tanh": np.tanh,
    "logistic": lambda z: 1 / (1 + np.exp(-z)),
    "softplus": lambda z: np.log(1 + np.exp(z)),
    "silu": lambda z: z / (1 + np.exp(-z)),
    "gelu": lambda z: z * (1 + erf(z / np.sqrt(2))) / 2,
    "mish": lambda z: z * np.tanh(np.log(1 + np.exp(z))),
}
SMOOTH = sorted(set(FORMULAS) - {"identity", "relu", "leaky_relu", "selu"})  # selu's slope jumps at 0
KINDS = ["labels", "soft", "binary", "multilabel"]


def problem(kind, seed, n_rows=12, n_inputs=3):
    """X, targets, a head, and the targets as the textbook writes them: a probability for each output."""
    rng = np.random.RandomState(seed)
    X = rng.normal(size=(n_rows, n_inputs))
    if kind == "labels":
        labels = rng.randint(3, size=n_rows)
        return X, labels, SoftmaxHead(np.arange(3)), np.eye(3)[labels]
    if kind == "soft":
        rows = rng.dirichlet(np.ones(3), n_rows)
        return X, rows, SoftmaxHead(np.arange(3)), rows
    n_outputs = 1 if kind == "binary" else 2
    targets = rng.randint(2, size=(n_rows, n_outputs)).astype(float)
    return X, targets, (BinaryHead if kind == "binary" else MultilabelHead)(np.arange(2)), targets


def smoothed(y, weights, smoothing, n_classes):
    """Targets moved towards 99 % of their mean and 1 % of equal frequencies."""
    return (1 - smoothing) * y + smoothing * towards(y, weights, n_classes)


def towards(y, weights, n_classes):
    """What label smoothing moves these targets towards."""
    return 0.99 * np.average(y, axis=0, weights=weights) + 0.01 / n_classes


def textbook_loss(layers, X, y, weights, activations, softmax, smoothing, alpha):
    """The penalized mean loss of a network given as [(W, b), …], which may be complex."""
    H = X
    for (W, b), name in zip(layers, [*activations, None], strict=True):
        H = H @ W + b
        H = H if name is None else FORMULAS[name](H)
    y = smoothed(y, weights, smoothing, y.shape[1] if softmax else 2)
    if softmax:
        losses = np.log(np.exp(H).sum(axis=1)) - (y * H).sum(axis=1)
    else:
        losses = -(y * np.log(1 / (1 + np.exp(-H))) + (1 - y) * np.log(1 / (1 + np.exp(H)))).sum(axis=1)
    penalty = 0.5 * alpha * sum((W * W).sum() for W, _ in layers)
    return (losses @ weights + penalty) / weights.sum()


def complex_step_gradients(layers, loss):
    """∂loss/∂W and ∂loss/∂b of each layer, one complex step for each number."""
    layers = [(W.astype(complex), b.astype(complex)) for W, b in layers]
    gradients = []
    for pair in layers:
        for array in pair:
            gradient = np.empty(array.shape)
            for index in np.ndindex(array.shape):
                array[index] += 1j * STEP
                gradient[index] = loss(layers).imag / STEP
                array[index] = array[index].real
            gradients.append(gradient)
    return gradients


class GradientRecorder:
    """An optimizer that takes no step and keeps the gradient."""

    def step(self, parameters, gradient, rate):
        self.gradient = gradient.copy()


def network_for(head, hidden, activation, n_members=1, seed=0):
    network = Network.zeros(form_of(3, hidden, head.n_outputs, activation, n_members=n_members), np.float64)
    network.parameters[...] = np.random.RandomState(seed).normal(scale=0.7, size=network.parameters.shape)
    return network


def run_on(network, head, X, targets, y, weights, smoothing=0.0, alpha=0.0):
    """A `Run` of this network on these rows, as fit would make it; y are the targets as the textbook writes them."""
    recipe = SimpleNamespace(label_smoothing=smoothing, alpha=alpha, clip_norm=None)
    network.allocate_gradient()
    samples, prior = Samples(X, targets, weights), towards(y, weights, y.shape[1] if isinstance(head, SoftmaxHead) else 2)
    return Run(model_of(network, head), samples, None, None, recipe, NoTasks(), None, Report(0), smoothing_prior=prior)


def assert_complex_steps_agree(kind, activation, hidden, smoothing, alpha, weighted, n_members=1):
    """The gradient of a training step on all rows, in every member, has a relative error of 1e-12 at most."""
    X, targets, head, y = problem(kind, seed=len(str(activation)))
    weights = np.linspace(0.2, 2, len(X)) if weighted else None
    network = network_for(head, hidden, activation, n_members)
    run, optimizer = run_on(network, head, X, targets, y, weights, smoothing, alpha), GradientRecorder()
    batch = np.tile(np.arange(len(X)), (n_members, 1))
    engine = NumpyEngine(run, SimpleNamespace(optimizer=optimizer, average=None), None, None)
    [loss] = engine.train([([batch], [0.0])])

    theirs = partial(
        textbook_loss, X=X, y=y, weights=np.ones(len(X)) if weights is None else weights, softmax=isinstance(head, SoftmaxHead)
    )
    theirs = partial(theirs, activations=network.architecture.activations, smoothing=smoothing, alpha=alpha)
    found = network.architecture.split(optimizer.gradient)
    losses = []
    for member in range(n_members):
        layers = [(W[member, :-1], W[member, -1]) for W in network.W]
        expected = complex_step_gradients(layers, theirs)
        expected = np.concatenate([gradient.ravel() for gradient in expected])
        ours = np.concatenate([gradient[member].ravel() for gradient in found])
        assert np.linalg.norm(ours - expected) <= 1e-12 * np.linalg.norm(expected)
        losses.append(theirs(layers))
    assert loss == pytest.approx(np.mean(losses), rel=1e-13)


def test_there_is_a_formula_for_every_activation():
    assert set(FORMULAS) == set(ACTIVATIONS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("activation", sorted(FORMULAS))
def test_the_gradient_of_a_training_step_equals_complex_steps(activation, kind):
    assert_complex_steps_agree(kind, activation, (4, 3), smoothing=0.1, alpha=0.5, weighted=True)


@pytest.mark.parametrize(("smoothing", "alpha", "weighted"), [(0, 0, False), (0.3, 0, False), (0, 2.0, False), (0, 0, True)])
@pytest.mark.parametrize("kind", KINDS)
def test_each_term_of_the_loss_has_the_gradient_of_complex_steps(kind, smoothing, alpha, weighted):
    assert_complex_steps_agree(kind, "tanh", (4,), smoothing, alpha, weighted)


@pytest.mark.parametrize("hidden", [(), (6,), (3, 2, 4, 2)])
def test_the_gradient_equals_complex_steps_at_any_depth(hidden):
    assert_complex_steps_agree("labels", "silu", hidden, smoothing=0.05, alpha=0.1, weighted=True)


def test_the_gradient_of_listed_activations_equals_complex_steps():
    assert_complex_steps_agree("labels", ("gelu", "softplus", "tanh"), (3, 4, 2), smoothing=0.05, alpha=0.1, weighted=True)


@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_gradient_of_each_member_is_that_of_complex_steps_through_it_alone(kind, weighted):
    assert_complex_steps_agree(kind, "mish", (4, 3), smoothing=0.05, alpha=0.4, weighted=weighted, n_members=4)


EXACT = {"solver": "lbfgs", "tol": 1e-9, "max_iter": 20_000, "max_fun": 100_000, "random_state": 0}


def blobs(n_classes, seed, n_rows=80, n_inputs=4):
    """Rows, labels and weights of classes that overlap, so that an optimum exists."""
    rng = np.random.RandomState(seed)
    y = np.arange(n_rows) % n_classes
    X = rng.normal(size=(n_rows, n_inputs)) + rng.normal(size=(n_classes, n_inputs))[y]
    return X, y, rng.randint(1, 4, n_rows).astype(float) if seed % 2 else None


def rows_of_smoothed_targets(X, y, weights, n_classes, smoothing):
    """Rows for a solver that takes no soft labels: each row once for each class, weighted by its smoothed target."""
    weights = np.ones(len(X)) if weights is None else weights
    targets = smoothed(np.eye(n_classes)[y], weights, smoothing, n_classes)
    return np.repeat(X, n_classes, axis=0), np.tile(np.arange(n_classes), len(X)), (targets * weights[:, None]).ravel()


@pytest.mark.parametrize("smoothing", [0, 0.1])
@pytest.mark.parametrize(("n_classes", "alpha", "seed"), [(2, 0.1, 0), (2, 1.0, 1), (3, 0.1, 2), (3, 1.0, 3), (5, 1.0, 5)])
def test_without_a_hidden_layer_lbfgs_finds_the_optimum_of_newtons_method(n_classes, alpha, seed, smoothing):
    X, y, weights = blobs(n_classes, seed)
    ours = plain((), alpha=alpha, label_smoothing=smoothing, **EXACT).fit(X, y, weights)
    newton = LogisticRegression(C=1 / alpha, solver="newton-cg", tol=1e-12, max_iter=1000)
    newton.fit(*rows_of_smoothed_targets(X, y, weights, n_classes, smoothing))
    assert_allclose(ours.predict_proba(X), newton.predict_proba(X), rtol=0, atol=1e-6)
    targets = y[:, None] if n_classes == 2 else np.eye(n_classes)[y]
    weights = np.ones(len(X)) if weights is None else weights
    layers = [(newton.coef_.T, newton.intercept_)]
    assert ours.loss_ == pytest.approx(textbook_loss(layers, X, targets, weights, (), n_classes > 2, smoothing, alpha), rel=1e-9)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("activation", SMOOTH)
def test_with_hidden_layers_a_trust_region_method_returns_to_the_optimum_that_lbfgs_found(activation, n_classes):
    """Pushed away from it, with our gradient and a Hessian of its differences."""
    X, y, weights = blobs(n_classes, seed=len(activation))
    ours = plain((3,), activation, alpha=1.0, label_smoothing=0.05, **EXACT).fit(X, y, weights)
    model = fitted_model(ours)
    network, head = model.network.copy(), model.head
    targets = y[:, None].astype(float) if n_classes == 2 else np.eye(n_classes)[y]
    run = run_on(network, head, X, head.from_codes(y, float), targets, weights, 0.05, 1.0)
    objective = partial(loss_and_gradient, run=run, engine=NumpyEngine(run, None, None, None))

    def hessian(x, h=1e-5):
        columns = [objective(x + step)[1] - objective(x - step)[1] for step in h * np.eye(len(x))]
        return (np.array(columns) + np.transpose(columns)) / (4 * h)

    optimum = model.network.parameters
    start = optimum + 0.02 * np.random.RandomState(0).normal(size=optimum.shape)
    options = {"gtol": 1e-8, "maxiter": 500}
    other = minimize(objective, start, jac=True, hess=hessian, method="trust-exact", options=options)
    assert np.abs(objective(start)[1]).max() > 1e-3
    assert ours.loss_ == pytest.approx(other.fun, rel=1e-6, abs=1e-6)
    network.parameters[...] = other.x
    assert_allclose(ours.predict_proba(X), head.probabilities(replace(model, network=network).logits(X)), rtol=0, atol=1e-6)
