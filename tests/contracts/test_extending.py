"""The recipes of CONTRIBUTING, executed: toy parts are added to a copy of the package, in the files that they name, and train.

Nothing else in the copy changes. So a part that needs an edit elsewhere makes its test fail.
"""

import os
import shutil
import subprocess
import sys

import pytest

from support.repository import ROOT

ACTIVATION = {
    "nn/layers.py": '''


def softsign(Z):
    """H = Z / (1 + |Z|); H' = (1 − |H|)²."""
    H = np.divide(Z, 1 + np.abs(Z), out=Z)
    return H, lambda d_H: np.multiply(d_H, (1 - np.abs(H)) ** 2, out=d_H)


ACTIVATIONS["softsign"] = softsign
''',
}
ACTIVATION_IN_ONNX = {
    "onnx/network.py": '''


def softsign(graph, Z):
    """H = Z / (1 + |Z|)."""
    return graph.node("Div", Z, graph.node("Add", graph.node("Abs", Z), 1.0))


ACTIVATIONS["softsign"] = softsign
''',
}
HEAD = {
    "data/heads.py": '''


class FlatHead(SoftmaxHead):
    """A softmax whose loss is a tenth of the cross-entropy."""

    out_activation = "flat"

    @staticmethod
    def loss(logits, targets, weights=None, smoothing=0.0, prior=None):
        """The loss and its gradient at the logits."""
        value, d_logits = softmax_loss(logits, targets, weights, smoothing, prior)
        return 0.1 * value, 0.1 * d_logits


OUT_ACTIVATIONS["flat"] = FlatHead
''',
}
OPTIMIZER = {
    "nn/optimizers.py": '''


class SignDescent(Optimizer):
    """Steps of equal size along the sign of the gradient's running mean."""

    state = ("m",)
    options: ClassVar = {"beta": "beta_1"}

    def __init__(self, parameters, learning_rate=1e-3, beta=0.9, weight_decay=(), relative_rates=None):
        self.relative_rates, self.weight_decay, self.beta = relative_rates, weight_decay, beta
        self.learning_rate = self.learning_rate_init = learning_rate
        self.m = np.zeros_like(parameters)

    def step(self, w, g, rate):
        """Move w against the sign of m, overwriting both."""
        decay(w, rate, self.weight_decay)
        self.m *= self.beta
        self.m += g
        direction = np.sign(self.m, out=g)
        scale(direction, rate, self.relative_rates)
        w -= direction


OPTIMIZERS["sign"] = SignDescent
''',
}
BLOCK = {
    "data/blocks.py": '''


class Squares(Block):
    """The squares of the scaled numbers."""

    def __init__(self, columns):
        self.source = columns

    def write(self, X, Z, out):
        """Write Z²."""
        np.square(Z, out=out)

    def names(self, names, n_units=None):
        """As 'age_squared'."""
        return [f"{names[column]}_squared" for column in self.source]
''',
    "saving.py": """


TRUSTED_TYPES.append("sksoftmax.data.blocks.Squares")
""",
}
IN_PREPROCESSOR = ("blocks = [numbers]", "blocks = [numbers, Squares(columns)]")  # one line of `fit_preprocessor`
BLOCK_IN_ONNX = {
    "onnx/columns.py": '''


def squares(columns, block):
    """Z²."""
    return columns.graph.node("Mul", columns.Z, columns.Z)


from sksoftmax.data.blocks import Squares

BLOCKS[Squares] = squares
''',
}
TRAIN = """
import pickle
import sys
import warnings

import numpy as np
from sklearn.datasets import load_iris

import sksoftmax
from sksoftmax import TRUSTED_TYPES, SoftmaxMLPClassifier

X, y = load_iris(return_X_y=True)
warnings.simplefilter("ignore")
clf = SoftmaxMLPClassifier((16,), random_state=0, learning_rate_init=0.01, {params}).fit(X, y)
assert clf.score(X, y) > 0.9, clf.score(X, y)
clf.partial_fit(X, y)
assert np.array_equal(pickle.loads(pickle.dumps(clf)).predict_proba(X), clf.predict_proba(X))
skops = __import__("skops.io")
assert not set(skops.io.get_untrusted_types(data=skops.io.dumps(clf))) - set(TRUSTED_TYPES)
clf.summary()
{then}
"""
RUN_ONNX = """
import onnxruntime
from sksoftmax.onnx import to_onnx
X = X.astype(np.float32)
session = onnxruntime.InferenceSession(to_onnx(clf, X).SerializeToString())
assert np.allclose(session.run(None, {"X": X})[1], clf.predict_proba(X), atol=1e-5)
"""
NO_ONNX = """
from sksoftmax.onnx import to_onnx
try:
    to_onnx(clf, X)
except ValueError as error:
    assert {name!r} in str(error), error
else:
    raise AssertionError("ONNX took an unknown part for a known one")
"""


@pytest.mark.parametrize(
    "additions, params, then",
    [
        (ACTIVATION | ACTIVATION_IN_ONNX, "activation='softsign'", RUN_ONNX),
        (ACTIVATION, "activation='softsign'", NO_ONNX.format(name="softsign")),
        (HEAD, "out_activation='flat'", NO_ONNX.format(name="FlatHead")),
        (OPTIMIZER, "solver='sign', n_members=1, learning_rate='cosine'", ""),
        (BLOCK | BLOCK_IN_ONNX, "", RUN_ONNX),
        (BLOCK, "scaling=None", NO_ONNX.format(name="Squares")),
    ],
    ids=["activation", "activation, not in ONNX", "head", "optimizer", "encoding", "encoding, not scaled, not in ONNX"],
)
def test_a_part_that_follows_its_recipe_trains(additions, params, then, tmp_path):
    pytest.importorskip("skops")
    pytest.importorskip("skl2onnx")
    pytest.importorskip("onnxruntime")
    shutil.copytree(ROOT / "sksoftmax", tmp_path / "sksoftmax", ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in additions.items():
        with (tmp_path / "sksoftmax" / name).open("a", encoding="utf-8") as file:
            file.write(text)
    if "data/blocks.py" in additions:
        path = tmp_path / "sksoftmax" / "data" / "preprocessing.py"
        text = path.read_text(encoding="utf-8").replace("import Bins,", "import Squares, Bins,")
        path.write_text(text.replace(*IN_PREPROCESSOR), encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    script = TRAIN.format(params=params, then=then)
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8", timeout=120
    )
    assert done.returncode == 0, done.stderr
