"""Schedules of the learning rate over time, as a factor of its initial value.

Planned schedules are functions of training progress, which is 0 at the first step and approaches 1 at the last. They need the
length of the training, `max_iter` epochs, and run to their end. An ensemble runs them twice: on folds, and then on all rows.
'invscaling' and 'adaptive' are scikit-learn's schedules for SGD: they need no length, and change the base rate between epochs.
"""

from math import cos, isfinite, log2, pi
from numbers import Real


def constant(progress):
    """Return 1 at all times."""
    return 1.0


def cosine(progress):
    """The factor falls from 1 to 0 along half a cosine (Loshchilov & Hutter, arXiv:1608.03983, without restarts)."""
    return 0.5 * (1 + cos(pi * progress))


def one_cycle(progress, warmup=0.3, start=1 / 25):
    """The factor rises from 1/25 to 1 in the first 30 %, then falls to 0, each along half a cosine (Smith, arXiv:1708.07120)."""
    if progress < warmup:
        return start + (1 - start) * 0.5 * (1 - cos(pi * progress / warmup))
    return 0.5 * (1 + cos(pi * (progress - warmup) / (1 - warmup)))


def coslog4(progress):
    """Four cosine cycles, each longer than the one before, from 0 to 0: ½ (1 − cos(2π log₂(1 + 15 t))) (arXiv:2407.04491)."""
    return 0.5 * (1 - cos(2 * pi * log2(1 + 15 * progress)))


def invscaling(learning_rate_init, samples_seen, power_t):
    """The learning rate η / (t + 1)^power_t, with t the number of training rows seen so far."""
    return learning_rate_init / (samples_seen + 1) ** power_t


def adaptive(learning_rate):
    """The next learning rate, a fifth of this one; None if training should end because the rate is 1e-6 or lower."""
    return learning_rate / 5 if learning_rate > 1e-6 else None


PLANNED = {f.__name__: f for f in (cosine, one_cycle, coslog4)}


def rates_of_epoch(optimizer, config, epoch, n_batches, fold_epochs):
    """The learning rate of each step of an epoch of `n_batches` steps; `epoch` counts from 0."""
    factor = schedule(config.learning_rate, config.warmup)
    progress = [cycle_progress(epoch + i / n_batches, fold_epochs, config.max_iter) for i in range(n_batches)]
    return [optimizer.learning_rate * factor(part) for part in progress]


def cycle_progress(epoch, first, total):
    """The progress within the first cycle, of `first` epochs, or within the second cycle, of the other total − first epochs."""
    return epoch / first if epoch < first else (epoch - first) / (total - first)


def is_planned(learning_rate):
    """Whether this is a plan over all of training: a name in `PLANNED`, or a function of progress."""
    return callable(learning_rate) or learning_rate in PLANNED


def schedule(learning_rate, warmup):
    """The function of progress for this `learning_rate`, after a linear rise over the fraction `warmup`."""
    plan = checked(learning_rate) if callable(learning_rate) else PLANNED.get(learning_rate, constant)
    return lambda progress: progress / warmup if progress < warmup else plan((progress - warmup) / (1 - warmup))


def checked(plan):
    """The user's function of progress, which now raises ValueError if it does not return a finite factor ≥ 0."""

    def factor(progress):
        value = plan(progress)
        if not isinstance(value, Real) or not isfinite(value) or value < 0:
            raise ValueError(f"learning_rate must return a finite factor >= 0; got {value!r} at progress {progress:.6g}.")
        return float(value)

    return factor
