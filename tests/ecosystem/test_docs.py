"""The site: each parameter leads to a page of the guide that shows it at work, each example ends in a picture, each number comes
from its source.

The build of the site, in CI, runs the code of all pages and examples and checks the links.
"""

import ast
import re
import tomllib
import warnings

import pytest
from sklearn.neural_network import MLPClassifier

import sksoftmax
from sksoftmax import SoftmaxMLPClassifier
from support.repository import ROOT, loaded

DOCS = ROOT / "docs"
PAGES = {
    path.relative_to(DOCS).as_posix(): path.read_text("utf-8")
    for path in sorted(DOCS.rglob("*.md"))
    if "_build" not in path.parts
}
NOT_RUN = {"architecture.md", "guide/many_machines.md"}  # an excerpt of the source, other libraries
EXAMPLES = {path.stem: path.read_text("utf-8") for path in sorted((ROOT / "examples").glob("*.py")) if path.stem != "cluster"}


def guide_links():
    return loaded(DOCS / "guide_links.py")


def cells(page):
    """The code of a page that runs in the build."""
    return re.findall(r"```\{code-cell\}\n(?::.*\n)*(.*?)```", PAGES[page], re.DOTALL)


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


@pytest.mark.parametrize("name, page", guide_links().PAGES.items())
def test_the_page_of_a_parameter_shows_it_at_work(name, page):
    assert re.search(rf'\b{name}=|"{name}":', "\n".join(cells(f"guide/{page}.md")))


def test_all_code_of_the_site_runs_in_the_build_but_for_these_pages():
    assert {page for page, text in PAGES.items() if "```python" in text} == NOT_RUN
    assert 'nb_execution_mode = "force"' in (DOCS / "conf.py").read_text("utf-8")
    written_outputs = [page for page, text in PAGES.items() if re.search(r"```(text|none|console)\n", text)]
    assert written_outputs == []


def test_the_guides_list_of_mlpclassifiers_defaults_trains_as_mlpclassifier_does(capsys):
    names = {}
    with warnings.catch_warnings():
        for cell in cells("guide/mlpclassifier.md"):
            exec(cell, names)
    printed = capsys.readouterr().out
    differences = re.findall(r"largest difference of a probability: (\S+)", printed)
    assert len(differences) == 2
    assert max(map(float, differences)) < 1e-10
    theirs, ours = SoftmaxMLPClassifier.from_sklearn(MLPClassifier()).get_params(), SoftmaxMLPClassifier().get_params()
    assert names["changed"] == {name: value for name, value in theirs.items() if value != ours[name]}
    assert all(f"    {name}={value!r},\n" in printed for name, value in names["changed"].items())


def test_the_guide_adds_the_activation_with_which_the_recipe_is_tested():
    tree = ast.parse((ROOT / "tests" / "contracts" / "test_extending.py").read_text("utf-8"))
    assigned = [line for line in tree.body if isinstance(line, ast.Assign) and line.targets[0].id.startswith("ACTIVATION")]
    sources = [source for line in assigned for source in ast.literal_eval(line.value).values()]
    assert len(sources) == 2
    for source in sources:
        assert source[: source.index("ACTIVATIONS")].strip() in PAGES["guide/extend.md"]


def test_the_page_on_citing_has_the_version_title_and_license_of_the_citation_file():
    fields = dict(re.findall(r'^(\w+): "?(.*?)"?$', (ROOT / "CITATION.cff").read_text("utf-8"), re.MULTILINE))
    assert fields["version"] == sksoftmax.__version__
    entry = loaded(DOCS / "citation.py").entry()
    assert all(f"{name} = {{{fields[name]}}}" in entry for name in ("version", "title", "license"))


def test_every_page_of_the_guide_has_a_card_and_is_in_the_contents():
    index = PAGES["guide/index.md"]
    blocks = re.findall(r"```\{toctree\}(.*?)```", index, re.DOTALL)
    contents = [name for block in blocks for name in block.split("\n\n")[1].split()]
    cards = re.findall(r"^:link: (\w+)$", index, re.MULTILINE)
    pages = {name.removeprefix("guide/").removesuffix(".md") for name in PAGES if name.startswith("guide/")} - {"index"}
    assert contents == cards
    assert set(cards) == pages


def test_each_public_name_has_a_page_of_the_reference():
    pages = {name.removeprefix("api/").removesuffix(".md") for name in PAGES if name.startswith("api/")}
    assert pages == (set(sksoftmax.__all__) - {"TRUSTED_TYPES", "__version__"}) | {"DaskSoftmaxMLPClassifier", "to_onnx", "loss"}


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


def test_the_gallery_lists_and_describes_every_example():
    listed = re.findall(r"\.\./examples/(\w+)\.py", (ROOT / "examples" / "index.rst").read_text("utf-8"))
    described = tomllib.loads((DOCS / "gallery.toml").read_text("utf-8"))
    assert listed[0] == "quickstart"
    assert sorted(listed) == sorted(described) == sorted(EXAMPLES)
    assert all(len(text) > 40 for example in described.values() for text in example["alt"])


@pytest.mark.parametrize("page", PAGES)
def test_the_tests_that_a_page_names_exist(page):
    tests = [path.with_suffix("").as_posix() for path in (ROOT / "tests").rglob("test_*.py")]
    named = re.findall(r"`((?:\w+/)*test_\w+)(?:\.py)?`", PAGES[page])
    assert [name for name in named if not any(test.endswith(f"/{name}") for test in tests)] == []


def test_no_page_repeats_the_table_of_auto():
    assert "tables.config()" in PAGES["defaults.md"]
    assert not [page for page, text in PAGES.items() if "| weight_decay |" in text]
