"""The parameter `clip_norm`."""

import numpy as np
import pytest

from sksoftmax.nn.optimizers import OPTIMIZERS, Adam
from support.data import MULTICLASS, X
from support.estimators import planned
from support.marks import STEPWISE
from support.networks import form_of
from support.processes import watch

pytestmark = pytest.mark.usefixtures("numpy_steps")


@STEPWISE
def test_clip_norm_acts_on_every_step_of_fit_and_partial_fit(solver, monkeypatch):
    lengths = []
    watch(monkeypatch, OPTIMIZERS[solver], "step", lambda self, w, g, rate: lengths.append(np.linalg.norm(g)))
    clf = planned(solver=solver, clip_norm=0.05, batch_size=20).fit(X, MULTICLASS)
    clf.partial_fit(X, MULTICLASS)
    assert lengths == pytest.approx([0.05] * 12, rel=1e-9)


def test_clip_norm_limits_the_gradient_of_each_member_as_if_it_were_alone(monkeypatch):
    norms, form = [], form_of(4, (5,), 3, n_members=4)

    def see(self, w, g, rate):
        norms.extend(np.sqrt(sum((part[member] ** 2).sum() for part in form.split(g))) for member in range(4))

    watch(monkeypatch, Adam, "step", see)
    planned(n_members=4, clip_norm=0.05, max_iter=1).fit(X, MULTICLASS)
    assert norms == pytest.approx([0.05] * len(norms), rel=1e-9)
    assert len(norms) >= 4
