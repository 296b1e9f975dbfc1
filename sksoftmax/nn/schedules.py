"""The learning rate over time, as a factor of its initial value.

Planned schedules are functions of training progress, 0 at the first step and approaching 1 at the last: they need the
length of the training, `max_iter` epochs, and run to their end; in a committee twice, on folds and then on all rows.
'invscaling' and 'adaptive' are scikit-learn's for SGD: they know no end, and change the base rate between epochs.
"""

from math import cos, isfinite, log2, pi
from numbers import Real


def constant(progress):
    """1 throughout."""
    return 1.0


def cosine(progress):
    """From 1 to 0 along half a cosine (Loshchilov & Hutter, arXiv:1608.03983, without restarts)."""
    return 0.5 * (1 + cos(pi * progress))


def one_cycle(progress, warmup=0.3, start=1 / 25):
    """Up from 1/25 to 1 in the first 30 %, then down to 0, each along half a cosine (Smith, arXiv:1708.07120)."""
    if progress < warmup:
        return start + (1 - start) * 0.5 * (1 - cos(pi * progress / warmup))
    return 0.5 * (1 + cos(pi * (progress - warmup) / (1 - warmup)))


def coslog4(progress):
    """Four ever longer cosine cycles that start and end at 0: ½ (1 − cos(2π log₂(1 + 15 t))) (arXiv:2407.04491)."""
    return 0.5 * (1 - cos(2 * pi * log2(1 + 15 * progress)))


def invscaling(learning_rate_init, samples_seen, power_t):
    """The learning rate η / (t + 1)^power_t, with t the number of training rows seen so far."""
    return learning_rate_init / (samples_seen + 1) ** power_t


def adaptive(learning_rate):
    """The next learning rate, a fifth; None where it is already so low (1e-6) that training should end."""
    return learning_rate / 5 if learning_rate > 1e-6 else None


PLANNED = {f.__name__: f for f in (cosine, one_cycle, coslog4)}


def cycle_progress(epoch, first, total):
    """The progress within the first cycle of `first` epochs, or within a second that has the rest of `total`."""
    return epoch / first if epoch < first else (epoch - first) / (total - first)


def is_planned(learning_rate):
    """Whether this is a plan over all of training: a name in `PLANNED`, or a function of progress."""
    return callable(learning_rate) or learning_rate in PLANNED


def schedule(learning_rate, warmup):
    """The function of progress that `learning_rate` stands for, begun by a linear rise over the fraction `warmup`."""
    plan = checked(learning_rate) if callable(learning_rate) else PLANNED.get(learning_rate, constant)
    return lambda progress: progress / warmup if progress < warmup else plan((progress - warmup) / (1 - warmup))


def checked(plan):
    """The user's function of progress; ValueError where it does not return a finite factor ≥ 0."""

    def factor(progress):
        value = plan(progress)
        if not isinstance(value, Real) or not isfinite(value) or value < 0:
            raise ValueError(f"learning_rate must return a finite factor >= 0; got {value!r} at progress {progress:.6g}.")
        return float(value)

    return factor
