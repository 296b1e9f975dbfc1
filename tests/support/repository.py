"""The folders of this repository, its pages, its source as syntax trees, the saved models and the script that writes them."""

import ast
import importlib.util
import re
from pathlib import Path

import sksoftmax

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent
PACKAGE = Path(sksoftmax.__file__).parent
FOLDER = TESTS / "fixtures"
README = (ROOT / "README.md").read_text("utf-8")


def loaded(path):
    """The module in this file, which is outside the package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


make = loaded(FOLDER / "make.py")


def dotted(path):
    """The name of a module inside the package, as "nn.layers"; of a folder's own file, "nn.__init__"."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


TREES = {dotted(path): ast.parse(path.read_text("utf-8")) for path in PACKAGE.rglob("*.py")}


def python_blocks(page):
    """The blocks of Python that a page shows and its build does not run."""
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)


def command_blocks(page):
    """The blocks of commands on a page."""
    return re.findall(r"```bash\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)
