"""SoftmaxMLPClassifier as a model of TabArena; README.md says how to submit it."""

from __future__ import annotations

from tabarena.models.sksoftmax.hpo import gen_sksoftmax
from tabarena.models.sksoftmax.info import sksoftmax_info, sksoftmax_method_metadata

__all__ = ["gen_sksoftmax", "sksoftmax_info", "sksoftmax_method_metadata"]
