"""The board of public tasks: ratings and errors are right, runs continue, files have the promised form."""

import csv
import json
import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from support.repository import ROOT, loaded

pd = pytest.importorskip("pandas")
boards = loaded(ROOT / "benchmarks" / "boards.py")
OURS = boards.NAMES["default"]
SYSTEMS = list(boards.read_published().columns[3:])


@pytest.fixture(autouse=True)
def few_bootstrap_samples(monkeypatch):
    """Few bootstrap samples, to save time."""
    monkeypatch.setattr(boards, "N_BOOTSTRAP", 40)


# Ratings


def test_elo_of_two_systems_is_400_times_the_logarithm_of_their_odds():
    ratings = boards.elo(np.array([[0.0, 3000], [1000, 0]]), anchor=1)
    np.testing.assert_allclose(ratings, [1000 + 400 * np.log10(3), 1000], atol=0.01)


def test_elo_finds_the_strengths_that_made_the_wins():
    strength = np.array([1.0, 2, 8])
    wins = 1e5 * strength[:, None] / (strength[:, None] + strength) * (1 - np.eye(3))
    np.testing.assert_allclose(boards.elo(wins, anchor=0), 1000 + 400 * np.log10(strength), atol=0.01)


def test_elo_of_a_system_that_always_wins_is_finite():
    ratings = boards.elo(boards.pairwise_wins(np.array([[0.1, 0.2]] * 20)).sum(axis=0), anchor=1)
    assert 2000 < ratings[0] < 3000


def test_ties_count_half():
    wins = boards.pairwise_wins(np.array([[0.1, 0.1 + 1e-12, 0.3]]))
    np.testing.assert_array_equal(wins, [[[0, 0.5, 1], [0.5, 0, 1], [0, 0, 0]]])


def made_up_errors(n=12):
    """Errors on n datasets, on which ours is .9 of the published ones on average."""
    published = boards.read_published().groupby("name")[SYSTEMS].mean()[:n]
    return published.assign(**{OURS: 0.9 * published.mean(axis=1)})


def test_the_table_has_wins_and_error_ratios_of_ours_against_each_system():
    errors = made_up_errors()
    table = boards.compare(errors, OURS)
    theirs = errors["FLAML"]
    assert table.loc["FLAML", "wins"] == round((errors[OURS] < theirs).mean(), 2)
    ratio = np.exp(np.log((errors[OURS] + 1e-4) / (theirs + 1e-4)).mean())
    assert table.loc["FLAML", "ratio"] == pytest.approx(ratio, abs=5e-4)
    assert table.loc[OURS, ["wins", "ratio"]].isna().all()


def test_the_table_is_sorted_by_elo_with_intervals_around_it_and_a_fixed_anchor():
    table = boards.compare(made_up_errors(), OURS)
    assert table["elo"].is_monotonic_decreasing
    assert ((table["low"] <= table["elo"]) & (table["elo"] <= table["high"])).all()
    assert table.loc[boards.ANCHOR, ["elo", "low", "high"]].tolist() == [1000] * 3
    assert table["rank"].mean() == pytest.approx((len(SYSTEMS) + 2) / 2, abs=0.01)


# Errors


def test_the_error_of_two_classes_is_one_minus_the_auc():
    y, p = np.array(["no", "yes", "yes", "no"]), np.array([0.2, 0.3, 0.9, 0.4])
    error = boards.error_of(y, np.column_stack([1 - p, p]), np.array(["no", "yes"]))
    assert error == pytest.approx(1 - roc_auc_score(y == "yes", p)) == pytest.approx(0.25)


def test_the_error_of_three_classes_is_the_log_loss():
    y, p = np.array(["a", "c", "b"]), np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8], [0.3, 0.3, 0.4]])
    assert boards.error_of(y, p, np.array(["a", "b", "c"])) == pytest.approx(log_loss(y, p))


def test_a_class_without_training_rows_has_probability_0_in_the_log_loss():
    y, p = np.array(["a", "bb", "c"]), np.full((3, 3), 1 / 3)
    error = boards.error_of(y, p, np.array(["a", "c", "d"]))
    assert error == pytest.approx((2 * np.log(3) - np.log(np.finfo(float).eps)) / 3)


def test_a_dataset_is_compared_on_the_folds_that_both_sides_have():
    rows = [{"name": "yeast", "fold": fold, "model": "default", "error": fold / 10} for fold in (0, 4, 5)]
    errors = boards.mean_errors(boards.read_published(), rows, "default")
    published = boards.read_published().set_index(["name", "fold"]).loc["yeast"]
    assert errors[OURS].to_dict() == {"yeast": pytest.approx(0.45)}
    assert errors.loc["yeast", "FLAML"] == pytest.approx(published.loc[[4, 5], "FLAML"].mean())


def test_a_fit_that_is_in_the_file_twice_is_an_error():
    row = {"name": "car", "fold": 0, "model": "default", "error": 0.1}
    with pytest.raises(pd.errors.MergeError):
        boards.mean_errors(boards.read_published(), [row, row], "default")


# Tasks and runs


def made_up_table():
    """X with a column of text and a gap, and labels, in 60 rows."""
    rng = np.random.default_rng(0)
    y = np.resize(["a", "b", "c"], 60)
    X = pd.DataFrame({"number": rng.normal(size=60) + (y == "a"), "word": np.where(y == "b", "left", "right")})
    X.loc[3, "number"] = np.nan
    return X, y


TESTS = {fold: np.arange(fold, 60, 10) for fold in range(10)}


@pytest.mark.parametrize("prefix", ["", "amlb__"])
def test_a_folder_gives_text_as_categories_and_the_test_rows(tmp_path, prefix):
    pytest.importorskip("pyarrow")
    X, y = made_up_table()
    X.assign(__target__=y).to_parquet(tmp_path / f"{prefix}car.parquet")
    np.savez(tmp_path / f"{prefix}car_folds.npz", **{f"0_{fold}": rows for fold, rows in TESTS.items()})
    read, labels, tests = boards.read_folder(tmp_path, "car", [0, 3])
    assert list(read) == ["number", "word"]
    assert read["word"].dtype == "category"
    np.testing.assert_array_equal(labels, y)
    np.testing.assert_array_equal(tests[3], TESTS[3])
    assert boards.read_folder(tmp_path, "kc1", [0]) is None


@pytest.fixture
def openml(monkeypatch):
    """A module `openml` whose only task, 359960, is made up; the list of tasks asked for."""
    X, y = made_up_table()
    asked = []

    def get_data(target):
        return X, pd.Series(y, name=target, dtype="category"), [False, True], list(X)

    def get_train_test_split_indices(fold):
        return np.setdiff1d(np.arange(60), TESTS[fold]), TESTS[fold]

    def get_task(task_id):
        asked.append(task_id)
        dataset = SimpleNamespace(get_data=get_data)
        splits = {"get_train_test_split_indices": get_train_test_split_indices}
        return SimpleNamespace(target_name="class", get_dataset=lambda: dataset, **splits)

    monkeypatch.setitem(sys.modules, "openml", SimpleNamespace(tasks=SimpleNamespace(get_task=get_task)))
    monkeypatch.setattr(boards, "read_published", lambda n: published_of("car", n))
    monkeypatch.setitem(boards.MODELS, "default", {"n_members": 1, "max_iter": 2})
    return asked


def published_of(name, n_folds):
    published = pd.read_csv(boards.RESULTS / "amlb2022.csv", comment="#")
    return published[published["name"] == name][:n_folds]


def test_openml_gives_the_same_as_a_folder(openml):
    y = made_up_table()[1]
    read, labels, tests = boards.read_openml(359960, [0, 3])
    assert read["word"].dtype == "category"
    np.testing.assert_array_equal(labels, y)
    np.testing.assert_array_equal(tests[3], TESTS[3])


def test_a_run_adds_a_row_for_each_fit_and_continues_with_what_is_missing(openml, tmp_path, capsys):
    path = tmp_path / "rows.jsonl"
    boards.main(["--openml", "--folds", "1", "--rows", str(path)])
    assert openml == [359960]
    first = path.read_text("utf-8")
    assert json.loads(first).items() >= {"name": "car", "fold": 0, "model": "default", "n": 60, "d": 2, "k": 3}.items()
    boards.main(["--openml", "--folds", "2", "--rows", str(path)])
    assert path.read_text("utf-8").startswith(first)
    assert [json.loads(line)["fold"] for line in path.read_text("utf-8").splitlines()] == [0, 1]
    boards.main(["--openml", "--folds", "2", "--rows", str(path)])
    assert len(openml) == 2
    printed = capsys.readouterr().out
    assert f"{OURS}, all: 1 datasets" in printed
    assert f"{OURS}, not tuned on: 1 datasets" in printed


def test_without_fits_and_a_source_of_tasks_the_run_says_what_to_do(tmp_path):
    with pytest.raises(SystemExit, match="--openml or --folder"):
        boards.main(["--rows", str(tmp_path / "none.jsonl")])


def test_the_table_is_stored_with_both_parts(tmp_path, monkeypatch):
    rows = [{"name": name, "fold": 0, "model": "default", "error": 0.1, "seconds": 2.0} for name in ("car", "kc1")]
    monkeypatch.setattr(boards, "read_published", lambda n: pd.concat([published_of(name, n) for name in ("car", "kc1")]))
    monkeypatch.setattr(boards, "TABLE", tmp_path / "boards.csv")
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    boards.main(["--rows", str(tmp_path / "rows.jsonl"), "--write"])
    check_form(list(csv.DictReader((tmp_path / "boards.csv").read_text("utf-8").splitlines())), {"all": "2", "not tuned on": "1"})


# Files


def check_form(table, datasets):
    """Assert that the stored table has each system once in each part, sorted by Elo, and nothing of ours against itself."""
    for sets, n_datasets in datasets.items():
        part = [row for row in table if row["sets"] == sets]
        assert sorted(row["system"] for row in part) == sorted([*SYSTEMS, OURS])
        assert {row["datasets"] for row in part} == {n_datasets}
        assert [row["elo"] for row in part] == [str(elo) for elo in sorted((int(row["elo"]) for row in part), reverse=True)]
        assert all(bool(row["wins"]) == bool(row["ratio"]) == (row["system"] != OURS) for row in part)
    assert {row["sets"] for row in table} == set(datasets)


def test_the_published_errors_have_a_row_for_each_task_and_fold():
    text = (boards.RESULTS / "amlb2022.csv").read_text("utf-8")
    assert "autogluon/tabarena at c6fde3ef51" in text
    published = boards.read_published()
    assert published["name"].nunique() == published["task"].nunique() == 21
    assert not published.duplicated(["name", "fold"]).any()
    assert published["fold"].between(0, 9).all()
    assert len(SYSTEMS) == 7
    assert ((published[SYSTEMS] >= 0) & (published[SYSTEMS] < 5)).all(axis=None)


def test_the_defaults_were_tuned_on_the_datasets_that_the_board_says():
    with open(boards.RESULTS / "defaults.csv", encoding="utf-8") as file:
        tuned_on = {row["dataset"] for row in csv.DictReader(file)}
    assert set(boards.TUNED_ON.values()) <= tuned_on
    assert set(boards.TUNED_ON) <= set(boards.read_published()["name"])


def test_the_stored_table_is_one_of_this_board():
    table = list(csv.DictReader((boards.RESULTS / "boards.csv").read_text("utf-8").splitlines()))
    n_datasets = {row["sets"]: row["datasets"] for row in table}
    check_form(table, n_datasets)
    assert int(n_datasets["all"]) <= boards.read_published()["name"].nunique()
    assert 0 < int(n_datasets["all"]) - int(n_datasets["not tuned on"]) <= len(boards.TUNED_ON)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", row["date"]) for row in table)
