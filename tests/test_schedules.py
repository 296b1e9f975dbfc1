"""End points and shapes of the learning rate schedules."""

import numpy as np
import pytest

from sksoftmax.schedules import PLANNED, adaptive, constant, cosine, coslog4, invscaling, one_cycle


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
def test_invscaling_divides_by_a_power_of_the_rows_seen(samples_seen, power_t, rate):
    assert invscaling(0.1, samples_seen, power_t) == pytest.approx(rate, rel=1e-15)


def test_adaptive_goes_down_by_fifths_until_it_has_reached_a_millionth():
    rates = [0.1]
    while (lower := adaptive(rates[-1])) is not None:
        rates.append(lower)
    np.testing.assert_allclose(rates, 0.1 / 5.0 ** np.arange(len(rates)))
    assert rates[-1] <= 1e-6 < rates[-2]
    assert adaptive(1e-6) is None
