"""The site: each parameter leads to a page of the guide, each example ends in a picture, each number comes from its source.

The build of the site, in CI, runs the code of all pages and examples and checks the links.
"""

import ast
import re

import pytest

from sksoftmax import SoftmaxMLPClassifier
from support.repository import ROOT, loaded

DOCS = ROOT / "docs"
PAGES = {
    path.relative_to(DOCS).as_posix(): path.read_text("utf-8")
    for path in sorted(DOCS.rglob("*.md"))
    if "_build" not in path.parts
}
EXAMPLES = {path.stem: path.read_text("utf-8") for path in sorted((ROOT / "examples").glob("*.py")) if path.stem != "cluster"}


def guide_links():
    return loaded(DOCS / "guide_links.py")


def test_each_parameter_has_a_page_of_the_guide():
    pages = guide_links().PAGES
    assert set(pages) == set(SoftmaxMLPClassifier().get_params())
    assert {f"guide/{page}.md" for page in pages.values()} <= set(PAGES)


def test_the_reference_links_each_parameter_to_its_page():
    lines = [line.removeprefix("    ") for line in SoftmaxMLPClassifier.__doc__.splitlines()]
    guide_links().add_guide_links(None, "class", "sksoftmax.SoftmaxMLPClassifier", SoftmaxMLPClassifier, None, lines)
    text, pages = "\n".join(lines), guide_links().PAGES
    for name, page in pages.items():
        assert re.search(rf"^{name} : (?:(?!^\w+ : ).)*?:doc:`Guide </guide/{page}>`", text, re.MULTILINE | re.DOTALL), name
    assert text.count(":doc:`Guide") == len(pages)


def test_every_page_of_the_guide_is_in_its_table_of_contents():
    listed = set(re.search(r"```\{toctree\}(.*?)```", PAGES["guide/index.md"], re.DOTALL).group(1).split()[2:])
    assert {f"guide/{name}.md" for name in listed} == {
        name for name in PAGES if name.startswith("guide/") and "index" not in name
    }


@pytest.mark.parametrize("page", PAGES)
def test_code_on_a_page_is_valid(page):
    for block in re.findall(r"```(?:\{code-cell\}|python)\n(.*?)```", PAGES[page], re.DOTALL):
        ast.parse(re.sub(r"^:tags:.*$", "", block, flags=re.MULTILINE))


def test_the_gallery_has_at_least_14_examples():
    assert len(EXAMPLES) >= 14


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_has_a_title_and_draws_a_picture(name):
    title, line = EXAMPLES[name].removeprefix('"""').splitlines()[:2]
    assert set(line) == {"="} and len(line) >= len(title)
    assert "plt.show()" in EXAMPLES[name] or "savefig" in EXAMPLES[name]


def test_no_page_repeats_the_table_of_auto():
    assert "tables.config()" in PAGES["defaults.md"]
    assert not [page for page, text in PAGES.items() if "| weight_decay |" in text]
