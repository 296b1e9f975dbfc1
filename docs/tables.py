"""Tables on the pages of the site, made in the build from the files in which their numbers are kept."""

import csv
import re
import sys
from importlib.metadata import version
from pathlib import Path
from platform import python_version

from citation import entry
from docstring_tables import auto_rows
from guide_links import PAGES
from IPython.display import Markdown
from numpydoc.docscrape import ClassDoc

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.parameters import PARAMETER_GROUPS

HEADINGS = {  # column of a file → what a table calls it
    "log_loss": "log loss",
    "loss_over_best": "log loss / best",
    "ece": "ECE",
    "time_over_mlp": "time / MLPClassifier's",
    "elo": "Elo",
}
ROOT = Path(__file__).resolve().parent.parent
BENCHMARKS = ROOT / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))


def results(name):
    """A file of benchmarks/results as a table."""
    headings, *rows = read(name)
    return as_table([[HEADINGS.get(heading, heading) for heading in headings], *rows])


def read(name):
    """The rows of a file of benchmarks/results, the first with the headings."""
    with open(BENCHMARKS / "results" / f"{name}.csv", encoding="utf-8") as file:
        return list(csv.reader(file))


def first_page():
    """Three numbers for the first page, with those of other models beside them, each from a file of benchmarks/results."""
    from defaults_table import totals

    _, *fresh = read("fresh")
    error, loss = ({row[0]: float(row[column]) for row in fresh} for column in (1, 2))
    time = {row.model: row.time for row in totals()}
    ours = "SoftmaxMLPClassifier()"
    others = ", ".join(f"{name.split()[0]} {100 * value:.1f}\u00a0%" for name, value in error.items() if name != ours)
    losses = ", ".join(f"{name.split()[0]} {value:.3f}" for name, value in loss.items() if name != ours)
    times = ", ".join(f"{name} {time[name]:.2g}\u00a0×" for name in ("LightGBM", "CatBoost", "AutoGluon"))
    unseen = (
        "Error (shifted geometric mean) on 30 datasets of at most 2,000 training rows that had been used for no choice. "
        "Measured in November 2026, before the model of another type was added."
    )
    cards = [
        (f"{100 * error[ours]:.1f} %", f"{unseen} {others}.", "how_good"),
        (f"{loss[ours]:.3f}", f"Mean log loss of the probabilities on the same datasets. {losses}.", "how_good"),
        (
            f"{time[ours]:.1f} ×",
            f"Time of a fit of the present defaults, divided by MLPClassifier's: median of 59 datasets. {times}.",
            "benchmarks",
        ),
    ]
    return Markdown("\n".join(["::::{grid} 1 3 3 3", ":gutter: 3", "", *[number_card(*card) for card in cards], "::::"]))


def number_card(number, text, page):
    """A card with a number in large type, what it is, and a link to its page."""
    return f":::{{grid-item-card}} {number}\n:link: {page}\n:link-type: doc\n:class-title: number\n{text}\n:::\n"


def cluster_on_paper():
    """What a pass over many rows would take on many workers, computed from what was measured on one machine."""
    from cluster import projected

    lines = projected()
    return as_table([list(lines[0]), *([str(value) for value in line.values()] for line in lines)])


def board(sets):
    """The systems on the public board: on all datasets, or on those that the defaults were not tuned on."""
    table = [["system", "mean rank", "Elo", "95 % interval", "ours wins", "ours / theirs"]]
    for row in board_rows(sets):
        ours = row["system"].startswith("SoftmaxMLPClassifier")
        wins, ratio = ("–", "–") if ours else (f"{float(row['wins']):.2f}", f"{float(row['ratio']):.3f}")
        table.append([row["system"], f"{float(row['rank']):.2f}", row["elo"], f"{row['low']} to {row['high']}", wins, ratio])
    return as_table(table)


def board_facts():
    """When and on how much data the board was measured."""
    row, untouched = board_rows("all")[0], board_rows("not tuned on")[0]
    n_tuned_on = int(row["datasets"]) - int(untouched["datasets"])
    return Markdown(
        f"Measured on {row['date']}: {row['datasets']} datasets, {row['splits']} splits. The defaults were tuned on "
        f"{n_tuned_on} of these datasets. A default fit took {row['seconds']} processor seconds (median)."
    )


def board_datasets():
    """The names of the datasets of the public board; those that the defaults were not tuned on are bold."""
    from boards import RESULTS, TUNED_ON

    with open(RESULTS / "amlb2022.csv", encoding="utf-8") as file:
        names = {row["name"] for row in csv.DictReader(line for line in file if not line.startswith("#"))}
    names = sorted(names, key=str.lower)
    return Markdown(", ".join(name if name in TUNED_ON else f"**{name}**" for name in names) + ".")


def board_rows(sets):
    """The rows of one part of benchmarks/results/boards.csv."""
    with open(BENCHMARKS / "results" / "boards.csv", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["sets"] == sets]


def as_table(rows):
    """Rows of cells, the first with the headings, as a table in Markdown."""
    rows = [[f"**`{name}`**" if name.startswith("SoftmaxMLPClassifier(") else name, *cells] for name, *cells in rows]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return Markdown("\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]]))


def defaults():
    """The totals of all models at their defaults."""
    from defaults_table import as_markdown, totals

    return Markdown(as_markdown(totals()))


def config():
    """What "auto" means."""
    return as_table(auto_rows())


def versions():
    """The oldest versions of Python and of other packages that CI tests, and those of this build."""
    oldest_python = re.search(r'requires-python = ">=([\d.]+)"', (ROOT / "pyproject.toml").read_text("utf-8"))[1]
    oldest = re.findall(r'"([\w-]+)==([\d.]+)\.\*"', (ROOT / ".ci" / "run").read_text("utf-8"))
    rows = [["package", "oldest tested", "this build"], ["Python", oldest_python, python_version()]]
    return as_table([*rows, *([name, number, version(name)] for name, number in oldest)])


def bibtex():
    """The entry of BibTeX for this package."""
    return Markdown(f"```bibtex\n{entry()}\n```")


def parameters(group):
    """The parameters of a group, each with what it is, its default, and its page of the guide."""
    defaults = SoftmaxMLPClassifier().get_params()
    described = {parameter.name: " ".join(parameter.desc) for parameter in ClassDoc(SoftmaxMLPClassifier)["Parameters"]}
    rows = [["parameter", "default", "what it is", "guide"]]
    for name in PARAMETER_GROUPS[group]:
        first = re.split(r"(?<=[\w`)'])[.:](?:\s|$)", described[name])[0]
        first = re.sub(r"\s*\[\d+\]_|\\ ", "", first).replace("|", "\\|")
        rows.append([f"[`{name}`](#parameter-{name})", f"`{defaults[name]!r}`", first, f"[](guide/{PAGES[name]}.md)"])
    return as_table(rows)
