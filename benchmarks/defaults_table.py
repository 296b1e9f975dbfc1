"""Totals of all models at their defaults, from results/defaults.csv: the README's table and picture.

    python benchmarks/defaults_table.py [--picture FILE]

`benchmarks/quality.py` explains how each number of the file is measured, `benchmarks/prediction.py` the times of prediction.
"""

import argparse
import csv
from collections import defaultdict
from operator import attrgetter
from pathlib import Path
from statistics import mean, median
from typing import NamedTuple

import numpy as np
from scipy.stats import bootstrap

RESULTS = Path(__file__).parent / "results"
MOST = 5  # a log loss counts as at most this many times the best one
SHIFT = 0.01  # added to each error, so that datasets with an error near 0 do not decide the geometric mean
N_BOOTSTRAP = 2_000  # samples of the datasets that the 95 % intervals are computed from
OURS = "SoftmaxMLPClassifier"
PREDICTION = {  # model → its name in results/prediction.csv, if the two differ
    "SoftmaxMLPClassifier(n_members=1)": "the same, n_members=1",
    "HistGradientBoosting": "HistGradientBoostingClassifier",
    "RandomForest": "RandomForestClassifier",
}
SIDES = {  # places of a label beside its dot, the preferred one first: points right of it and above it, and alignments
    "right": (8, 0, "left", "center"),
    "below": (0, -8, "center", "top"),
    "above": (0, 8, "center", "bottom"),
    "left": (-8, 0, "right", "center"),
    "above right": (5, 6, "left", "bottom"),
    "below right": (5, -6, "left", "top"),
    "above left": (-5, 6, "right", "bottom"),
    "below left": (-5, -6, "right", "top"),
}
PANELS = {"error": ("error", "error (shifted geometric mean)"), "log loss": ("loss", "mean log loss")}  # field of `Totals`, label
LIGHT = {"text": "#1f2430", "ours": "#c96a00", "others": "#0a7d91", "background": "white"}
DARK = {"text": "#ced6dd", "ours": "#ffb547", "others": "#3fb8cd", "background": "none"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--picture", help="draw error and log loss against time to this file")
    options = parser.parse_args()
    rows = totals()
    print(as_markdown(rows))
    if options.picture:
        draw(rows, options.picture)


class Totals(NamedTuple):
    """The totals of a model over all datasets.

    `over_ours` is the ratio of its error, with the shift, to that of our defaults, with the ends of its 95 % interval; `time` is
    that of a fit over MLPClassifier's; `prediction` is that of 1,000 rows, as text, or None if it was not measured.
    """

    model: str
    error: float
    over_ours: tuple[float, float, float]
    loss: float
    over_best: float
    ece: float
    time: float
    prediction: str | None


def totals():
    """The `Totals` of each model, the one of least error first."""
    of_model, best = defaultdict(list), defaultdict(lambda: float("inf"))
    with open(RESULTS / "defaults.csv", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            of_model[row["model"]].append(row)
            best[row["dataset"]] = min(best[row["dataset"]], float(row["log_loss"]))
    ours, predictions = log_errors(of_model[f"{OURS}()"]), prediction_times()
    return sorted((total(model, rows, best, ours, predictions) for model, rows in of_model.items()), key=attrgetter("error"))


def total(model, rows, best, ours, predictions):
    """The `Totals` of a model; `ours` are the log errors of our defaults, by dataset."""
    loss, ece = (np.array([float(row[name]) for row in rows]) for name in ("log_loss", "ece"))
    errors = log_errors(rows)
    return Totals(
        model,
        np.exp(mean(errors.values())) - SHIFT,
        ratio_with_interval(np.array([errors[dataset] - ours[dataset] for dataset in sorted(ours)])),
        loss.mean(),
        mean(min(value / best[row["dataset"]], MOST) for row, value in zip(rows, loss)),
        ece.mean(),
        median(float(row["time_over_mlp"]) for row in rows if row["time_over_mlp"]),
        predictions.get(PREDICTION.get(model, model)),
    )


def log_errors(rows):
    """The logarithm of the error plus the shift, by dataset."""
    return {row["dataset"]: np.log(1 - float(row["accuracy"]) + SHIFT) for row in rows}


def ratio_with_interval(log_ratios):
    """The geometric mean of ratios, and the ends of its 95 % interval: the quantiles over bootstrap samples of the datasets."""
    found = bootstrap((log_ratios,), np.mean, n_resamples=N_BOOTSTRAP, method="percentile", random_state=0)
    return tuple(np.exp([log_ratios.mean(), *found.confidence_interval]))


def prediction_times():
    """The time in which each model predicts 1,000 rows after a fit on 2,000."""
    with open(RESULTS / "prediction.csv", encoding="utf-8") as file:
        names, *rows = csv.reader(file)
    return {row[0].replace("`", ""): row[names.index("1,000 rows after 2,000")] for row in rows}


def as_markdown(rows):
    """The table in Markdown."""
    lines = ["| | error | error / ours | log loss | log loss / best | ECE | fit | predict |", "|---|---|---|---|---|---|---|---|"]
    for row in rows:
        name = f"**`{row.model}`**" if row.model.startswith(OURS) else row.model
        over_ours = "1" if row.model == f"{OURS}()" else "{:.2f} ({:.2f}–{:.2f})".format(*row.over_ours)
        losses = f"{row.loss:.3f} | {row.over_best:.2f} | {row.ece:.3f}"
        lines.append(f"| {name} | {row.error:.4f} | {over_ours} | {losses} | {row.time:.2g} | {row.prediction or '–'} |")
    return "\n".join(lines)


def draw(rows, path, panels=("error", "log loss"), size=(11, 5), colors=LIGHT, **saved):
    """Draw these numbers against the time of a fit to this file, a panel for each."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    plain = dict.fromkeys(["text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"], colors["text"])
    with rc_context(plain | {"axes.spines.top": False, "axes.spines.right": False, "svg.hashsalt": "sksoftmax"}):
        figure = Figure(figsize=size, dpi=100, layout="constrained", facecolor=colors["background"])
        axes = figure.subplots(1, len(panels), squeeze=False)[0]
        for ax, panel in zip(axes, panels):
            field, label = PANELS[panel]
            for row in rows:
                size, color = (90, colors["ours"]) if row.model.startswith(OURS) else (45, colors["others"])
                ax.scatter(row.time, getattr(row, field), s=size, color=color, zorder=3)
            ax.set(xscale="log", xlabel="time of a fit, over MLPClassifier's", ylabel=label, facecolor="none")
            ax.grid(alpha=0.3)
            ax.margins(x=0.2, y=0.14)
        figure.suptitle(f"{len(rows)} models on {n_datasets()} real datasets:\nlower is better, left is faster", size="medium")
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
        for ax, panel in zip(axes, panels):
            write_labels(ax, [(row.model, row.time, getattr(row, PANELS[panel][0])) for row in rows])
        figure.savefig(path, dpi=110, **saved)


def n_datasets():
    """The number of datasets in results/defaults.csv."""
    with open(RESULTS / "defaults.csv", encoding="utf-8") as file:
        return len({row["dataset"] for row in csv.DictReader(file)})


def write_labels(ax, points):
    """Write the name of each point beside it, at a place that overlaps no label, dot or frame. Ours are placed first."""
    frame = ax.get_window_extent()
    dots = ax.transData.transform([point[1:] for point in points])
    radii = [8 if point[0].startswith(OURS) else 4 for point in points]
    taken = [(x - r, y - r, x + r, y + r) for (x, y), r in zip(dots, radii)]
    for name, *place in sorted(points, key=lambda point: (not point[0].startswith(OURS), -point[1])):
        short = name.replace(f"{OURS}()", "ours").replace(f"{OURS}(", "ours (").replace(" (PyTorch)", "")
        weight = "bold" if name.startswith(OURS) else "normal"
        sides = [SIDES["below"], SIDES["left"], *SIDES.values()] if weight == "bold" else SIDES.values()
        for x, y, ha, va in sides:
            style = {"textcoords": "offset points", "ha": ha, "va": va, "fontsize": 9, "weight": weight}
            label = ax.annotate(short, place, xytext=(x, y), **style)
            box = label.get_window_extent().padded(0.5).extents
            inside = frame.x0 < box[0] and box[2] < frame.x1 and frame.y0 < box[1]
            if inside and not any(overlap(box, other) for other in taken):
                break
            label.remove()
        else:
            raise ValueError(f"no place for the label of {name}")
        taken.append(tuple(box))


def overlap(box, other):
    """Whether two boxes (left, bottom, right, top) overlap."""
    return box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3]


if __name__ == "__main__":
    main()
