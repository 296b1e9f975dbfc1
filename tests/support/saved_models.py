"""The folder of saved models, and the script that writes them as the module `make`."""

import importlib.util

from support.paths import TESTS

FOLDER = TESTS / "fixtures"

spec = importlib.util.spec_from_file_location("make", FOLDER / "make.py")
make = importlib.util.module_from_spec(spec)
spec.loader.exec_module(make)
