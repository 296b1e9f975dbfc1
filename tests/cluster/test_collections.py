"""Collections of dask as X and y: what is read, predicted and refused."""

import pickle
import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

pytest.importorskip("distributed")
dd = pytest.importorskip("dask.dataframe", exc_type=ImportError)

import dask.array as da
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.dask import DaskSoftmaxMLPClassifier
from sksoftmax.dask.classifier import check_parameters
from support.callbacks import Recorder
from support.clusters import FRAME, GROUPS, LABELS, MANY_LABELS, NUMBERS, SIZES, SOFT, SPARSE, WEIGHTS, cluster, in_parts
from support.marks import has_callbacks

QUICK = {"hidden_layer_sizes": (8,), "max_iter": 2, "n_members": 1, "companion": False, "random_state": 0}


@pytest.fixture(scope="module")
def dask_client():
    """A cluster of two workers in this process."""
    with cluster(2) as client:
        yield client


@pytest.fixture(scope="module")
def of_frame(dask_client):
    """The estimator fitted on a frame with labels of text."""
    return quick().fit(in_parts(FRAME, SIZES), in_parts(LABELS.astype(str), SIZES))


def quick(**params):
    """A small network that trains for two epochs."""
    return DaskSoftmaxMLPClassifier(**QUICK | params)


# Parameters


def test_all_parameters_of_the_local_class_are_there_with_their_defaults_and_client():
    assert DaskSoftmaxMLPClassifier().get_params() == SoftmaxMLPClassifier().get_params() | {"client": None}
    check_parameters(DaskSoftmaxMLPClassifier())


def test_a_clone_has_the_same_client_and_a_pickle_has_none(of_frame, dask_client):
    estimator = quick(client=dask_client, alpha=0.5)
    assert clone(estimator).client is dask_client
    assert clone(estimator).alpha == 0.5
    loaded = pickle.loads(pickle.dumps(of_frame.set_params(client=dask_client)))
    of_frame.set_params(client=None)
    assert loaded.client is None
    assert_array_equal(loaded.predict(FRAME), of_frame.predict(FRAME))


def test_a_wrong_parameter_is_refused_before_any_row_is_read():
    with pytest.raises(ValueError, match=r"alpha.*-1"):
        quick(alpha=-1).fit(None, None)


def test_partial_fit_is_not_there():
    assert not hasattr(quick(), "partial_fit")
    with pytest.raises(AttributeError, match="SoftmaxMLPClassifier"):
        quick().partial_fit(None, None)


def test_the_local_estimator_is_the_same_model(of_frame):
    local = of_frame.to_local()
    assert type(local) is SoftmaxMLPClassifier
    assert local.get_params() == {name: value for name, value in of_frame.get_params().items() if name != "client"}
    assert_array_equal(local.predict_proba(FRAME), of_frame.predict_proba(FRAME))
    assert not hasattr(quick().to_local(), "classes_")


# Predictions


@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba", "decision_function"])
def test_predictions_for_a_frame_are_lazy_with_its_index_and_partitions(method, of_frame):
    X = in_parts(FRAME.set_index(FRAME.index + 7), SIZES)
    answer = getattr(of_frame, method)(X)
    assert answer.npartitions == X.npartitions
    computed = answer.compute()
    assert_array_equal(computed.index, FRAME.index + 7)
    assert_array_equal(computed, getattr(of_frame.to_local(), method)(FRAME))
    if computed.ndim == 2:
        assert list(computed.columns) == list(of_frame.classes_)


@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function"])
def test_predictions_for_a_frame_have_the_types_that_dask_was_told(method, of_frame):
    answer = getattr(of_frame, method)(in_parts(FRAME, SIZES))
    dd.utils.assert_eq(answer, answer.compute(), check_divisions=False)


def test_no_error_in_a_prediction_is_its_own_cause(of_frame):
    X = FRAME.assign(kind=pd.Categorical(np.ones(len(FRAME))))
    message = "Column 'kind' of X holds values of type float"
    with pytest.raises(ValueError, match=message) as raised:
        of_frame.predict(X)
    assert raised.value.__cause__ is not raised.value  # dask would follow the causes without end
    with pytest.raises(ValueError, match=message):
        of_frame.predict(in_parts(X, SIZES)).compute()


def computed_at(block, addresses):
    """The block; an error if another worker computes it, or none."""
    from distributed import get_worker

    assert get_worker().address in addresses
    return block


def test_the_score_is_computed_by_the_workers_of_the_client():
    with cluster(1) as client, cluster(1):  # the second one is dask's default
        X = in_parts(NUMBERS, SIZES)
        bound = X.map_blocks(computed_at, list(client.nthreads()), dtype=float, meta=np.empty((0, 0)))
        estimator = quick(client=client).fit(bound, LABELS)
        expected = estimator.to_local().score(NUMBERS, LABELS)
        assert estimator.score(bound, LABELS) == expected
    assert estimator.score(X, LABELS) == expected  # its client is closed


@pytest.mark.parametrize("X", [NUMBERS, SPARSE], ids=["dense", "sparse"])
@pytest.mark.parametrize("y", [LABELS > 0, MANY_LABELS, SOFT], ids=["two classes", "multilabel", "soft labels"])
def test_predictions_for_an_array_are_lazy_with_its_chunks(X, y, dask_client):
    estimator, given = quick().fit(in_parts(X, SIZES), in_parts(y, SIZES)), in_parts(X, SIZES)
    for method in ("predict", "predict_proba", "decision_function"):
        answer, expected = getattr(estimator, method)(given), getattr(estimator.to_local(), method)(X)
        assert answer.chunks[0] == given.chunks[0]
        assert (answer.shape, answer.dtype) == (expected.shape, expected.dtype)
        assert_array_equal(answer.compute(), expected)


@pytest.mark.parametrize(("X", "y"), [(NUMBERS, LABELS), (NUMBERS, SOFT), (FRAME, MANY_LABELS)])
def test_the_score_is_that_of_the_local_estimator(X, y, dask_client):
    estimator = quick().fit(in_parts(X, SIZES), in_parts(y, SIZES))
    for given_X, given_y, weights in [
        (in_parts(X, SIZES), in_parts(y, SIZES), in_parts(WEIGHTS, SIZES)),
        (in_parts(X, SIZES), y, WEIGHTS),
    ]:
        assert estimator.score(given_X, given_y, weights) == pytest.approx(estimator.to_local().score(X, y, WEIGHTS))


# Collections


def test_partitions_may_be_many_empty_or_of_one_row(dask_client):
    whole = quick(dropout=0.0).fit(in_parts(NUMBERS, [300]), in_parts(LABELS, [300]))
    for sizes in ([1] * 20 + [0, 280], [0, 300, 0], [3] * 100):
        parts = quick(dropout=0.0).fit(in_parts(NUMBERS, sizes), in_parts(LABELS, [300]))
        assert_allclose(parts.coefs_[0], whole.coefs_[0], atol=1e-4)


def test_a_class_or_category_may_be_in_one_partition_only(dask_client):
    order = np.argsort(LABELS, kind="stable")
    frame = FRAME.assign(color=np.where(LABELS == 0, "red", "blue")).iloc[order]
    estimator = quick().fit(in_parts(frame, [100, 100, 100]), in_parts(LABELS[order], [150, 150]))
    assert list(estimator.classes_) == [0, 1, 2]
    assert estimator.categories_["color"] == ["blue", "red"]


def test_categories_of_partitions_are_united(dask_client):
    halves = [
        FRAME.iloc[:150].assign(kind=pd.Categorical(["a"] * 150)),
        FRAME.iloc[150:].assign(kind=pd.Categorical(["z"] * 150)),
    ]
    X = dd.from_delayed(dask_delayed(halves), meta=halves[0].iloc[:0], verify_meta=False)
    assert quick().fit(X, LABELS).categories_["kind"] == ["a", "z"]


@pytest.mark.parametrize("categories", [[None], [1.5], [3, 2]], ids=["no values", "floats", "integers"])
def test_categories_of_partitions_may_differ_in_dtype(categories, dask_client):
    first = FRAME.iloc[:150].assign(kind=pd.Categorical((categories * 150)[:150]))
    X = dd.from_delayed(dask_delayed([first, FRAME.iloc[150:]]), meta=FRAME.iloc[:0], verify_meta=False)
    kind = pd.Categorical([*first["kind"], *FRAME["kind"].iloc[150:]])
    expected = SoftmaxMLPClassifier(**QUICK).fit(FRAME.assign(kind=kind), LABELS)
    assert quick().fit(X, LABELS).categories_["kind"] == expected.categories_["kind"]


def test_a_column_of_numbers_may_hold_none_in_a_partition(dask_client):
    first = FRAME.iloc[:150].assign(size=pd.Series([None] * 150, dtype=object))  # which dask turns into text
    X = dd.from_delayed(dask_delayed([first, FRAME.iloc[150:]]), meta=first.iloc[:0], verify_meta=False)
    whole = FRAME.assign(size=FRAME["size"].where(FRAME.index >= 150))
    local = SoftmaxMLPClassifier(**QUICK | {"dropout": 0.0}).fit(whole, LABELS)
    estimator = quick(dropout=0.0).fit(X, LABELS)
    assert_allclose(estimator.coefs_[0], local.coefs_[0], atol=1e-4)
    assert_array_equal(estimator.predict(X).compute(), local.predict(whole))


def test_columns_without_a_chunk_boundary_between_them_are_not_required(dask_client):
    X = da.from_array(NUMBERS, chunks=(100, 2))
    assert_allclose(
        quick(dropout=0.0).fit(X, LABELS).coefs_[0], quick(dropout=0.0).fit(in_parts(NUMBERS, [300]), LABELS).coefs_[0], atol=1e-4
    )


def test_validation_rows_may_be_collections_with_weights_and_another_scorer(dask_client):
    params = {"early_stopping": True, "scoring": "balanced_accuracy", "dropout": 0.0, "dtype": "float64"}
    others = {"X_val": FRAME[:90], "y_val": LABELS[:90], "sample_weight_val": WEIGHTS[:90]}
    one = SoftmaxMLPClassifier(**QUICK | params).fit(FRAME, LABELS, **others)
    many = quick(**params).fit(
        in_parts(FRAME, SIZES), in_parts(LABELS, SIZES), **{name: in_parts(value, [40, 50]) for name, value in others.items()}
    )
    assert many.validation_scores_ == pytest.approx(one.validation_scores_)
    split = quick(**params).fit(in_parts(FRAME, SIZES), in_parts(LABELS, SIZES), groups=GROUPS)
    expected = SoftmaxMLPClassifier(**QUICK | params).fit(FRAME, LABELS, groups=GROUPS)
    assert split.validation_scores_ == pytest.approx(expected.validation_scores_)


def test_rows_that_the_split_shuffles_keep_their_targets_on_a_worker_whose_rows_are_all_trained_on(dask_client):
    params = {"scaling": None, "early_stopping": True, "dropout": 0.0, "dtype": "float64"}
    X = np.nan_to_num(NUMBERS)
    one = SoftmaxMLPClassifier(**QUICK | params).fit(X, LABELS, sample_weight=WEIGHTS + 1)
    many = quick(**params).fit(in_parts(X, [296, 4]), LABELS, sample_weight=WEIGHTS + 1)
    assert_allclose(many.loss_curve_, one.loss_curve_, rtol=1e-9)


def test_a_warm_start_continues(dask_client):
    X, y = in_parts(NUMBERS, SIZES), in_parts(LABELS, SIZES)
    estimator, local = quick(warm_start=True, dropout=0.0), SoftmaxMLPClassifier(**QUICK | {"warm_start": True, "dropout": 0.0})
    estimator.fit(X, y).fit(X, y)
    local.fit(NUMBERS, LABELS).fit(NUMBERS, LABELS)
    assert_allclose(estimator.loss_curve_, local.loss_curve_, rtol=1e-4)


def test_batches_grow_with_the_rows_so_that_the_steps_stay_below_a_limit(dask_client, monkeypatch):
    from sksoftmax.dask import start

    monkeypatch.setattr(start, "MAX_STEPS", 5)
    estimator = quick(max_iter=4).fit(in_parts(NUMBERS, SIZES), LABELS)
    assert estimator.batch_size_ == 240  # 4 epochs of 300 rows in 5 steps
    assert quick(max_iter=4, batch_size=60).fit(in_parts(NUMBERS, SIZES), LABELS).batch_size_ == 60


def test_verbose_prints_the_rows_a_second_of_each_epoch(dask_client, capsys):
    quick(verbose=True).fit(in_parts(NUMBERS, SIZES), LABELS)
    assert len(re.findall(r"^[\d,]+ rows a second\.$", capsys.readouterr().out, re.MULTILINE)) == 2


@has_callbacks
def test_callbacks_get_the_users_collection_and_each_epoch(dask_client):
    X, recorder = in_parts(FRAME, SIZES), Recorder()
    quick().set_callbacks(recorder).fit(X, LABELS)
    assert recorder.events.count("end epoch 1") == 1
    assert all(given is X for _, given, *_ in recorder.seen)


def test_functions_as_parameters_stay_with_the_client(dask_client):
    schedule, scorer = lambda progress: 1.0 if dask_client else 0.0, lambda clf, X, y: clf.score(X, y) if dask_client else 0.0
    clf = quick(learning_rate=schedule, scoring=scorer, early_stopping=True).fit(in_parts(FRAME, SIZES), LABELS)
    assert len(clf.validation_scores_) == 2


# Errors


@pytest.mark.parametrize("X", [FRAME, NUMBERS, None, [[1.0]]], ids=["frame", "array", "None", "list"])
def test_data_in_memory_is_refused_by_the_name_of_the_class_for_it(X, dask_client):
    with pytest.raises(TypeError, match=r"X must be a dask DataFrame.*SoftmaxMLPClassifier trains on data in memory"):
        quick().fit(X, LABELS)


def test_a_series_is_refused_as_X(dask_client):
    with pytest.raises(TypeError, match=r"X must be a dask DataFrame.*Series"):
        quick().fit(in_parts(FRAME["size"], SIZES), LABELS)


def test_without_a_client_the_error_says_how_to_start_one(monkeypatch):
    def no_client():
        raise ValueError("No global client found")

    monkeypatch.setattr("sksoftmax.dask.cluster.get_client", no_client)
    with pytest.raises(ValueError, match=r"client = distributed.Client\(\)"):
        quick().fit(da.from_array(NUMBERS), LABELS)


@pytest.mark.parametrize("client", ["tcp://scheduler:8786", 5], ids=["an address", "a number"])
def test_a_client_of_another_type_is_refused(client):
    with pytest.raises(TypeError, match=r"client must be a distributed.Client or None; got a (str|int)"):
        quick(client=client).fit(da.from_array(NUMBERS), LABELS)


def test_a_closed_client_is_refused():
    with cluster(1) as client:
        pass
    with pytest.raises(ValueError, match="client is closed"):
        quick(client=client).fit(da.from_array(NUMBERS), LABELS)


def test_X_without_columns_is_refused(dask_client):
    with pytest.raises(ValueError, match="X must have rows and columns"):
        quick().fit(in_parts(FRAME, SIZES)[[]], LABELS)


def test_a_delayed_frame_is_refused(dask_client):
    with pytest.raises(TypeError, match="X must be a dask DataFrame"):
        quick().fit(dask_delayed([FRAME])[0], LABELS)


def test_validation_rows_in_memory_are_refused_with_what_to_pass(dask_client):
    with pytest.raises(TypeError, match=r"X_val must be a dask DataFrame.*from_pandas\(X_val\)"):
        quick(early_stopping=True).fit(in_parts(FRAME, SIZES), LABELS, X_val=FRAME, y_val=LABELS)


def dask_delayed(parts):
    """These parts, delayed."""
    import dask

    return [dask.delayed(part) for part in parts]


def in_two(change):
    """The frame in two partitions, of which the second one is changed."""
    first, second = FRAME.iloc[:150], change(FRAME.iloc[150:].copy())
    return dd.from_delayed(dask_delayed([first, second]), meta=first.iloc[:0], verify_meta=False)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (
            lambda part: part[part.columns[::-1]],
            "All partitions of X must have the same columns in the same order.*partition 1 has",
        ),
        (lambda part: part.drop(columns="size"), "All partitions of X must have the same columns"),
        (lambda part: part.assign(size="tall"), "size"),
        (lambda part: part.assign(size=part["size"].where(part.index != 200, np.inf)), "In partition 1 of X:.*infinity.*'size'"),
    ],
    ids=["another order", "a column less", "text for numbers", "infinity"],
)
def test_a_partition_that_does_not_fit_is_named(change, error, dask_client):
    with pytest.raises(ValueError, match=error):
        quick().fit(in_two(change), LABELS)


@pytest.mark.parametrize("name", ["y", "sample_weight", "groups"])
def test_an_argument_with_another_number_of_rows_is_named(name, dask_client):
    given = {"y": LABELS} | {name: in_parts(LABELS[:200], [100, 100])}
    with pytest.raises(ValueError, match=f"{name} must have an entry for each of the 300 rows of X; got 200"):
        quick().fit(in_parts(FRAME, SIZES), **given)


@pytest.mark.parametrize("name", ["y", "sample_weight", "groups"])
def test_an_argument_with_the_index_of_X_in_another_order_is_refused(name, dask_client):
    order = np.random.default_rng(0).permutation(len(FRAME))
    X, labels = FRAME.iloc[order], pd.Series(LABELS)[order]
    by_index = dd.from_pandas(X, npartitions=3)  # sorted
    given = {"y": dd.from_pandas(labels, npartitions=2)} | {name: labels}
    with pytest.raises(ValueError, match=f"{name} has the index of X in another order.*{name}.to_numpy"):
        quick().fit(by_index, **given)
    unsorted = dd.from_pandas(X, npartitions=3, sort=False)
    local = SoftmaxMLPClassifier(**QUICK | {"dropout": 0.0}).fit(X, labels)
    estimator = quick(dropout=0.0).fit(unsorted, labels)
    assert_allclose(estimator.coefs_[0], local.coefs_[0], atol=1e-4)
    assert estimator.score(unsorted, labels) == pytest.approx(local.score(X, labels))
    if name != "groups":
        with pytest.raises(ValueError, match=f"{name} has the index of X"):
            estimator.score(by_index, **given)


def test_X_without_rows_is_refused(dask_client):
    with pytest.raises(ValueError, match="X must have rows"):
        quick().fit(in_parts(NUMBERS[:0], [0, 0]), LABELS[:0])


def test_a_search_over_an_array_trains_each_candidate_on_all_workers(dask_client):
    search = GridSearchCV(quick(dropout=0.0), {"alpha": [0.0, 0.1]}, cv=2).fit(in_parts(NUMBERS, SIZES), in_parts(LABELS, SIZES))
    local = GridSearchCV(SoftmaxMLPClassifier(**QUICK | {"dropout": 0.0}), {"alpha": [0.0, 0.1]}, cv=2).fit(NUMBERS, LABELS)
    assert_allclose(search.cv_results_["mean_test_score"], local.cv_results_["mean_test_score"], atol=0.02)
