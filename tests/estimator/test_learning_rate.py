"""The parameters `learning_rate`, as a function, and `warmup`."""

import pytest

from sksoftmax.nn.optimizers import OPTIMIZERS
from sksoftmax.nn.schedules import cosine, one_cycle
from support.data import MULTICLASS, X
from support.estimators import planned
from support.marks import STEPWISE, UNCONVERGED
from support.processes import watch
from support.weights import assert_same_weights

pytestmark = pytest.mark.usefixtures("numpy_steps")


def rates_of(solver, monkeypatch, method="fit", **params):
    """The rate of each step."""
    rates = []
    with monkeypatch.context() as patch:
        watch(patch, OPTIMIZERS[solver], "step", lambda self, w, g, rate: rates.append(rate))
        clf = planned(solver=solver, batch_size=20, max_iter=4, **params)
        clf.fit(X, MULTICLASS) if method == "fit" else clf.partial_fit(X, MULTICLASS, classes=range(3))
    return rates


@STEPWISE
@pytest.mark.parametrize("function", [cosine, one_cycle])
def test_learning_rate_may_be_a_schedules_function_instead_of_its_name(solver, function):
    one, other = (planned(solver=solver, learning_rate=rate, max_iter=6) for rate in (function, function.__name__))
    assert_same_weights(one.fit(X, MULTICLASS), other.fit(X, MULTICLASS))


@STEPWISE
def test_a_learning_rate_function_sets_the_rate_of_each_step_up_to_max_iter(solver, monkeypatch):
    params = {"learning_rate": lambda progress: 1 - progress, "tol": 10.0, "n_iter_no_change": 1}
    rates = rates_of(solver, monkeypatch, **params)
    assert rates == pytest.approx([0.02 * (1 - step / 12) for step in range(12)], rel=1e-12)


@STEPWISE
@pytest.mark.filterwarnings(UNCONVERGED)
def test_warmup_raises_the_rates_of_the_first_steps(solver, monkeypatch):
    rates = rates_of(solver, monkeypatch, learning_rate="constant", warmup=0.5)
    assert rates == pytest.approx([0.02 * min(step / 6, 1) for step in range(12)], rel=1e-12)
    rates = rates_of(solver, monkeypatch, learning_rate="cosine", warmup=0.25)
    assert rates == pytest.approx([0.02 * (step / 3 if step < 3 else cosine((step - 3) / 9)) for step in range(12)], rel=1e-12)


@STEPWISE
@pytest.mark.parametrize("params", [{"warmup": 0.5}, {"learning_rate": lambda progress: 0.1}], ids=["warmup", "function"])
def test_partial_fit_ignores_warmup_and_a_learning_rate_function(solver, params, monkeypatch):
    assert rates_of(solver, monkeypatch, "partial_fit", **params) == [0.02] * 3


@STEPWISE
def test_a_learning_rate_function_that_returns_no_valid_factor_is_named(solver):
    with pytest.raises(ValueError, match="learning_rate must return a finite factor >= 0; got -1 at progress 0"):
        planned(solver=solver, learning_rate=lambda progress: -1).fit(X, MULTICLASS)


@pytest.mark.filterwarnings(UNCONVERGED)
def test_warmup_multiplies_the_invscaling_learning_rate_of_sgd(monkeypatch):
    rates = rates_of("sgd", monkeypatch, learning_rate="invscaling", power_t=0.5, warmup=0.5)
    base = [0.02] * 3 + [0.02 / (60 * epoch + 1) ** 0.5 for epoch in (1, 2, 3) for _ in range(3)]
    assert rates == pytest.approx([rate * min(step / 6, 1) for step, rate in enumerate(base)], rel=1e-12)
