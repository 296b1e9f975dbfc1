"""The configurations of SoftmaxMLPClassifier on TabArena: the defaults alone."""

from __future__ import annotations

from tabarena.models.sksoftmax.model import SoftmaxMLPModel
from tabarena.utils.config_utils import ConfigGenerator

gen_sksoftmax = ConfigGenerator(model_cls=SoftmaxMLPModel, search_space={}, manual_configs=[{}])
