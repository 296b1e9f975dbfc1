"""The examples run as a user runs them: from another folder, without a warning, and with the promised results."""

import re
from importlib.util import find_spec

import numpy as np
import pytest

from support.processes import run_script
from support.repository import ROOT

pytest.importorskip("matplotlib")


def test_quickstart_beats_scikit_learn_on_digits_and_reads_a_frame(tmp_path):
    output = run_script("examples/quickstart.py", folder=tmp_path)
    line = r"^(digits|breast cancer) +(\S.*?MLPClassifier\(\)) +([\d.]+) +([\d.]+)$"
    found = {row[:2]: (float(row[2]), float(row[3])) for row in re.findall(line, output, re.MULTILINE)}
    assert len(found) == 4
    accuracy, loss = found["digits", "SoftmaxMLPClassifier()"]
    their_accuracy, their_loss = found["digits", "StandardScaler, MLPClassifier()"]
    assert accuracy > their_accuracy
    assert loss < 0.75 * their_loss
    _, loss = found["breast cancer", "SoftmaxMLPClassifier()"]
    _, their_loss = found["breast cancer", "StandardScaler, MLPClassifier()"]
    assert loss < their_loss + 0.02  # of 143 rows: another seed changes it by 0.01
    assert float(re.search(r"log loss ([\d.]+) \(by chance 0.6931\)", output)[1]) < 0.62
    assert float(re.search(r"Test accuracy of the best: ([\d.]+)", output)[1]) >= 0.97
    assert len(re.findall(r"^(?:relu|silu) .* ± ", output, re.MULTILINE)) == 4
    assert output.count("  best\n") == 1
    assert (tmp_path / "quickstart.png").read_bytes().startswith(b"\x89PNG")


def test_derivation_agrees_with_the_texts_to_the_end(tmp_path):
    output = run_script("examples/derivation.py", folder=tmp_path)
    for number in (
        "1.9095425",
        "3.09335001e-50",
        "2.99760217e-15",
        "-2.16666667",
        "0.46077411",
        "1.50529585e-13",
        "3.02091685e-13",
    ):
        assert number in output
    assert "naive [nan nan nan], ours [0. 0. 1.]" in output
    assert "D dense    4 × 20" in output
    assert output.endswith("Everything agrees.\n")


def test_xor_is_learnt_by_both_heads(tmp_path):
    output = run_script("examples/xor.py", "--seeds", "3", folder=tmp_path)
    for head in ("softmax 2-4-4-2", "sigmoid 2-4-4-1"):
        few, many = re.search(rf"^{head} +(\d) of 3 +(\d) of 3", output, re.MULTILINE).groups()
        assert int(few) <= int(many) == 3


def test_distilled_networks_are_small_and_keep_the_accuracy(tmp_path):
    output = run_script("examples/distillation.py", folder=tmp_path)
    line = r"^(forest|32 units|8 units), (500 trees|labels|distilled) +(\d+) +([\d.]+) +([\d.]+) +([\d.]+)$"
    table = {row[:2]: [float(number) for number in row[2:]] for row in re.findall(line, output, re.MULTILINE)}
    assert len(table) == 5
    forest_size, forest_accuracy, *_ = table["forest", "500 trees"]
    size, accuracy, *_ = table["32 units", "distilled"]
    assert forest_size > 500 * size
    assert accuracy > forest_accuracy - 0.01
    assert table["8 units", "distilled"][1] > table["8 units", "labels"][1]


def test_calibration_lowers_log_loss_and_calibration_error(tmp_path):
    output = run_script("examples/calibration.py", folder=tmp_path)
    rows = re.findall(r"log loss ([\d.]+)  ECE ([\d.]+)  accuracy ([\d.]+)", output)
    before, after, defaults = (list(map(float, row)) for row in rows)
    assert after[0] < 0.75 * before[0] and after[1] < 0.75 * before[1]
    assert defaults[0] < after[0]


def test_explanation_names_the_columns(tmp_path):
    output = run_script("examples/explanation.py", folder=tmp_path)
    names = re.findall(r"^  (\S+) +[\d.]+ ± [\d.]+$", output, re.MULTILINE)
    assert len(names) == 5
    assert set(names[:2]) == {"flavanoids", "proline"}


def test_fashion_mnist_benchmark_compares_on_any_images(tmp_path):
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (260, 28, 28), dtype=np.uint8), np.arange(260) % 10
    np.savez(tmp_path / "images.npz", X=images[:200], y=labels[:200], X_test=images[200:], y_test=labels[200:])
    options = ["--defaults", "--rows", "150", "--epochs", "1", "--repeats", "2", "--hidden", "8", "--batch-size", "50"]
    output = run_script("benchmarks/fashion_mnist.py", "images.npz", *options, folder=tmp_path)
    assert output.startswith("150 × 784 training rows, 60 test rows, float32")
    line = r"^ *(?:0|1|all)" + 2 * r" +[\d.]+ in +[\d.]+ s" + r" +[\d.]+$"
    assert len(re.findall(line, output, re.MULTILINE)) == 3
    assert re.search(r"^Defaults, the ensemble: [\d.]+ in +[\d.]+ s$", output, re.MULTILINE)


def test_the_benchmark_of_quality_takes_bundled_data_and_files(tmp_path):
    rng = np.random.default_rng(0)
    X, codes, y = rng.normal(size=(120, 2)), rng.integers(-1, 3, (120, 1)), np.arange(120) % 2
    X[::7, 1], X[:, 0] = np.nan, X[:, 0] + 3 * y
    np.savez(tmp_path / "both.npz", X=X, X_cat=codes, y=y)
    np.savez(tmp_path / "codes.npz", X=X[:, :0], X_cat=codes, y=y, X_test=X[:, :0], X_cat_test=codes, y_test=y)
    output = run_script("benchmarks/quality.py", "--names", "iris", "--models", "one,logistic", folder=tmp_path)
    assert re.search(r"^SoftmaxMLPClassifier\(n_members=1\)( +\d\.\d{4}){5} +–$", output, re.MULTILINE)
    output = run_script("benchmarks/quality.py", tmp_path, "--seeds", "2", "--max-train", "80", folder=tmp_path)
    assert "\n4 splits\n" in output
    n_models = 6 + sum(find_spec(package) is not None for package in ("catboost", "lightgbm"))
    assert len(re.findall(r"^\w+\(.*\)( +\d\.\d{4}){5} +\d+\.\d\d$", output, re.MULTILINE)) == n_models


def test_the_benchmark_of_hard_data_compares_on_each_situation(tmp_path):
    output = run_script("benchmarks/hard_data.py", "--names", "repeats", "--seeds", "1", folder=tmp_path).splitlines()
    assert output[0].split() == ["situation", "score", "default", "one", "network", "MLPClassifier", "boosting", "logistic"]
    assert len(output) == 9
    losses = [float(re.search(r"log loss +(\d\.\d+)", line).group(1)) for line in output[1:]]
    assert all(repeated <= 1.05 * weighted for repeated, weighted in zip(losses[::2], losses[1::2]))


def test_the_benchmark_of_predictions_has_a_line_for_each_model_of_its_file_of_results(tmp_path):
    output = run_script("benchmarks/prediction.py", "--rows", "100", "--repeats", "1", folder=tmp_path).splitlines()
    assert output[0].split(" | ")[1:] == ["1 row after 100", "1,000 rows after 100"]
    results = (ROOT / "benchmarks" / "results" / "prediction.csv").read_text("utf-8").replace('"', "")
    measured = [line.split(" | ")[0] for line in output[1:-1]]
    assert {"`SoftmaxMLPClassifier()`", "`MLPClassifier`", "`RandomForestClassifier`"} <= set(measured)
    assert all(f"\n{name}," in results for name in measured)
