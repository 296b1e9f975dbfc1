"""skops saves and loads the estimator without pickle, given a short list of types to trust."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from support.neutral import plain

sio = pytest.importorskip("skops.io")


from skops.io.exceptions import UntrustedTypesFoundException  # noqa: E402 only where it is installed

X, y = load_iris(return_X_y=True)
X = StandardScaler().fit_transform(X)
TRUSTED = (
    "sksoftmax.classifier.SoftmaxMLPClassifier",
    "sksoftmax.nn.network.Network",
    "sksoftmax.data.targets.TargetEncoder",
    "sksoftmax.training.progress.Progress",
    "sksoftmax.data.preprocessing.Preprocessor",
    "sksoftmax.data.columns.Categories",
    "sksoftmax.training.committee.Mixture",
)
HEADS = {
    "sksoftmax.data.heads.SoftmaxHead": y,
    "sksoftmax.data.heads.BinaryHead": np.array(["no", "yes"])[(y > 0).astype(int)],
    "sksoftmax.data.heads.MultilabelHead": np.column_stack([y == 1, y == 2]).astype(int),
}
OPTIMIZERS = {
    ("sksoftmax.nn.optimizers.Adam",): {"dropout": 0.1},
    ("sksoftmax.nn.optimizers.SGD",): {"solver": "sgd", "weight_decay": 0.1},
    ("sksoftmax.nn.optimizers.Adam", "sksoftmax.nn.optimizers.Averaged"): {"ema_decay": 0.9, "clip_norm": 1.0},
}
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def five_epochs(**params):
    return plain(**{"hidden_layer_sizes": (6,), "max_iter": 5, "random_state": 0, **params})


def reloaded(estimator, *types):
    """The estimator after a round trip in which exactly these types, beyond scikit-learn's own, had to be trusted."""
    data = sio.dumps(estimator)
    assert set(sio.get_untrusted_types(data=data)) == set(types)
    return sio.loads(data, trusted=list(types))


@pytest.mark.parametrize("head", HEADS)
def test_a_fitted_model_predicts_the_same_and_needs_eight_types(head):
    clf = five_epochs().fit(X, HEADS[head])
    loaded = reloaded(clf, *TRUSTED, head)
    assert_array_equal(loaded.predict_proba(X), clf.predict_proba(X))
    assert_array_equal(loaded.predict(X), clf.predict(X))


@pytest.mark.parametrize("optimizers", OPTIMIZERS, ids=str)
@pytest.mark.parametrize("head", HEADS)
def test_partial_fit_continues_after_loading_as_if_never_saved(head, optimizers):
    clf = five_epochs(**OPTIMIZERS[optimizers])
    for _ in range(3):
        clf.partial_fit(X, HEADS[head], classes=None if HEADS[head].ndim == 2 else np.unique(HEADS[head]))
    loaded = reloaded(clf, *TRUSTED, head, *optimizers)
    for _ in range(2):
        assert_array_equal(loaded.partial_fit(X, HEADS[head]).coefs_[0], clf.partial_fit(X, HEADS[head]).coefs_[0])
    assert loaded.loss_curve_ == clf.loss_curve_


def test_early_stopping_of_partial_fit_continues_after_loading():
    clf = five_epochs(early_stopping=True, n_iter_no_change=2, learning_rate_init=0.1)
    given = {"X_val": X[::3], "y_val": y[::3]}
    clf.partial_fit(X, y, classes=[0, 1, 2], **given)
    loaded = reloaded(clf, *TRUSTED, "sksoftmax.data.heads.SoftmaxHead", "sksoftmax.nn.optimizers.Adam")
    for _ in range(2):
        clf.partial_fit(X, y, **given)
        loaded.partial_fit(X, y, **given)
    assert loaded.validation_scores_ == clf.validation_scores_
    assert loaded.best_validation_score_ == clf.best_validation_score_


def test_warm_start_continues_after_loading_as_if_never_saved():
    clf = five_epochs(warm_start=True, random_state=np.random.RandomState(0)).fit(X, y)
    loaded = reloaded(clf, *TRUSTED, "sksoftmax.data.heads.SoftmaxHead", "sksoftmax.nn.optimizers.Adam")
    assert_array_equal(loaded.fit(X, y).coefs_[0], clf.fit(X, y).coefs_[0])


@pytest.mark.parametrize(
    "params",
    [
        {"solver": "lbfgs"},
        {"hidden_layer_sizes": ()},
        {"n_iter_no_change": np.inf},
        {"hidden_layer_sizes": (6, 4), "activation": ["tanh", "relu"], "dropout": [0.1, 0.0]},
        {"class_weight": {0: 1.0, 1: 2.0, 2: 0.5}, "early_stopping": True, "scoring": "neg_log_loss"},
    ],
    ids=str,
)
def test_a_loaded_model_can_be_fitted_again(params):
    clf = five_epochs(**params).fit(X, y)
    loaded = reloaded(clf, *TRUSTED, "sksoftmax.data.heads.SoftmaxHead")
    assert loaded.get_params() == clf.get_params()
    assert_array_equal(loaded.fit(X, y).coefs_[0], clf.coefs_[0])


def test_weights_set_by_hand_are_saved():
    clf = five_epochs().fit(X, y)
    clf.coefs_ = [2 * W for W in clf.coefs_]
    assert_array_equal(reloaded(clf, *TRUSTED, "sksoftmax.data.heads.SoftmaxHead").predict_proba(X), clf.predict_proba(X))


def test_every_fitted_attribute_comes_back_equal():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X.astype(np.float32), columns=["a", "b", "c", "d"])
    clf = five_epochs(early_stopping=True).fit(frame, np.array(["x", "y", "z"], dtype=object)[y])
    loaded = reloaded(clf, *TRUSTED, "sksoftmax.data.heads.SoftmaxHead")
    names = [name for name in vars(clf) if name.endswith("_")]
    for name in names:
        np.testing.assert_equal(getattr(loaded, name), getattr(clf, name))
        assert type(getattr(loaded, name)) is type(getattr(clf, name)), name
    assert loaded.predict_proba(frame).dtype == np.float32


def test_a_pipeline_needs_no_more_than_the_model_in_it():
    clf = make_pipeline(StandardScaler(), five_epochs()).fit(X, y)
    assert_array_equal(reloaded(clf, *TRUSTED, "sksoftmax.data.heads.SoftmaxHead").predict_proba(X), clf.predict_proba(X))


def test_an_unfitted_model_needs_one_type():
    assert reloaded(five_epochs(), TRUSTED[0]).get_params() == five_epochs().get_params()


def test_nothing_is_loaded_without_trust():
    data = sio.dumps(five_epochs().fit(X, y))
    with pytest.raises(UntrustedTypesFoundException, match=r"sksoftmax\.classifier\.SoftmaxMLPClassifier"):
        sio.loads(data)


def test_scaling_missing_values_and_categorical_features_are_saved():
    frame = pd.DataFrame(X, columns=list("abcd")).assign(kind=pd.Categorical(np.array(["p", "q", "r"])[y]))
    frame.loc[::7, "a"] = np.nan
    clf = five_epochs(scaling="robust", categorical_features="from_dtype").fit(frame, y)
    loaded = reloaded(clf, *TRUSTED, "sksoftmax.data.heads.SoftmaxHead")
    assert_array_equal(loaded.predict_proba(frame), clf.predict_proba(frame))
