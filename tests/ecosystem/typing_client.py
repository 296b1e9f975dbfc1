"""Not run but type-checked, as a user's own strict code: what has a type, and what a type checker must refuse.

Where a line must be refused, an ignored error says so: strict mode reports an ignore that is not needed.
"""

from typing import Any, Literal, assert_type

import numpy as np
from numpy.typing import NDArray

from sksoftmax import LossCurveDisplay, MembersDisplay, RelevanceDisplay, SoftmaxMLPClassifier
from sksoftmax.loss import binary_cross_entropy, cross_entropy, log_sigmoid, log_softmax, sigmoid, softmax, softmax_jacobian
from sksoftmax.onnx import to_onnx

Floats = NDArray[np.floating[Any]]


def what_users_write(X: NDArray[np.float32], y: NDArray[np.int64]) -> None:
    clf = SoftmaxMLPClassifier((64, 32), "silu", solver="sgd", learning_rate="one_cycle", batch_size=32, n_iter_no_change=np.inf)
    assert_type(clf.fit(X, y), SoftmaxMLPClassifier)
    assert_type(clf.fit(X.tolist(), ["a", "b"], [1.0, 2.0], X_val=X, y_val=y), SoftmaxMLPClassifier)
    assert_type(clf.partial_fit(X, y, classes=[0, 1]), SoftmaxMLPClassifier)
    assert_type(clf.predict(X), NDArray[Any])
    assert_type(clf.predict_proba(X), Floats)
    assert_type(clf.predict_log_proba(X), Floats)
    assert_type(clf.decision_function(X), Floats)
    assert_type(SoftmaxMLPClassifier.from_sklearn(clf.to_sklearn()), SoftmaxMLPClassifier)
    to_onnx(clf, X[:1], target_opset=20).SerializeToString()
    accuracy: float = clf.score(X, y)
    print(f"{accuracy:.2f}")


def what_was_learned(clf: SoftmaxMLPClassifier) -> None:
    assert_type(clf.coefs_, list[Floats])
    assert_type(clf.loss_curve_, list[float])
    assert_type(clf.validation_scores_, list[float] | None)
    assert_type(clf.validation_loss_curve_, list[float] | None)
    assert_type(clf.best_iter_, int | None)
    assert_type(clf.n_iter_, int)
    assert_type(clf.out_activation_, Literal["softmax", "logistic"])


def bars(clf: SoftmaxMLPClassifier) -> None:
    assert_type(RelevanceDisplay.from_estimator(clf, max_features=None, color="red"), RelevanceDisplay)
    assert_type(MembersDisplay([1.0], [1.0], [0.5], roles=["a"]).plot(), MembersDisplay)
    assert_type(clf.member_roles_, list[str])


def layers_of_any_kind(sizes: list[int], array: NDArray[np.int64]) -> list[SoftmaxMLPClassifier]:
    different = SoftmaxMLPClassifier("64-32", ["silu", "tanh"], dropout=(0.2, 0.1))
    return [
        SoftmaxMLPClassifier(sizes),
        SoftmaxMLPClassifier(array),
        SoftmaxMLPClassifier(10),
        SoftmaxMLPClassifier(()),
        different,
    ]


def at_half_the_rate(progress: float) -> float:
    return 0.5


def balanced_accuracy(clf: SoftmaxMLPClassifier, X: NDArray[np.float64], y: NDArray[np.int64]) -> float:
    return 0.5


def options_that_the_original_lacks() -> None:
    SoftmaxMLPClassifier(learning_rate=at_half_the_rate, warmup=0.1, ema_decay=0.99, clip_norm=1, label_smoothing=0.1, dropout=0)
    SoftmaxMLPClassifier(early_stopping="auto", scoring="loss", restore_best=False, class_weight="balanced", dtype="float32")
    SoftmaxMLPClassifier(early_stopping=True, scoring=balanced_accuracy, class_weight={"spam": 2, "ham": 0.5}, clip_norm=None)
    SoftmaxMLPClassifier(class_weight=[{0: 1, 1: 2.5}, {1: 3}], scaling="robust", categorical_features="from_dtype")
    SoftmaxMLPClassifier(scaling=None, categorical_features=["color", "size"]).fit([["red", "S", 1.5]], ["a"])
    SoftmaxMLPClassifier(categorical_features=[True, False]).fit([["red", 1.5], ["blue", np.nan]], ["a", "b"])


def the_mathematics(logits: NDArray[np.float64]) -> None:
    for function in (softmax, log_softmax, softmax_jacobian, sigmoid, log_sigmoid):
        assert_type(function(logits), Floats)
    assert_type(cross_entropy(logits, [0, 1]), tuple[float, Floats])
    assert_type(binary_cross_entropy(logits, logits, sample_weight=[1.0, 1.0]), tuple[float, Floats])


def pictures(clf: SoftmaxMLPClassifier) -> None:
    display = assert_type(LossCurveDisplay.from_estimator(clf, name="small", linewidth=2), LossCurveDisplay)
    display.plot(ax=display.ax_, name="again").ax_.set_yscale("log")
    display.line_.set_color("red")
    LossCurveDisplay(loss_curve=clf.loss_curve_, best_iter=1)


def what_is_refused(clf: SoftmaxMLPClassifier, X: NDArray[np.float64]) -> None:
    SoftmaxMLPClassifier(activation="rleu")  # type: ignore[arg-type]
    SoftmaxMLPClassifier(solver="rmsprop")  # type: ignore[arg-type]
    SoftmaxMLPClassifier(activation=["relu", "rleu"])  # type: ignore[list-item]
    SoftmaxMLPClassifier(learning_rate=0.1)  # type: ignore[arg-type]
    SoftmaxMLPClassifier(learning_rate=len)  # type: ignore[arg-type]
    SoftmaxMLPClassifier(batch_size="all")  # type: ignore[arg-type]
    SoftmaxMLPClassifier(early_stopping="always")  # type: ignore[arg-type]
    SoftmaxMLPClassifier(class_weight="balance")  # type: ignore[arg-type]
    SoftmaxMLPClassifier(dropout="0.1")  # type: ignore[arg-type]
    SoftmaxMLPClassifier(scaling="minmax")  # type: ignore[arg-type]
    SoftmaxMLPClassifier(dtype="float16")  # type: ignore[arg-type]
    SoftmaxMLPClassifier((10,), "relu", "adam")  # type: ignore[call-arg]
    SoftmaxMLPClassifier(hiden_layer_sizes=(10,))  # type: ignore[call-arg]
    clf.fit(X)  # type: ignore[call-arg]
    clf.partial_fit(X)  # type: ignore[call-arg]
    clf.predict_proba(X).add(1)  # type: ignore[attr-defined]
    cross_entropy(X)  # type: ignore[call-arg]
    to_onnx()  # type: ignore[call-arg]
    LossCurveDisplay(loss_curve="loss_curve_")  # type: ignore[arg-type]
    LossCurveDisplay(loss_curve=[[1.0, 0.5], [0.9]])  # type: ignore[list-item]
