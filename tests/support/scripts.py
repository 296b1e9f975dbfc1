"""Runs this repository's scripts as a user does, and loads modules outside the package."""

import os
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location

from support.paths import ROOT


def run_script(script, *arguments, folder):
    """Run the script in this folder and return what it prints; it must succeed and print no warning on stderr."""
    environment = os.environ | {"PYTHONIOENCODING": "utf-8", "MPLBACKEND": "agg"}
    command = [sys.executable, ROOT / script, *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, encoding="utf-8", timeout=300)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr, done.stderr
    return done.stdout


def loaded(path):
    """The module in this file, which is outside the package."""
    spec = spec_from_file_location(path.stem, path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
