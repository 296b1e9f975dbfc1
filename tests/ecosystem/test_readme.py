"""What the README shows is true: its Python prints what it says, its commands are the ones that are meant, its numbers come from
the files of results.
"""

import ast
import csv
import re

import pytest

from support.processes import run_script
from support.repository import README, ROOT, command_blocks, python_blocks

RESULTS = ROOT / "benchmarks" / "results"


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


def results_of(name):
    """The rows of a file of results."""
    with open(RESULTS / f"{name}.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_table_finds_the_prediction_times_under_the_names_of_their_file():
    source = ast.parse((ROOT / "benchmarks" / "defaults_table.py").read_text("utf-8"))
    [names] = [ast.literal_eval(line.value) for line in source.body if ast.unparse(line).startswith("PREDICTION = ")]
    measured = {row["model, at its defaults"].replace("`", "") for row in results_of("prediction")}
    assert set(names.values()) <= measured and set(names) <= {row["model"] for row in results_of("defaults")}


@pytest.mark.parametrize("page", ["README.md", "docs/benchmarks.md"])
def test_pages_have_the_totals_of_the_measured_results(page, tmp_path):
    text, table = (ROOT / page).read_text("utf-8"), run_script("benchmarks/defaults_table.py", folder=tmp_path)
    assert table.strip() in text or "tables.defaults()" in text


def test_the_readme_has_the_numbers_of_the_independent_checks():
    part = README[README.index("Further checks") :]
    part = re.sub(r"error (0\.\d+) and\s+log loss", r"\1 and", part)
    for row in [*results_of("fresh"), *results_of("confirmation")[:5]]:
        assert f"{row['error']} and {row['log_loss']}" in part
    for row in results_of("tabarena"):
        assert re.search(rf"\b{row['elo']}\b", part)


def test_the_readme_counts_on_how_many_datasets_the_defaults_are_better():
    by_dataset = {}
    for row in results_of("defaults"):
        by_dataset.setdefault(row["dataset"], {})[row["model"]] = row
    pairs = [(rows["SoftmaxMLPClassifier()"], rows["MLPClassifier"]) for rows in by_dataset.values()]
    errors = sum(float(ours["accuracy"]) > float(theirs["accuracy"]) for ours, theirs in pairs)
    losses = sum(float(ours["log_loss"]) < float(theirs["log_loss"]) for ours, theirs in pairs)
    assert f"lower error on {errors} of the {len(pairs)} datasets, lower log loss on {losses}" in README
