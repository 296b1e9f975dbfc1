"""Totals of all models at their defaults, from results/defaults.csv: the README's table and picture.

    python benchmarks/defaults_table.py [--set first|second] [--picture FILE]

`benchmarks/quality.py` explains how each number of the file is measured.
"""

import argparse
import csv
from collections import defaultdict
from pathlib import Path
from statistics import mean, median

import numpy as np

RESULTS = Path(__file__).parent / "results"
MOST = 5  # a log loss counts as at most this many times the best one
OURS = "SoftmaxMLPClassifier"
PLACES = {  # where the name of a model is written in the picture: points right of its dot and above it, and its alignment
    "LightGBM": (-7, 0, "right"),
    "HistGradientBoosting": (0, 11, "center"),
    f"{OURS}(n_members=1)": (4, -15, "right"),
    f"{OURS}()": (0, -14, "center"),
    "CatBoost": (6, -12, "left"),
    "AutoGluon": (7, 0, "left"),
    "RealMLP-TD (PyTorch)": (0, 11, "center"),
    "RealMLP-TD-S (PyTorch)": (0, 10, "center"),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--picture", help="draw error and log loss against time to this file")
    parser.add_argument("--set", choices=["first", "second"], help="only the datasets of this set (default: of both)")
    options = parser.parse_args()
    rows = totals(options.set)
    print(as_markdown(rows))
    if options.picture:
        draw(rows, options.picture)


def totals(of_set=None):
    """A row for each model, the one of least error first: model, error, accuracy, log loss, loss over the best, ECE, time."""
    of_model, best = defaultdict(list), defaultdict(lambda: float("inf"))
    with open(RESULTS / "defaults.csv", encoding="utf-8") as file:
        for row in (row for row in csv.DictReader(file) if of_set in (None, row["set"])):
            of_model[row["model"]].append(row)
            best[row["dataset"]] = min(best[row["dataset"]], float(row["log_loss"]))
    return sorted(([model, *total(rows, best)] for model, rows in of_model.items()), key=lambda row: row[1])


def total(rows, best):
    """The totals of one model over all datasets."""
    accuracy, loss, ece = (np.array([float(row[name]) for row in rows]) for name in ("accuracy", "log_loss", "ece"))
    over_best = [min(value / best[row["dataset"]], MOST) for row, value in zip(rows, loss)]
    error = np.exp(np.log(1 - accuracy + 0.01).mean()) - 0.01
    time = median(float(row["time_over_mlp"]) for row in rows if row["time_over_mlp"])
    return [error, accuracy.mean(), loss.mean(), mean(over_best), ece.mean(), time]


def as_markdown(rows):
    """The table in Markdown."""
    lines = ["| | error | accuracy | log loss | log loss / best | ECE | time |", "|---|---|---|---|---|---|---|"]
    for model, error, accuracy, loss, over_best, ece, time in rows:
        name = f"**`{model}`**" if model.startswith(OURS) else model
        lines.append(f"| {name} | {error:.4f} | {accuracy:.3f} | {loss:.3f} | {over_best:.2f} | {ece:.3f} | {time:.2g} |")
    return "\n".join(lines)


def draw(rows, path):
    """Draw error on the left and log loss on the right, against the time of a fit, to this file."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.2), layout="constrained")
    panels = figure.subplots(1, 2)
    for ax, column, label in zip(panels, (1, 3), ("error (shifted geometric mean)", "mean log loss")):
        for row in rows:
            ours = row[0].startswith(OURS)
            ax.scatter(row[6], row[column], s=90 if ours else 45, color="tab:orange" if ours else "tab:blue", zorder=3)
            short = row[0].replace(OURS, "ours ").replace(" ()", "").replace(" (PyTorch)", "")
            x, y, side = PLACES.get(row[0], (7, 0, "left"))
            place = {"xytext": (x, y), "textcoords": "offset points", "ha": side, "va": "center", "fontsize": 9}
            ax.annotate(short, (row[6], row[column]), **place, weight="bold" if ours else "normal")
        ax.set(xscale="log", xlabel="time of a fit, over MLPClassifier's", ylabel=label)
        ax.grid(alpha=0.3)
        ax.margins(x=0.22, y=0.12)
    figure.suptitle("59 real datasets, everyone's defaults: lower is better, left is faster")
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
