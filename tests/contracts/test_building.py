"""How the package is built: the extension, its flags and its wheel; without a C compiler, in pure NumPy."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib

import pytest

from support.repository import PACKAGE, ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
SETUP = (ROOT / "setup.py").read_text("utf-8")
ASSIGNMENTS = [node for node in ast.parse(SETUP).body if isinstance(node, ast.Assign)]
CONSTANTS = {ast.unparse(node.targets[0]): node.value for node in ASSIGNMENTS}  # of setup.py, whose import would build


def test_no_flag_of_the_compiler_changes_infinities_or_the_order_of_sums():
    flags = set(ast.literal_eval(CONSTANTS["UNIX"]))
    assert flags <= {"-O3", "-fno-math-errno", "-fno-trapping-math", "-fopenmp-simd"}


def test_what_is_said_without_a_compiler_is_one_line_that_says_how_to_get_it():
    line = ast.literal_eval(CONSTANTS["WITHOUT"])
    assert "\n" not in line
    assert "install a C compiler" in line


def test_the_stable_abi_is_that_of_the_oldest_supported_python():
    minor = int(re.fullmatch(r">=3\.(\d+)", PROJECT["project"]["requires-python"])[1])
    assert f'"0x03{minor:02X}0000"' in SETUP
    assert f'"cp3{minor}"' in SETUP


def test_a_wheel_has_every_folder_of_the_package():
    folders = {".".join(path.parent.relative_to(PACKAGE.parent).parts) for path in PACKAGE.rglob("__init__.py")}
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == folders


@pytest.mark.nightly
@pytest.mark.parametrize("required", ["", "1"])
def test_without_a_compiler_the_package_installs_unless_the_extension_is_required(required, tmp_path):
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "sksoftmax", tmp_path / "sksoftmax", ignore=shutil.ignore_patterns("*.so", "*.pyd", "__pycache__"))
    command = [sys.executable, "-m", "pip", "install", "-v", "--no-deps", "--target", tmp_path / "installed", tmp_path]
    environment = os.environ | {"CC": "false", "SKSOFTMAX_REQUIRE_EXTENSION": required}
    done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", timeout=300)
    said = done.stdout + done.stderr
    assert (done.returncode == 0) == (required == ""), said
    assert (ast.literal_eval(CONSTANTS["WITHOUT"]) in said) == (required == "")
    assert (tmp_path / "installed" / "sksoftmax" / "py.typed").exists() == (required == "")
