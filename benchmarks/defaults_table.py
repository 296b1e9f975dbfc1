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
PANELS = {"error": (1, "error (shifted geometric mean)"), "log loss": (3, "mean log loss")}  # column of `totals` and label
LIGHT = {"text": "#1f2430", "ours": "#c96a00", "others": "#0a7d91", "background": "white"}
DARK = {"text": "#ced6dd", "ours": "#ffb547", "others": "#3fb8cd", "background": "none"}


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


def draw(rows, path, panels=("error", "log loss"), size=(11, 5), colors=LIGHT, **saved):
    """Draw these numbers against the time of a fit to this file, a panel for each."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    plain = dict.fromkeys(["text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"], colors["text"])
    with rc_context(plain | {"axes.spines.top": False, "axes.spines.right": False, "svg.hashsalt": "sksoftmax"}):
        figure = Figure(figsize=size, dpi=100, layout="constrained", facecolor=colors["background"])
        axes = figure.subplots(1, len(panels), squeeze=False)[0]
        for ax, panel in zip(axes, panels):
            column, label = PANELS[panel]
            for row in rows:
                ours = row[0].startswith(OURS)
                ax.scatter(row[6], row[column], s=90 if ours else 45, color=colors["ours" if ours else "others"], zorder=3)
            ax.set(xscale="log", xlabel="time of a fit, over MLPClassifier's", ylabel=label, facecolor="none")
            ax.grid(alpha=0.3)
            ax.margins(x=0.2, y=0.14)
        figure.suptitle(f"{n_datasets()} real datasets, all at their defaults:\nlower is better, left is faster", size="medium")
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
        for ax, panel in zip(axes, panels):
            write_labels(ax, [(row[0], row[6], row[PANELS[panel][0]]) for row in rows])
        figure.savefig(path, dpi=110, **saved)


def n_datasets():
    """The number of datasets in results/defaults.csv."""
    with open(RESULTS / "defaults.csv", encoding="utf-8") as file:
        return len({row["dataset"] for row in csv.DictReader(file)})


def write_labels(ax, points):
    """Write the name of each point beside it, where it overlaps no label, dot or frame. Ours come first."""
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
