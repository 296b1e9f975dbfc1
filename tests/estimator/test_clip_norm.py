"""The parameter `clip_norm`."""

import numpy as np
import pytest

from sksoftmax.nn.optimizers import SGD, Adam
from support.data import MULTICLASS, X
from support.estimators import planned
from support.marks import STEPWISE


@STEPWISE
def test_clip_norm_acts_on_every_step_of_fit_and_partial_fit(solver, monkeypatch):
    optimizer, lengths = {"adam": Adam, "sgd": SGD}[solver], []
    step = optimizer.step
    monkeypatch.setattr(optimizer, "step", lambda self, w, g, rate: lengths.append(np.linalg.norm(g)) or step(self, w, g, rate))
    clf = planned(solver=solver, clip_norm=0.05, batch_size=20).fit(X, MULTICLASS)
    clf.partial_fit(X, MULTICLASS)
    assert lengths == pytest.approx([0.05] * 12, rel=1e-9)


def test_clip_norm_limits_the_gradient_of_each_member_as_if_it_were_alone(monkeypatch):
    step, norms = Adam.step, []

    def recorded(self, w, g, rate):
        parts = clf_form.split(g)
        norms.extend(np.sqrt(sum((part[member] ** 2).sum() for part in parts)) for member in range(4))
        step(self, w, g, rate)

    clf = planned(n_members=4, clip_norm=0.05, max_iter=1).fit(X, MULTICLASS)
    clf_form = clf._model.network.architecture
    monkeypatch.setattr(Adam, "step", recorded)
    clf.fit(X, MULTICLASS)
    assert norms == pytest.approx([0.05] * len(norms), rel=1e-9)
    assert len(norms) >= 4
