"""What the README shows is true: its Python prints what it says, its commands are the ones that are meant, its numbers come from
the files of results.
"""

import csv
import re

import pytest

from support.pages import README, command_blocks, python_blocks
from support.paths import ROOT
from support.scripts import run_script

UNSEEN = {"AutoGluon", "CatBoost", "RealMLP-TD (PyTorch)", "LightGBM", "MLPClassifier"}


def test_the_readme_fits_150_lines():
    assert len(README.splitlines()) <= 150


def test_the_ten_lines_run_and_print_what_they_say(capsys):
    exec(python_blocks("README.md")[0], {})
    said = re.search(r"```text\n(.*?)```", README, re.DOTALL).group(1)
    assert capsys.readouterr().out == said


def test_the_two_commands_set_up_a_virtual_environment_and_run_the_example_and_the_tests():
    first, second = command_blocks("README.md")[:2]
    assert "examples/quickstart.py" in first
    assert second.strip().endswith("pytest -n auto")
    assert all("python3 -m venv .venv" in command for command in (first, second))


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_the_readme_links_to_files_that_exist(link):
    assert link.startswith("https://") or (ROOT / link).exists()


@pytest.mark.parametrize("page", ["README.md", "docs/benchmarks.md"])
def test_pages_have_the_totals_of_the_measured_results(page, tmp_path):
    text, table = (ROOT / page).read_text("utf-8"), run_script("benchmarks/defaults_table.py", folder=tmp_path)
    assert table.strip() in text or "tables.defaults()" in text
    second = [
        row.split(" | ") for row in run_script("benchmarks/defaults_table.py", "--set", "second", folder=tmp_path).splitlines()
    ]
    error, loss = ({row[0].strip("| *`"): float(row[i]) for row in second[2:]} for i in (1, 3))
    models = "AutoGluon", "SoftmaxMLPClassifier()"
    said = re.search(r"error (0\.\d+) to (?:our )?(0\.\d+), log loss (0\.\d+) to (0\.\d+)", text).groups()
    assert [float(number) for number in said] == [*(error[m] for m in models), *(loss[m] for m in models)]


def test_the_readme_has_the_numbers_of_the_independent_check():
    with open(ROOT / "benchmarks" / "results" / "unseen.csv", encoding="utf-8") as file:
        rows = {row["model"]: row for row in csv.DictReader(file)}
    assert set(rows) == UNSEEN | {"SoftmaxMLPClassifier()"}
    part = README[README.index("An independent check") :]
    for row in rows.values():
        assert f"{float(row['error']):.4f} and" in part.replace("error 0.0743 and log loss", "0.0743 and")
        assert f"{float(row['log_loss']):.3f} ({float(row['loss_over_best']):.2f}" in part
