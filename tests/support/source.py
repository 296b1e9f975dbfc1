"""The source of the package as syntax trees, by module."""

import ast
from pathlib import Path

import sksoftmax

PACKAGE = Path(sksoftmax.__file__).parent


def dotted(path):
    """The name of a module inside the package, as "nn.layers"; of a folder's own file, "nn.__init__"."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


TREES = {dotted(path): ast.parse(path.read_text("utf-8")) for path in PACKAGE.rglob("*.py")}
