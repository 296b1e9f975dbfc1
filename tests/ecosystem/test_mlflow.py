"""MLflow: its autolog sees our estimator alone, and it loads a saved model by `TRUSTED_TYPES`."""

import os
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sksoftmax import TRUSTED_TYPES, SoftmaxMLPClassifier

mlflow_sklearn = pytest.importorskip("mlflow.sklearn")

AUTOLOG = """
import sys, mlflow, mlflow.sklearn
from sklearn.datasets import load_iris
from sksoftmax import SoftmaxMLPClassifier
X, y = load_iris(return_X_y=True)
mlflow.set_tracking_uri("file:" + sys.argv[1])
mlflow.set_experiment("test")
mlflow.sklearn.autolog(silent=True, log_models=False)
with mlflow.start_run() as run:
    clf = SoftmaxMLPClassifier((16,), n_members=1, max_iter=5, random_state=0).fit(X, y)
assert len(set(clf.relevance_)) > 1
data = mlflow.get_run(run.info.run_id).data
print(data.tags.get("estimator_name"), "n_estimators" in data.params)
"""


def test_autolog_takes_no_estimator_behind_relevance_for_the_users_model(tmp_path):
    env = {**os.environ, "MLFLOW_ALLOW_FILE_STORE": "true"}
    result = subprocess.run([sys.executable, "-c", AUTOLOG, tmp_path], capture_output=True, text=True, env=env, check=False)
    assert result.returncode == 0, result.stderr
    name, has_trees = result.stdout.split()[-2:]
    assert name in ("None", "SoftmaxMLPClassifier")
    assert has_trees == "False"


@pytest.mark.filterwarnings("default")
def test_TRUSTED_TYPES_load_a_model_that_mlflow_saved(tmp_path):
    X = np.random.default_rng(0).normal(size=(120, 3))
    clf = SoftmaxMLPClassifier((6,), max_iter=3, random_state=0).fit(X, X[:, 0] > 0)
    mlflow_sklearn.save_model(clf, tmp_path / "model", serialization_format="skops", skops_trusted_types=TRUSTED_TYPES)
    loaded = mlflow_sklearn.load_model(str(tmp_path / "model"))
    assert_array_equal(loaded.predict_proba(X), clf.predict_proba(X))
