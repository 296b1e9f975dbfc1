"""Inventories of other projects' documentation for intersphinx, made in the build without a network.

Every dotted name of these projects on a page, in an example or in a docstring is looked up in the installed package. What is a
public class, function or method there has a page whose address follows from its name.
"""

import importlib
import inspect
import re
import zlib
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROJECTS = {  # package → the address of its documentation, and of the page of a name
    "sklearn": ("https://scikit-learn.org/stable/", "modules/generated/{}.html"),
    "numpy": ("https://numpy.org/doc/stable/", "reference/generated/{}.html"),
    "scipy": ("https://docs.scipy.org/doc/scipy/", "reference/generated/{}.html"),
    "pandas": ("https://pandas.pydata.org/docs/", "reference/api/{}.html"),
    "skl2onnx": ("https://onnx.ai/sklearn-onnx/", "api_summary.html"),
    "matplotlib": ("https://matplotlib.org/stable/", "api/_as_gen/{}.html"),
}
SHORT = {"np": "numpy", "pd": "pandas", "plt": "matplotlib.pyplot"}
HEAD = "# Sphinx inventory version 2\n# Project: {}\n# Version: \n# The remainder of this file is compressed using zlib.\n"
ELSEWHERE = ("numpy.random.", "numpy.testing.", "matplotlib.figure.")  # their pages have other addresses
OWN_PAGE = ("numpy", "scipy", "pandas")  # whose methods have pages


def write_inventories(folder):
    """Write a file for each project to this folder; return the mapping for intersphinx."""
    folder.mkdir(parents=True, exist_ok=True)
    names = mentioned_names()
    mapping = {}
    for package, (address, page) in PROJECTS.items():
        lines = [line for name in sorted(names) if name.startswith(f"{package}.") for line in entries(name, page)]
        path = folder / f"{package}.inv"
        path.write_bytes(HEAD.format(package).encode() + zlib.compress("".join(lines).encode()))
        mapping[package] = (address, str(path))
    return mapping


def mentioned_names():
    """The dotted names of the projects in all pages, examples and docstrings."""
    names = set()
    for pattern in ("docs/**/*.md", "examples/*.py", "sksoftmax/**/*.py"):
        for path in ROOT.glob(pattern):
            text = path.read_text(encoding="utf-8")
            names |= set(re.findall(rf"\b(?:{'|'.join(PROJECTS)})(?:\.\w+)+", text))
            names |= {f"{SHORT[short]}.{name}" for short, name in re.findall(r"\b(np|pd|plt)\.(\w+(?:\.\w+)*)", text)}
            for module, imported in re.findall(r"^from ((?:sklearn|scipy|pandas)[\w.]*) import ([\w, ]+)", text, re.MULTILINE):
                names |= {f"{module}.{name.strip()}" for name in imported.split(",") if name.strip()}
    return {name for name in names if "._" not in name and not name.startswith(ELSEWHERE)}


def entries(name, page):
    """The lines of an inventory for this name, and for the methods of a class; none if the package has no such thing."""
    found = lookup(name)
    if inspect.isclass(found) and (not name.startswith("numpy.") or name in ("numpy.ndarray", "numpy.memmap")):
        yield f"{name} py:class 1 {page.format(name)}#{name} -\n"
        for method, value in inspect.getmembers(found, callable):
            if not method.startswith("_") and value is not None:
                own = f"{name}.{method}" if name.startswith(OWN_PAGE) else name
                yield f"{name}.{method} py:method 1 {page.format(own)}#{name}.{method} -\n"
    elif callable(found) and not inspect.isclass(found) and not inspect.isclass(lookup(name.rpartition(".")[0])):
        yield f"{name} py:function 1 {page.format(name)}#{name} -\n"
    elif name == "pandas.NA":
        yield f"{name} py:attribute 1 {page.format(name)}#{name} -\n"


def lookup(name):
    """What has this dotted name, or None."""
    importlib.import_module("sklearn.experimental.enable_halving_search_cv")
    package, *attributes = name.split(".")
    found = importlib.import_module(package)
    for i, attribute in enumerate(attributes, 1):
        with suppress(ImportError):
            importlib.import_module(".".join([package, *attributes[:i]]))
        found = getattr(found, attribute, None)
    return found
