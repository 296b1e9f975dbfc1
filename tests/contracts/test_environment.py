"""`show_versions`, for bug reports."""

import numpy as np
import sklearn

import sksoftmax
from sksoftmax.environment import installed_version


def test_show_versions_prints_versions_and_the_threads(capsys):
    sksoftmax.show_versions()
    lines = dict(line.strip().split(": ", 1) for line in capsys.readouterr().out.splitlines())
    assert lines["sksoftmax"] == sksoftmax.__version__
    assert (lines["numpy"], lines["scikit-learn"]) == (np.__version__, sklearn.__version__)
    assert "allowed, on" in lines["threads"]
    assert "thread(s)" in lines["blas"]


def test_a_package_that_is_not_installed_has_no_version():
    assert installed_version("no-such-package") is None
