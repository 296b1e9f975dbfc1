"""What TabArena lists about SoftmaxMLPClassifier."""

from __future__ import annotations

from tabarena.models._method_metadata import ModelDescriptor
from tabarena.models._model_info import ModelInfo
from tabarena.models.sksoftmax.hpo import gen_sksoftmax
from tabarena.models.sksoftmax.model import SoftmaxMLPModel

sksoftmax_descriptor = ModelDescriptor(
    display_name="sksoftmax",
    compute="cpu",
    is_bag=True,
    license="BSD-3-Clause",
    commercial_use=True,
)

sksoftmax_method_metadata = sksoftmax_descriptor.method_metadata(
    method="sksoftmax",
    ag_key=SoftmaxMLPModel.ag_key,
    model_key="SKSOFTMAX",
    can_hpo=False,
    validation_protocol="8x1",
    verified=False,
)

sksoftmax_info = ModelInfo(
    model_cls=SoftmaxMLPModel,
    search_space=gen_sksoftmax,
    method_metadata=sksoftmax_method_metadata,
    pip_extra=("sksoftmax==0.1.0",),
)
