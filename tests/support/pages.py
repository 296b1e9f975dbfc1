"""The README, and the blocks of Python and of commands on a page of the documentation, in order."""

import re

from support.paths import ROOT

README = (ROOT / "README.md").read_text("utf-8")


def python_blocks(page):
    """The blocks of Python that a page shows and its build does not run."""
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)


def command_blocks(page):
    """The blocks of commands on a page."""
    return re.findall(r"```bash\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)
