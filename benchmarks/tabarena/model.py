"""SoftmaxMLPClassifier as a model of AutoGluon, in the form that TabArena asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from autogluon.core.models import AbstractModel

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


class SoftmaxMLPModel(AbstractModel):
    """SoftmaxMLPClassifier: an ensemble of small multi-layer perceptrons on NumPy, SciPy and scikit-learn.

    Codebase: sksoftmax on PyPI
    License: BSD-3-Clause

    The classifier reads categories and missing values itself, so that nothing is encoded here. It has no use for `X_val`: each
    network first leaves out one fold, the left-out folds fit the calibration and the weights of the ensemble, and afterwards all
    networks continue on all rows. `time_limit` is not used.
    """

    ag_key = "TA-SKSOFTMAX"
    ag_name = "sksoftmax"
    ag_priority = 65
    seed_name = "random_state"
    warmup_modules: ClassVar[tuple[str, ...]] = ("sksoftmax",)
    cheap_hyperparameters: ClassVar[dict] = {"n_members": 1}
    default_resources_physical_cores_only = True
    _supported_problem_types: ClassVar[list[str]] = ["binary", "multiclass"]
    _default_auxiliary_params_extra: ClassVar[dict] = {"valid_raw_types": ["bool", "int", "float", "category"]}

    def _fit(self, X: pd.DataFrame, y: pd.Series, sample_weight: np.ndarray | None = None, num_cpus: int = 1, **kwargs):
        """Fit the classifier on at most `num_cpus` threads."""
        from threadpoolctl import threadpool_limits

        from sksoftmax import SoftmaxMLPClassifier

        X = self.preprocess(X, y=y, is_train=True)
        self.model = SoftmaxMLPClassifier(**self._get_model_params())
        with threadpool_limits(limits=num_cpus):
            self.model.fit(X, y, sample_weight=sample_weight)

    def _more_tags(self) -> dict:
        """Let AutoGluon refit the model on all rows."""
        return {"can_refit_full": True}
