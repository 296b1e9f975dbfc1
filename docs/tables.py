"""Tables on the pages of the site, made in the build from the files in which their numbers are kept."""

import csv
import re
import sys
from pathlib import Path

from guide_links import PAGES
from IPython.display import Markdown

from sksoftmax import SoftmaxMLPClassifier

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))


def results(name):
    """A file of benchmarks/results as a table."""
    with open(BENCHMARKS / "results" / f"{name}.csv", encoding="utf-8") as file:
        return as_table(list(csv.reader(file)))


def as_table(rows):
    """Rows of cells, the first with the headings, as a table in Markdown."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return Markdown("\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]]))


def defaults():
    """The totals of all models at their defaults."""
    from defaults_table import as_markdown, totals

    return Markdown(as_markdown(totals()))


def config():
    """What "auto" means: the table in the docstring of the classifier."""
    lines = SoftmaxMLPClassifier.__doc__.splitlines()
    first = next(i for i, line in enumerate(lines) if line.split()[:2] == ["Parameter", "Ensemble"])
    rules = lines[first - 1]
    ends = [match.span() for match in re.finditer("=+", rules)]
    rows = [lines[first], *lines[first + 2 : lines.index(rules, first + 2)]]
    return as_table([[row[start : end + 1].strip() for start, end in ends] for row in rows])


def parameters():
    """The parameters by group, each with what it is, its default, and its page of the guide."""
    doc, defaults = SoftmaxMLPClassifier.__doc__, SoftmaxMLPClassifier().get_params()
    rules = list(re.finditer(r"^ *=+ =+$", doc, re.MULTILINE))
    groups = re.split(r"\n +(?=[A-Z])", doc[rules[0].end() : rules[1].start()].strip())
    parts = []
    for group in groups:
        title, names = re.match(r"(.*?) {2,}(.*)", group, re.DOTALL).groups()
        rows = [["parameter", "default", "what it is", "guide"]]
        for name in re.findall(r"\w+", names):
            said = re.search(rf"^    {name} : .*?\n((?:        .*\n|\n)+)", doc, re.MULTILINE)[1]
            first = re.sub(r"\s+", " ", re.split(r"(?<=[\w`)'])[.:](?:\s|$)", said.strip())[0])
            first = re.sub(r"\s*\[\d+\]_|\\ ", "", first).replace("|", "\\|")
            rows.append([f"`{name}`", f"`{defaults[name]!r}`", first, f"[](guide/{PAGES[name]}.md)"])
        parts.append(f"## {title}\n\n{as_table(rows).data}")
    return Markdown("\n\n".join(parts))
