"""The picture of the first page: all models at their defaults, wide and narrow, light and dark."""

import sys
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

from defaults_table import DARK, LIGHT, draw, totals  # noqa: E402

ALT = (
    "Error and log loss of all models against the time of a fit. "
    "SoftmaxMLPClassifier() has the lowest error and log loss; the table on the page of benchmarks has all numbers."
)
PICTURE = """<picture class="overview only-{theme}">
<source media="(max-width: 700px)" srcset="_static/overview_narrow_{theme}.svg">
<img src="_static/overview_wide_{theme}.svg" alt="{alt}" width="1056" height="480">
</picture>
"""


def write_overview(folder):
    """Draw the pictures, and write the HTML that shows the one that fits the screen; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = totals()
    for theme, colors in (("light", LIGHT), ("dark", DARK)):
        shared = {"colors": colors, "metadata": {"Date": None}, "transparent": True}
        draw(rows, folder / f"overview_wide_{theme}.svg", **shared)
        draw(rows, folder / f"overview_narrow_{theme}.svg", panels=["error"], size=(5, 5.6), **shared)
    html = "".join(PICTURE.format(theme=theme, alt=ALT) for theme in ("light", "dark"))
    (folder / "overview.html").write_text(html, encoding="utf-8")
    return str(folder)
