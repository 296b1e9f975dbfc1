"""Running this repository's scripts as a user does."""

import os
import subprocess
import sys

from support.paths import ROOT


def run_script(script, *arguments, folder):
    """Run the script in this folder and return what it prints; it must succeed and print no warning on stderr."""
    environment = os.environ | {"PYTHONIOENCODING": "utf-8", "MPLBACKEND": "agg"}
    command = [sys.executable, ROOT / script, *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, encoding="utf-8", timeout=300)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr, done.stderr
    return done.stdout
