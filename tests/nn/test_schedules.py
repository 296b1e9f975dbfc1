"""End points and shapes of the learning rate schedules."""

from types import SimpleNamespace

import numpy as np
import pytest

from sksoftmax.nn.schedules import (
    PLANNED,
    adaptive,
    constant,
    cosine,
    coslog4,
    invscaling,
    is_planned,
    one_cycle,
    rates_of_epoch,
    schedule,
)


def curve(schedule, start=0, stop=1):
    return np.array([schedule(t) for t in np.linspace(start, stop, 200)])


def test_constant_is_one_throughout():
    np.testing.assert_array_equal(curve(constant), 1)


@pytest.mark.parametrize("name", ["cosine", "one_cycle", "coslog4"])
def test_a_planned_schedule_is_known_by_name_stays_in_the_unit_interval_and_ends_at_zero(name):
    values = curve(PLANNED[name])
    assert values.min() >= 0
    assert 0.99 < values.max() <= 1
    assert values[-1] == pytest.approx(0, abs=1e-15)


def test_only_the_three_schedules_that_need_an_end_are_planned():
    assert {"cosine": cosine, "one_cycle": one_cycle, "coslog4": coslog4} == PLANNED


@pytest.mark.parametrize("progress, factor", [(0, 1), (1 / 3, 0.75), (0.5, 0.5), (2 / 3, 0.25), (1, 0)])
def test_cosine_falls_from_one_through_a_half_to_zero(progress, factor):
    assert cosine(progress) == pytest.approx(factor, abs=1e-15)
    assert (np.diff(curve(cosine)) < 0).all()


@pytest.mark.parametrize("progress, factor", [(0, 1 / 25), (0.15, 0.52), (0.3, 1), (0.65, 0.5), (1, 0)])
def test_one_cycle_rises_from_a_twenty_fifth_to_one_at_thirty_percent_and_falls_to_zero(progress, factor):
    assert one_cycle(progress) == pytest.approx(factor, abs=1e-15)
    assert (np.diff(curve(one_cycle, 0, 0.3)) > 0).all()
    assert (np.diff(curve(one_cycle, 0.3, 1)) < 0).all()


def test_one_cycle_has_no_jump_at_its_peak():
    assert one_cycle(0.3 - 1e-9) == pytest.approx(one_cycle(0.3 + 1e-9), abs=1e-12)


ZEROS = [0, 1 / 15, 3 / 15, 7 / 15, 1]


@pytest.mark.parametrize("progress", ZEROS)
def test_coslog4_starts_and_ends_each_cycle_at_zero(progress):
    assert coslog4(progress) == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize("cycle", range(4))
def test_coslog4_rises_to_one_once_in_each_of_four_ever_longer_cycles(cycle):
    peak = (2 ** (cycle + 0.5) - 1) / 15
    assert ZEROS[cycle] < peak < ZEROS[cycle + 1]
    assert coslog4(peak) == pytest.approx(1, abs=1e-15)
    assert (np.diff(curve(coslog4, ZEROS[cycle], peak)) > 0).all()
    assert (np.diff(curve(coslog4, peak, ZEROS[cycle + 1])) < 0).all()


@pytest.mark.parametrize(
    "samples_seen, power_t, rate", [(0, 0.5, 0.1), (3, 0.5, 0.05), (99, 0.5, 0.01), (4, 1, 0.02), (9, 0, 0.1)]
)
def test_invscaling_divides_the_learning_rate_by_the_rows_seen_to_the_power_t(samples_seen, power_t, rate):
    assert invscaling(0.1, samples_seen, power_t) == pytest.approx(rate, rel=1e-15)


def test_adaptive_goes_down_by_fifths_until_it_has_reached_a_millionth():
    rates = [0.1]
    while (lower := adaptive(rates[-1])) is not None:
        rates.append(lower)
    np.testing.assert_allclose(rates, 0.1 / 5.0 ** np.arange(len(rates)))
    assert rates[-1] <= 1e-6 < rates[-2]
    assert adaptive(1e-6) is None


NAMES = ["constant", "invscaling", "adaptive", "cosine", "one_cycle", "coslog4"]


@pytest.mark.parametrize("name", NAMES)
def test_without_warmup_a_learning_rate_name_gives_its_function(name):
    np.testing.assert_array_equal(curve(schedule(name, 0.0)), curve(PLANNED.get(name, constant)))
    assert is_planned(name) is (name in PLANNED)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("warmup", [0.1, 0.5, 0.9])
def test_warmup_rises_linearly_from_zero_and_leaves_the_rest_to_the_plan(name, warmup):
    rates, plan = schedule(name, warmup), PLANNED.get(name, constant)
    before, rest = np.linspace(0, warmup, 50, endpoint=False), np.linspace(0, 1, 50)
    np.testing.assert_allclose([rates(t) for t in before], before / warmup, rtol=1e-14)
    after = np.maximum(warmup + (1 - warmup) * rest, warmup)
    np.testing.assert_allclose([rates(t) for t in after], [plan(t) for t in rest], atol=1e-13)


@pytest.mark.parametrize("name", ["constant", "cosine"])
def test_warmup_gives_a_learning_rate_without_a_jump(name):
    assert schedule(name, 0.3)(0.3 - 1e-9) == pytest.approx(schedule(name, 0.3)(0.3), abs=1e-8)


def test_learning_rate_may_be_a_function_of_progress():
    def halved(progress):
        return 0.5 ** (4 * progress)

    assert is_planned(halved)
    np.testing.assert_array_equal(curve(schedule(halved, 0.0)), [halved(t) for t in np.linspace(0, 1, 200)])
    np.testing.assert_allclose(schedule(halved, 0.5)(0.75), halved(0.5))


@pytest.mark.parametrize("factor", [np.float32(0.5), np.float64(0.5), np.int64(1), 1, 0, True])
def test_a_learning_rate_function_may_return_any_real_number(factor):
    value = schedule(lambda progress: factor, 0.0)(0.5)
    assert (type(value), value) == (float, float(factor))


@pytest.mark.parametrize("factor", [-0.1, np.nan, np.inf, None, "fast", [1.0], 1j])
def test_a_learning_rate_function_that_returns_no_factor_is_named_with_the_progress(factor):
    with pytest.raises(ValueError, match=r"learning_rate must return a finite factor >= 0; got .* at progress 0\.25"):
        schedule(lambda progress: factor, 0.0)(0.25)


@pytest.mark.parametrize("learning_rate", ["constant", "cosine", lambda progress: 1 - progress])
@pytest.mark.parametrize("warmup", [0.0, 0.5])
def test_the_learning_rates_of_an_epochs_steps_are_the_base_rate_times_the_plan_at_equal_distances(learning_rate, warmup):
    recipe = SimpleNamespace(learning_rate=learning_rate, warmup=warmup, max_iter=4)
    optimizer = SimpleNamespace(learning_rate=0.2)
    rates = [rate for epoch in range(4) for rate in rates_of_epoch(optimizer, recipe, epoch, 3, fold_epochs=0)]
    plan = schedule(learning_rate, warmup)
    np.testing.assert_allclose(rates, [0.2 * plan(step / 12) for step in range(12)], rtol=1e-12)


def test_a_committee_on_folds_runs_through_the_learning_rate_plan_twice():
    recipe = SimpleNamespace(learning_rate="cosine", warmup=0.0, max_iter=5)
    optimizer = SimpleNamespace(learning_rate=0.2)
    rates = [rate for epoch in range(5) for rate in rates_of_epoch(optimizer, recipe, epoch, 2, fold_epochs=2)]
    expected = [*(cosine(step / 4) for step in range(4)), *(cosine(step / 6) for step in range(6))]
    np.testing.assert_allclose(rates, 0.2 * np.array(expected), rtol=1e-12)
