"""The attributes of a fitted estimator, made of its `Model` and of the `TrainingState`."""

import copy
from dataclasses import replace

from sksoftmax.data.column_descriptions import known_categories, unused_columns
from sksoftmax.layout import EMBEDDING_UNITS


def estimator_so_far(estimator, model, state):
    """A copy of the estimator as if training had ended here; its arrays continue to change."""
    fitted = copy.copy(estimator)
    vars(fitted).update(fitted_attributes(fitted, model, state.copy()))
    return fitted


def fitted_attributes(estimator, model, state, copied=False):
    """The attributes that make this estimator a fitted one, public and private; on request, with arrays that no longer change."""
    if copied:
        model, state = replace(model, network=model.network.copy()), state.copy()
        model.absorb_calibration()
    return {
        "_model": model,
        "_training": state,
        "_no_improvement_count": state.progress.stale_epochs,  # by this name scikit-learn's tests of MLPClassifier know it
        **attributes_of_columns(estimator, model.preprocessor),
        **model.public(),
        **state.progress.public(),
        **state.resolved,
        "engine_": state.engine,
    }


def attributes_of_columns(estimator, preprocessor):
    """The attributes that say what the columns of X became."""
    names = getattr(estimator, "feature_names_in_", None)
    names = [f"x{i}" for i in range(estimator.n_features_in_)] if names is None else names
    names = preprocessor.categories.names(names)
    return {
        "encoded_feature_names_": preprocessor.get_feature_names_out(names, EMBEDDING_UNITS),
        "categories_": known_categories(preprocessor, names),
        "unused_columns_": unused_columns(preprocessor, names),
    }
