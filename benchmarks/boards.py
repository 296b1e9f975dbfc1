"""Public boards: the defaults on the official folds of OpenML's tasks, beside published errors of AutoML systems.

    python benchmarks/boards.py --openml --write        # download the tasks, fit, print the tables, store them for the site
    python benchmarks/boards.py --folder FOLDER         # read the tasks from a folder
    python benchmarks/boards.py --rows boards.jsonl     # print the tables of earlier fits

The tasks, their folds and the published errors are in `results/amlb2022.csv`; its first lines name the source. `--openml` needs
the extra `benchmarks`. A folder has two files for each task. NAME.parquet or PREFIX__NAME.parquet has the rows in OpenML's order;
its column `__target__` is the class. The file of folds has `_folds.npz` in place of `.parquet`; its array `0_f` holds the numbers
of the test rows of fold f. Tasks without files are skipped. Columns of text become categories; with `--openml`, OpenML's types
decide.

Each fit adds one line to the file `--rows`, and an interrupted run continues there. Use a new file for a new version of the
package.

The error of a fold is 1 − AUC for two classes, and log loss for more. The error of a dataset is the mean over the folds that both
sides have. Elo ratings are those of Bradley and Terry, from all pairs of systems on all datasets; the tuned random forest has
1,000. The interval is the central 95 % of 1,000 bootstrap samples of the datasets. "wins" is the share of datasets on which our
error is lower than the system's (ties count half). "ratio" is the geometric mean of our error over theirs, both plus 0.0001.
"""

import argparse
import json
import warnings
from datetime import UTC, datetime
from pathlib import Path
from time import process_time

import numpy as np
import pandas as pd
from sklearn.metrics import log_loss, roc_auc_score

from sksoftmax import SoftmaxMLPClassifier

RESULTS = Path(__file__).parent / "results"
TABLE = RESULTS / "boards.csv"
MODELS = {"default": {}, "one": {"n_members": 1}}
NAMES = {"default": "SoftmaxMLPClassifier()", "one": "SoftmaxMLPClassifier(n_members=1)"}
ANCHOR, ANCHOR_ELO = "tuned random forest", 1_000
TUNED_ON = {  # datasets of the board on which the defaults were tuned: their names in results/defaults.csv
    "churn": "churn",
    "cmc": "cmc",
    "credit-g": "credit_g",
    "dna": "dna",
    "eucalyptus": "eucalyptus",
    "first-order-theorem-proving": "first_order_theorem",
    "kc1": "kc1",
    "ozone-level-8hr": "ozone_eighthr",
    "PhishingWebsites": "phishing_websites",
    "phoneme": "phoneme",
    "segment": "segment",
    "steel-plates-fault": "steel_plates",
    "vehicle": "vehicle",
    "wilt": "wilt",
    "yeast": "yeast",
}
TIE = 1e-9  # errors that differ by less are equal
PRIOR_WINS = 0.01  # added to each pair in both directions, so that a system that always wins has a finite rating
ERROR_SHIFT = 1e-4  # added to both errors of a ratio: some errors are 0
N_BOOTSTRAP = 1_000


def main(arguments=None):
    """Fit what is missing, print the tables, store them if asked."""
    options = parse(arguments)
    warnings.simplefilter("ignore")
    published = read_published(options.folds)
    if options.openml or options.folder:
        fit_missing(published, options)
    rows = read_rows(options.rows)
    if not rows:
        raise SystemExit(f"{options.rows} has no fits. Name the source of the tasks: --openml or --folder.")
    for model in sorted({row["model"] for row in rows}):
        errors = mean_errors(published, rows, model)
        print(f"\n{errors.round(4).to_string()}")
        for sets, part in parts(errors).items():
            print(f"\n{NAMES[model]}, {sets}: {len(part)} datasets\n{compare(part, NAMES[model]).to_string(na_rep='')}")
    if options.write:
        stored_table(published, rows).to_csv(TABLE, index=False, lineterminator="\n")


def parse(arguments):
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--openml", action="store_true", help="download the tasks")
    source.add_argument("--folder", type=Path, help="read the tasks from this folder")
    parser.add_argument("--folds", type=int, default=10, help="published folds of each task, at most (default: 10)")
    parser.add_argument("--models", default="default", help=f"comma-separated, of {', '.join(MODELS)} (default: default)")
    parser.add_argument("--rows", type=Path, default=Path("boards.jsonl"), help="the file of fits (default: boards.jsonl)")
    parser.add_argument("--write", action="store_true", help="store the table of the defaults as results/boards.csv")
    options = parser.parse_args(arguments)
    options.models = options.models.split(",")
    if unknown := set(options.models) - set(MODELS):
        parser.error(f"unknown models {sorted(unknown)}; there are {', '.join(MODELS)}")
    return options


# Tasks


def read_published(n_folds=10):
    """The published errors: a row for the first folds of each task, a column for each system."""
    published = pd.read_csv(RESULTS / "amlb2022.csv", comment="#")
    return published.groupby("name").head(n_folds)


def read_folder(folder, name, folds):
    """X, y and the test rows of each fold, from the two files of this task; None without them."""
    paths = [path for path in folder.glob("*.parquet") if path.stem.split("__")[-1] == name]
    if not paths:
        return None
    X = pd.read_parquet(paths[0])
    y = X.pop("__target__")
    with np.load(paths[0].with_name(f"{paths[0].stem}_folds.npz")) as file:
        tests = {fold: file[f"0_{fold}"] for fold in folds}
    return with_categories(X), y.to_numpy(str), tests


def read_openml(task_id, folds):
    """X, y and the test rows of each fold, from OpenML."""
    import openml

    task = openml.tasks.get_task(task_id)
    X, y, _, _ = task.get_dataset().get_data(target=task.target_name)
    tests = {fold: task.get_train_test_split_indices(fold=fold)[1] for fold in folds}
    return with_categories(X), y.astype(str).to_numpy(str), tests


def with_categories(X):
    """X with columns of text as categories."""
    text = [name for name in X if not pd.api.types.is_numeric_dtype(X[name])]
    return X.astype(dict.fromkeys(text, "category"))


# Fits


def read_rows(path):
    """The rows of a file of fits: dataset, fold, model, error, processor seconds; numbers of rows, columns and classes."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def fit_missing(published, options):
    """Fit each model on each published fold, unless the file of fits has it, and add a row to this file after each fit."""
    done = {(row["name"], row["fold"], row["model"]) for row in read_rows(options.rows)}
    for (name, task_id), folds in published.groupby(["name", "task"])["fold"]:
        missing = [(fold, model) for fold in folds for model in options.models if (name, fold, model) not in done]
        if not missing:
            continue
        task = read_openml(int(task_id), folds) if options.openml else read_folder(options.folder, name, folds)
        if task is None:
            print(f"{name} is skipped: {options.folder} does not have it.")
            continue
        for fold, model in missing:
            row = {"name": name, "fold": fold, "model": model, **measure(*task, fold, model)}
            print(f"{name} {fold} {model} {row['error']:.4f} in {row['seconds']:.1f} s", flush=True)
            with open(options.rows, "a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")


def measure(X, y, tests, fold, model):
    """The error of a model on one fold, and the processor seconds of its fit."""
    test = tests[fold]
    train = np.setdiff1d(np.arange(len(y)), test)
    classifier = SoftmaxMLPClassifier(random_state=0, **MODELS[model])
    begun = process_time()
    classifier.fit(X.iloc[train], y[train])
    seconds = process_time() - begun
    error = error_of(y[test], classifier.predict_proba(X.iloc[test]), classifier.classes_)
    return {"error": error, "seconds": seconds, "n": len(y), "d": X.shape[1], "k": len(np.unique(y))}


def error_of(y, probabilities, classes):
    """1 − AUC for two classes, log loss for more. A class that no training row has gets probability 0, which `log_loss` clips."""
    if len(classes) == 2:
        return float(1 - roc_auc_score(y == classes[1], probabilities[:, 1]))
    labels = np.union1d(classes, y)
    full = np.zeros((len(y), len(labels)))
    full[:, np.searchsorted(labels, classes)] = probabilities
    return float(log_loss(y, full / full.sum(axis=1, keepdims=True), labels=labels))


# Tables


def mean_errors(published, rows, model):
    """The errors of the systems and of one model of ours on each dataset, averaged over the folds that both sides have."""
    ours = pd.DataFrame([row for row in rows if row["model"] == model], columns=["name", "fold", "error"])
    both = published.drop(columns="task").merge(ours, on=["name", "fold"], validate="one_to_one")
    return both.drop(columns="fold").rename(columns={"error": NAMES[model]}).groupby("name").mean()


def parts(errors):
    """The errors on all datasets, and on those that the defaults were not tuned on, if there are any."""
    untouched = errors[~errors.index.isin(TUNED_ON)]
    return {"all": errors, "not tuned on": untouched} if len(untouched) else {"all": errors}


def compare(errors, ours):
    """A row for each system, the best Elo first: mean rank, Elo and its interval, and our wins and error ratio against it."""
    values, mine = errors.to_numpy(), errors[[ours]].to_numpy()
    wins, anchor = pairwise_wins(values), errors.columns.get_loc(ANCHOR)
    samples = np.random.default_rng(0).integers(0, len(errors), (N_BOOTSTRAP, len(errors)))
    low, high = np.percentile(elo(wins[samples].sum(axis=1), anchor), [2.5, 97.5], axis=0)
    columns = {
        "rank": errors.rank(axis=1).mean().to_numpy().round(2),
        "elo": elo(wins.sum(axis=0), anchor),
        "low": low,
        "high": high,
        "wins": wins[:, errors.columns.get_loc(ours)].mean(axis=0).round(2),
        "ratio": np.exp(np.log((mine + ERROR_SHIFT) / (values + ERROR_SHIFT)).mean(axis=0)).round(3),
    }
    table = pd.DataFrame(columns, index=pd.Index(errors.columns, name="system"))
    table[["elo", "low", "high"]] = table[["elo", "low", "high"]].round().astype(int)
    table.loc[ours, ["wins", "ratio"]] = np.nan
    return table.sort_values("elo", ascending=False, kind="stable")


def pairwise_wins(errors):
    """(n, m, m): for each dataset, 1 if system i has a lower error than system j, ½ for a tie, else 0; 0 for i = j."""
    gap = errors[:, None, :] - errors[:, :, None]
    wins = np.where(np.abs(gap) < TIE, 0.5, gap > 0)
    wins[:, np.arange(wins.shape[1]), np.arange(wins.shape[1])] = 0
    return wins


def elo(wins, anchor):
    """Elo ratings (…, m) from counts of wins (…, m, m), by Bradley and Terry's model; system `anchor` has 1,000.

    P(i beats j) = sᵢ / (sᵢ + sⱼ). Hunter's iteration (Annals of Statistics, 2004) maximizes the likelihood:
    sᵢ ← Σⱼ wᵢⱼ / Σⱼ (wᵢⱼ + wⱼᵢ) / (sᵢ + sⱼ).
    """
    wins = wins + PRIOR_WINS * (1 - np.eye(wins.shape[-1]))
    games, won = wins + np.swapaxes(wins, -1, -2), wins.sum(axis=-1)
    logs, change = np.zeros_like(won), np.inf
    while change > 1e-6:
        strength = np.exp(logs)
        updated = np.log(won / (games / (strength[..., None] + strength[..., None, :])).sum(axis=-1))
        updated -= updated.mean(axis=-1, keepdims=True)
        logs, change = updated, np.abs(updated - logs).max()
    ratings = 400 / np.log(10) * logs
    return ratings - ratings[..., [anchor]] + ANCHOR_ELO


def stored_table(published, rows):
    """The tables of the defaults, one below the other, with the date and the numbers of datasets and splits."""
    fits = pd.DataFrame([row for row in rows if row["model"] == "default"])
    splits = published.merge(fits, on=["name", "fold"])
    tables = []
    for sets, errors in parts(mean_errors(published, rows, "default")).items():
        used = splits[splits["name"].isin(errors.index)]
        facts = {"sets": sets, "datasets": len(errors), "splits": len(used), "seconds": round(used["seconds"].median(), 1)}
        tables.append(compare(errors, NAMES["default"]).reset_index().assign(date=datetime.now(UTC).date(), **facts))
    table = pd.concat(tables)
    return table[["sets", "datasets", "splits", "seconds", "date", *table.columns[:7]]]


if __name__ == "__main__":
    main()
