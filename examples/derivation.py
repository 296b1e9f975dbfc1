"""From the definition of softmax to p − y
=======================================

Each part of this script computes an example whose numbers are known: from a text, by
hand, by finite differences, or from scikit-learn. It prints the known numbers and
those of this package, and asserts that they agree. If the script runs to the end,
all numbers agree.

Notation: x is the input, W are weights, b biases, z = x W + b logits, and
p = softmax(z); y is the target, and t is its label if it is one class.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.loss import cross_entropy, log_softmax, softmax, softmax_jacobian


def main():
    """Run all parts in order."""
    one_step_from_equal_weights()
    one_step_from_random_weights()
    two_gradient_cases()
    sgd_finds_the_logistic_regression()
    jacobian_route()
    naive_softmax_overflows()
    soft_labels()
    three_layers_on_iris()
    kronecker_delta()
    print("\nEverything agrees.")
    draw()


def plain(hidden_layer_sizes=(), **params):
    """One network as MLPClassifier has it, regularized by `alpha` alone."""
    return SoftmaxMLPClassifier.from_sklearn(
        MLPClassifier(hidden_layer_sizes, **params)
    )


def gradient_step(x, y, W, b):
    """One step at rate 1, written out: ∂E/∂W = xᵀ (p − y), ∂E/∂b = p − y."""
    _, d_logits = cross_entropy(x @ W + b, y)  # d_logits is p − y
    return W - x.T @ d_logits, b - d_logits.sum(axis=0)


def estimator_step(x, y, W, b):
    """The same step by the classifier, starting from the given weights."""
    classifier = plain(solver="sgd", momentum=0, learning_rate_init=1, alpha=0)
    classifier.partial_fit(x, y, classes=range(3))
    classifier.coefs_, classifier.intercepts_ = [W], [b]
    classifier.partial_fit(x, y)
    return classifier.coefs_[0], classifier.intercepts_[0]


def sum_over_units(y, p):
    """Σ −[y log p + (1 − y) log(1 − p)], with p clipped as in the text."""
    p = np.clip(p, 1e-15, 1 - 1e-15)
    return -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p))


def one_step_from_equal_weights():
    heading(
        "1a. One step of gradient descent from equal weights: x = (8, 7), "
        "class 2 of 0, 1, 2; rate 1"
    )
    x, y, onehot = np.array([[8.0, 7.0]]), np.array([2]), np.array([[0, 0, 1]])
    W, b = np.full((2, 3), 0.5), np.ones(3)
    p = softmax(x @ W + b)
    print(
        "The text's formula is J = −Σ y log p; the losses it prints are Σ −[y "
        "log p + (1 − y) log(1 − p)]:"
    )
    compare("formula, −Σ y log p = log 3", np.log(3), cross_entropy(x @ W + b, y)[0])
    compare_text("printed, yes/no per output", 1.9095425, sum_over_units(onehot, p))

    W_new, b_new = gradient_step(x, y, W, b)
    compare_text(
        "W",
        [
            [-2.16666667, -2.16666667, 5.83333333],
            [-1.83333333, -1.83333333, 5.16666667],
        ],
        W_new,
    )
    compare_text("b", [0.66666667, 0.66666667, 1.66666667], b_new)
    z = x @ W_new + b_new
    compare_text(
        "p after the step", [[3.09335001e-50, 3.09335001e-50, 1]], softmax(z)
    )
    compare_text(
        "printed loss after the step",
        2.99760217e-15,
        sum_over_units(onehot, softmax(z)),
    )
    print(
        "  That is three times −log(1 − 1e−15): the clipping alone. The "
        "formula gives 2 exp(−114), which rounds to 0 beside 1:"
    )
    compare(
        "−log p = log(1 + 2 exp(−114))",
        np.log1p(2 * np.exp(-114)),
        cross_entropy(z, y)[0],
        atol=1e-16,
    )
    compare("W by the classifier", W_new, estimator_step(x, y, W, b)[0])


def one_step_from_random_weights():
    heading("1b. The same from random weights")
    x, y, onehot = np.array([[8.0, 7.0]]), np.array([2]), np.array([[0, 0, 1]])
    W = np.array(
        [
            [-0.03010464, -0.48454925, -0.19359648],
            [-0.48489008, -0.29742846, -0.09327472],
        ]
    )
    b = np.zeros(3)
    compare_text(
        "printed loss", 0.46077411, sum_over_units(onehot, softmax(x @ W + b))
    )
    print(f"  the formula's loss, −Σ y log p{cross_entropy(x @ W + b, y)[0]:>17.8f}")

    W_new, b_new = gradient_step(x, y, W, b)
    compare_text(
        "W",
        [
            [-1.54217344, -0.63265234, 1.46657541],
            [-1.80795027, -0.42701866, 1.35937568],
        ],
        W_new,
    )
    compare_text("b", [-0.1890086, -0.01851289, 0.20752149], b_new)
    print(
        "  The starting weights are printed to 8 digits, which leaves 5 or 6 "
        "in exp of a logit difference of −47:"
    )
    p = softmax(x @ W_new + b_new)
    compare_text(
        "p after the step", [[5.56493009e-21, 1.50529585e-13, 1]], p, rtol=1e-5
    )
    compare_text(
        "printed loss after the step",
        3.02091685e-13,
        sum_over_units(onehot, p),
        rtol=1e-5,
    )
    compare("W by the classifier", W_new, estimator_step(x, y, W, b)[0])


def two_gradient_cases():
    heading(
        "2a. The two cases of the gradient of −log pₜ: at class j, −x + pⱼ x "
        "where j = t, pⱼ x where j ≠ t"
    )
    rng = np.random.default_rng(0)
    x, W, b, t = (
        rng.normal(size=(1, 4)),
        rng.normal(size=(4, 3)),
        rng.normal(size=3),
        1,
    )
    p = softmax(x @ W + b)[0]
    _, d_logits = cross_entropy(x @ W + b, np.array([t]))
    d_W, d_b = x.T @ d_logits, d_logits.sum(axis=0)
    for j in range(3):
        case = f"j = {j} " + ("= t" if j == t else "≠ t")
        compare(
            f"{case}, weights",
            -x[0] + p[j] * x[0] if j == t else p[j] * x[0],
            d_W[:, j],
        )
        compare(f"{case}, bias", -1 + p[j] if j == t else p[j], d_b[j])
    by_differences = numerical_gradient(
        lambda W: -log_softmax(x @ W.reshape(4, 3) + b)[0, t], W.ravel()
    )
    compare(
        "weights, by differences",
        by_differences.reshape(4, 3)[:2],
        d_W[:2],
        rtol=1e-7,
    )


def sgd_finds_the_logistic_regression():
    heading(
        "2b. No hidden layer is softmax regression: SGD finds "
        "LogisticRegression's optimum (iris, probabilities)"
    )
    X, y = load_iris(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    theirs = (
        LogisticRegression(C=1, tol=1e-8, max_iter=1000).fit(X, y).predict_proba(X)
    )
    # LogisticRegression minimizes Σ E + ½ Σ W² / C over the rows, a minibatch of m
    # rows (Σ E + ½ alpha Σ W²) / m.
    batch_size = 30
    sgd = plain(
        solver="sgd",
        batch_size=batch_size,
        alpha=batch_size / len(X),
        learning_rate_init=0.05,
        max_iter=2000,
        random_state=0,
    )
    lbfgs = plain(solver="lbfgs", alpha=1, tol=1e-7, max_iter=1000, random_state=0)
    for network in (sgd.set_params(learning_rate="cosine"), lbfgs):
        ours = network.fit(X, y).predict_proba(X)
        compare(
            f"flowers 0, 50, 100; {network.solver}",
            theirs[::50],
            ours[::50],
            rtol=0,
            atol=1e-4,
        )
        distance = np.abs(ours - theirs).max()
        print(f"  largest difference over all 150 flowers: {distance:.0e}")
        assert distance < 1e-4


def jacobian_route():
    heading(
        "3a. D(xent ∘ softmax ∘ dense) from full Jacobians equals the "
        "condensed gradient"
    )
    n_inputs, n_classes = 5, 4  # N and T
    rng = np.random.default_rng(1)
    # z = W x
    W, x, y = (
        rng.normal(size=(n_classes, n_inputs)),
        rng.normal(size=n_inputs),
        np.array([0, 0, 1, 0]),
    )
    z = W @ x
    d_xent = -(y / softmax(z))[None, :]  # ∂E/∂pᵢ = −yᵢ / pᵢ
    d_softmax = softmax_jacobian(z)  # ∂pᵢ/∂zⱼ = pᵢ (δᵢⱼ − pⱼ)
    d_dense = np.kron(np.eye(n_classes), x)  # ∂zᵢ/∂Wᵢⱼ = xⱼ, with W row after row
    print(f"  T = {n_classes} classes, N = {n_inputs} inputs")
    for name, jacobian, shape in [
        ("D xent", d_xent, (1, n_classes)),
        ("D softmax", d_softmax, (n_classes, n_classes)),
        ("D dense", d_dense, (n_classes, n_classes * n_inputs)),
    ]:
        print(f"  {name:10} {shape[0]} × {shape[1]}")
        assert jacobian.shape == shape
    _, d_logits = cross_entropy(z[None, :], np.array([2]))
    compare("D xent · D softmax = p − y", d_xent @ d_softmax, d_logits)
    compare(
        "(p − y) xᵀ = all three multiplied",
        (d_xent @ d_softmax @ d_dense).reshape(W.shape),
        np.outer(d_logits, x),
    )


def naive_softmax_overflows():
    heading(
        "3b. The softmax as it is defined overflows; with the row maximum "
        "subtracted it does not"
    )

    def naive(z):
        with np.errstate(over="ignore", invalid="ignore"):
            return np.exp(z) / np.exp(z).sum()

    small, large = np.array([1.0, 2.0, 3.0]), np.array([1000.0, 2000.0, 3000.0])
    compare_text(
        "softmax(1, 2, 3)", [0.09003057, 0.24472847, 0.66524096], softmax(small)
    )
    compare("naive, the same", naive(small), softmax(small))
    print(
        f"  softmax(1000, 2000, 3000): naive {naive(large)}, ours {softmax(large)}"
    )
    assert np.isnan(naive(large)).all()
    assert np.array_equal(softmax(large), [0, 0, 1])
    compare("log_softmax(1000, 2000, 3000)", [-2000, -1000, 0], log_softmax(large))


def soft_labels():
    heading('3c. Soft labels: y may be "an entire distribution over outcomes"')
    z, y = np.array([[2.0, 1.0, -1.0]]), np.array([[0.6, 0.3, 0.1]])
    compare("gradient p − y", softmax(z) - y, cross_entropy(z, y)[1])
    loss, gradient = cross_entropy(np.log(y), y)
    compare("at p = y the loss is y's entropy", -np.sum(y * np.log(y)), loss)
    compare("and the gradient is 0", np.zeros((1, 3)), gradient, atol=1e-15)

    X, labels = load_iris(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    teacher = LogisticRegression().fit(X, labels).predict_proba(X)
    student = plain(
        solver="lbfgs", alpha=0, tol=1e-7, max_iter=1000, random_state=0
    ).fit(X, teacher)
    print(
        "  A network that learns from another model's probabilities (iris, "
        "flowers 50, 70, 90):"
    )
    compare(
        "teacher, student",
        teacher[50:91:20],
        student.predict_proba(X)[50:91:20],
        rtol=0,
        atol=1e-3,
    )


def three_layers_on_iris():
    heading("3d. Three layers, three classes: 4-10-10-3 on iris")
    X_train, X_test, y_train, y_test = train_test_split(
        *load_iris(return_X_y=True), stratify=load_iris().target, random_state=0
    )
    network = plain(
        (10, 10),
        activation="tanh",
        solver="lbfgs",
        alpha=0.1,
        max_iter=1000,
        random_state=0,
    )
    model = make_pipeline(StandardScaler(), network).fit(X_train, y_train)
    print("  weights", *(W.shape for W in network.coefs_))
    print(
        f"  loss {network.loss_curve_[0]:.4f} → {network.loss_:.4f} in "
        f"{network.n_iter_} iterations"
    )
    print(
        f"  accuracy: training {model.score(X_train, y_train):.3f}, test "
        f"{model.score(X_test, y_test):.3f}"
    )
    assert model.score(X_test, y_test) > 0.9


def kronecker_delta():
    heading(
        "4. The derivation, step by step, for a y that is any numbers with Σ y = 1"
    )
    rng = np.random.default_rng(2)
    z = rng.normal(size=5)
    p, delta = softmax(z), np.eye(5)
    y = rng.normal(size=5)
    y += (1 - y.sum()) / 5
    print(f"  y = {y.round(4)}, Σ y = {y.sum():.4f}\n")

    def loss(z, y=y):
        return -np.sum(y * log_softmax(z))

    d_p = -y / p
    jacobian = p[:, None] * (delta - p)
    print("  pᵢ = exp(zᵢ) / Σₖ exp(zₖ), so ∂pᵢ/∂zⱼ = pᵢ (δᵢⱼ − pⱼ):")
    by_differences = numerical_gradient(softmax, z).T
    compare("row 0, by differences", by_differences[0], jacobian[0], rtol=1e-6)
    np.testing.assert_allclose(jacobian, by_differences, rtol=1e-6)
    compare("row 0, by softmax_jacobian", softmax_jacobian(z)[0], jacobian[0])
    print(
        "  E = −Σᵢ yᵢ log pᵢ, so ∂E/∂pᵢ = −yᵢ / pᵢ, and ∂E/∂zⱼ = Σᵢ (−yᵢ / "
        "pᵢ) pᵢ (δᵢⱼ − pⱼ):"
    )
    compare("by differences", numerical_gradient(loss, z), d_p @ jacobian, rtol=1e-6)
    print("  the pᵢ cancel: −Σᵢ yᵢ δᵢⱼ + pⱼ Σᵢ yᵢ = −yⱼ + pⱼ Σᵢ yᵢ:")
    compare("canceled", d_p @ jacobian, -y + p * y.sum())
    print("  and Σᵢ yᵢ = 1 leaves pⱼ − yⱼ:")
    compare("p − y", d_p @ jacobian, cross_entropy(z[None, :], y[None, :])[1][0])
    print(
        "  Only the sum was used, but it was used: for 2 y, whose sum is 2, "
        "the gradient is 2 (p − y), not p − 2 y:"
    )
    compare(
        "2 (p − y), by differences",
        numerical_gradient(lambda z: loss(z, 2 * y), z),
        2 * (p - y),
        rtol=1e-6,
    )


def draw():
    """Draw p − y and the loss over the steps on the first example."""
    x, y = np.array([[8.0, 7.0]]), np.array([2])
    W, b = np.random.default_rng(0).normal(0, 0.1, (2, 3)), np.zeros(3)
    d_logits, losses = [], []
    for _ in range(12):
        loss, d = cross_entropy(x @ W + b, y)
        losses.append(loss)
        d_logits.append(d[0])
        W, b = W - 0.003 * x.T @ d, b - 0.003 * d.sum(axis=0)
    _, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for k, values in enumerate(np.transpose(d_logits)):
        left.plot(
            values,
            marker="o",
            label=f"class {k}" + (", the target" if k == 2 else ""),
        )
    left.axhline(0, color="gray", linewidth=1)
    left.set(
        xlabel="step",
        ylabel="p − y",
        title="The gradient at the logits: negative for the target only",
    )
    left.legend()
    right.plot(losses, marker="o", color="black")
    right.set(xlabel="step", ylabel="−log p of the target", title="The loss")
    plt.show()


def heading(text):
    print(f"\n{text}\n")


def compare_text(what, printed, ours, rtol=1e-6):
    """Like `compare`, for numbers printed in a text."""
    compare(what, printed, ours, rtol, source="text")


def compare(what, known, ours, rtol=1e-6, atol=0.0, source="known"):
    """Print known numbers and those of this package; assert that they agree."""
    np.testing.assert_allclose(ours, known, rtol=rtol, atol=atol, err_msg=what)
    for known_row, our_row in zip(np.atleast_2d(known), np.atleast_2d(ours)):
        print(f"  {what:34} {source:5} {numbers(known_row)}")
        print(f"  {'':34} {'ours':5} {numbers(our_row)}")
        what = ""


def numbers(row):
    return "  ".join(f"{value:15.9g}" for value in row)


def numerical_gradient(function, x, step=1e-5):
    """(f(x + h) − f(x − h)) / 2h along each axis of x, the result's first axis."""
    return np.array(
        [
            (function(x + h) - function(x - h)) / (2 * step)
            for h in step * np.eye(len(x))
        ]
    )


if __name__ == "__main__":
    main()
