"""L-BFGS: its limits, its warnings."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from sksoftmax.training.lbfgs import limits, warn_if_not_converged


@pytest.mark.parametrize(
    ("tol", "dtype", "ftol"),
    [(1e-3, np.float64, 1e7 * 2**-52), (1e-6, np.float64, 1e-12), (0, np.float64, 10 * 2**-52), (1e-6, np.float32, 10 * 2**-23)],
)
def test_tol_of_lbfgs_is_scipys_change_of_the_loss_or_its_square_but_not_below_rounding(tol, dtype, ftol):
    found = limits(SimpleNamespace(max_iter=5, max_fun=7, tol=tol), dtype)
    assert found.pop("ftol") == pytest.approx(ftol, rel=1e-12)
    assert found == {"maxiter": 5, "maxfun": 7, "gtol": tol}


@pytest.mark.parametrize(("is_raw", "advice"), [(True, ", or scale the columns of X"), (False, "")])
@pytest.mark.parametrize("status", [1, 2])
def test_lbfgs_that_ends_at_a_limit_or_in_a_failed_search_says_so(status, is_raw, advice):
    run = SimpleNamespace(config=SimpleNamespace(max_iter=5, max_fun=7), is_unscaled=is_raw)
    result = SimpleNamespace(status=status, nit=5, message="of SciPy")
    expected = rf"after 5 iteration.*status={status}.*: of SciPy\n.*max_iter=5 or max_fun=7{advice}\.$"
    with pytest.warns(ConvergenceWarning, match=expected):
        warn_if_not_converged(result, run)


@pytest.mark.parametrize("status", [0, 99])
def test_lbfgs_that_converges_or_is_stopped_warns_of_nothing(status):
    warn_if_not_converged(SimpleNamespace(status=status), SimpleNamespace())
