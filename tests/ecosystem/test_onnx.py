"""onnxruntime predicts the same from the exported model as the estimator."""

import re
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.ensemble import BaggingClassifier, StackingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.data.blocks import Bins, Codes, Flags, Numbers, OneHot, Sentinels
from sksoftmax.data.heads import BinaryHead, MultilabelHead, SoftmaxHead
from sksoftmax.nn import layers
from sksoftmax.onnx import register, to_onnx
from sksoftmax.onnx.network import ACTIVATIONS
from support.estimators import plain
from support.networks import fitted_model
from support.weights import flat_vector

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
skl2onnx = pytest.importorskip("skl2onnx")
X, y = load_iris(return_X_y=True)
X = StandardScaler().fit_transform(X)
DATASETS = {"iris": load_iris, "breast cancer": load_breast_cancer, "digits": load_digits}
TOLERANCE = {np.dtype(np.float32): 1e-5, np.dtype(np.float64): 1e-12}
ROUNDING = 1e-5  # the tolerance for a network and a graph of different dtypes
TARGETS = {
    "three classes": y,
    "two classes": y > 0,
    "one class": np.zeros_like(y),
    "multilabel": np.column_stack([y == 1, X[:, 0] > 0]).astype(int),
    "soft labels": np.eye(3)[y] * 0.7 + 0.1,
    "soft labels of two classes": np.column_stack([y == 0, y != 0]) * 0.8 + 0.1,
}
LABELS = {
    "bool": np.array([False, True]),
    "str": np.array(["a", "second", "ü"]),
    "str in objects": np.array(["a", "second", "ü"], dtype=object),
    "int beyond 32 bits": np.array([-5, 3, 2**40]),
    "unsigned int": np.array([0, 7, 255], dtype=np.uint8),
    "float": np.array([0.0, 1.0, 3.0]),
}
in_both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])
in_both_scalings = pytest.mark.parametrize("scaling", ["robust", "standard"])
of_every_kind_of_target = pytest.mark.parametrize("target", TARGETS)
of_two_and_three_classes = pytest.mark.parametrize("target", ["three classes", "two classes"])


def small_lbfgs_for_onnx(**params):
    """A small network that L-BFGS takes to its optimum in a few steps."""
    return plain(**{"hidden_layer_sizes": (6,), "solver": "lbfgs", "alpha": 0.1, "tol": 1e-2, "random_state": 0, **params})


def three_epochs(**params):
    """The default estimator after three epochs."""
    return SoftmaxMLPClassifier(**{"max_iter": 3, "random_state": 0, **params})


def run_onnx(model, X):
    """The outputs of the exported model; `X` is an array, or a frame or dict of inputs."""
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    inputs = {"X": X} if isinstance(X, np.ndarray) else {name: np.reshape(X[name], (len(X[name]), -1)) for name in X}
    return session.run(None, inputs)


def assert_same_predictions(clf, X, *, rows=None, atol=None, **options):
    """Compare predictions on X. `rows` is X as the graph takes it, if other than X."""
    label, probabilities = run_onnx(to_onnx(clf, X[:1], **options), X if rows is None else rows)
    assert_allclose(probabilities, clf.predict_proba(X), rtol=0, atol=atol or TOLERANCE[probabilities.dtype])
    assert_array_equal(label, clf.predict(X))
    return label, probabilities


def assert_same_scores(clf, X, **tolerances):
    """Compare raw scores with `decision_function`."""
    scores = run_onnx(to_onnx(clf, X[:1], options={"zipmap": False, "raw_scores": True}), X)[1]
    expected = clf.decision_function(X)
    assert_allclose(scores[:, 1] if expected.ndim == 1 else scores, expected, **tolerances)
    return expected


@in_both_dtypes
@pytest.mark.parametrize("dataset", DATASETS)
def test_a_pipeline_predicts_the_same_on_real_data(dataset, dtype):
    rows, labels = DATASETS[dataset](return_X_y=True)
    clf = make_pipeline(StandardScaler(), small_lbfgs_for_onnx(hidden_layer_sizes=(30,))).fit(rows, labels)
    label, probabilities = assert_same_predictions(clf, rows.astype(dtype))
    assert probabilities.dtype == dtype
    assert (label == labels).mean() > 0.95


def test_every_activation_has_a_graph():
    assert set(ACTIVATIONS) == set(layers.ACTIVATIONS)


@in_both_dtypes
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_predicts_the_same(activation, dtype):
    clf = small_lbfgs_for_onnx(activation=activation, hidden_layer_sizes=(8, 6)).fit(X, y)
    assert_same_predictions(clf, X.astype(dtype), atol=1e-6 if activation == "gelu" else None)  # onnxruntime's erf is float32


@in_both_dtypes
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_graph_of_an_activation_follows_it_far_from_zero(activation, dtype):
    """Nothing overflows on the way to a finite result: one unit, whose weights, set by hand, pass Z through."""
    clf = small_lbfgs_for_onnx(activation=activation, hidden_layer_sizes=(1,)).fit(X[:, :1], y > 0)
    clf.coefs_, clf.intercepts_ = [np.ones((1, 1)), np.ones((1, 1))], [np.zeros(1), np.zeros(1)]
    Z = np.array([-1e4, -100.0, -20.0, -1.0, -1e-3, 0.0, 1e-3, 1.0, 20.0, 100.0, 1e4], dtype)[:, None]
    assert_same_scores(clf, Z, rtol=1e-6, atol=2e-7)


@in_both_dtypes
@pytest.mark.parametrize("out_activation", ["auto", "softmax"])
@of_every_kind_of_target
def test_every_kind_of_target_predicts_the_same_and_raw_scores_are_the_decision_function(target, out_activation, dtype):
    clf = small_lbfgs_for_onnx(out_activation=out_activation).fit(X, TARGETS[target])
    assert_same_predictions(clf, X.astype(dtype))
    assert_same_scores(clf, X.astype(dtype), rtol=1e-7, atol=1e-12 if dtype == np.float64 else 2e-5)


@pytest.mark.parametrize("kind", LABELS)
def test_labels_are_predicted_in_their_type(kind):
    classes = LABELS[kind]
    label, _ = assert_same_predictions(small_lbfgs_for_onnx().fit(X, classes[y % len(classes)]), X)
    assert label.dtype == (object if kind.startswith("str") else np.int64)


def test_the_labels_of_a_multilabel_y_with_column_names_are_a_matrix_of_0_and_1():
    label, _ = assert_same_predictions(
        small_lbfgs_for_onnx().fit(X, pd.DataFrame(TARGETS["multilabel"], columns=["new", "large"])), X
    )
    assert (label.dtype, label.shape) == (np.int64, (150, 2))


@pytest.mark.parametrize("hidden_layer_sizes, activation", [((8, 6), ["tanh", "relu"]), ((), "relu")])
def test_each_layer_has_its_own_activation_and_there_may_be_none(hidden_layer_sizes, activation):
    assert_same_predictions(small_lbfgs_for_onnx(hidden_layer_sizes=hidden_layer_sizes, activation=activation).fit(X, y), X)


@pytest.mark.parametrize(
    "clf", [make_pipeline(StandardScaler(), small_lbfgs_for_onnx()), three_epochs()], ids=["pipeline", "ensemble"]
)
@pytest.mark.parametrize("target", ["three classes", "multilabel"])
def test_the_number_of_rows_is_free(clf, target):
    model = to_onnx(clf.fit(X, TARGETS[target]), X)
    dimensions = [value.type.tensor_type.shape.dim[0] for value in (*model.graph.input, *model.graph.output)]
    assert not any(dimension.HasField("dim_value") for dimension in dimensions)
    for n in (1, 7, 150):
        label, probabilities = run_onnx(model, X[:n])
        assert_allclose(probabilities, clf.predict_proba(X[:n]), atol=1e-5)
        assert_array_equal(label, clf.predict(X[:n]))


def test_outputs_are_named_as_skl2onnx_names_them_and_have_their_shapes():
    label, probabilities = to_onnx(small_lbfgs_for_onnx().fit(X, y), X).graph.output
    assert (label.name, probabilities.name) == ("label", "probabilities")
    assert [len(value.type.tensor_type.shape.dim) for value in (label, probabilities)] == [1, 2]
    assert probabilities.type.tensor_type.shape.dim[1].dim_value == 3


def test_rows_of_integers_are_computed_in_float32():
    rows = X.round().astype(int)
    assert assert_same_predictions(small_lbfgs_for_onnx().fit(rows, y), rows)[1].dtype == np.float32


def test_a_list_of_rows_says_the_types_as_an_array_does():
    assert_array_equal(*(run_onnx(to_onnx(small_lbfgs_for_onnx().fit(X, y), rows), X)[0] for rows in (X, X.tolist())))


def types_of(*shapes):
    """Inputs X0, X1 … of float64 and these shapes."""
    return [(f"X{i}", skl2onnx.common.data_types.DoubleTensorType(shape)) for i, shape in enumerate(shapes)]


@pytest.mark.parametrize("shape", [[None, 4], [None, None]])
def test_types_may_be_given_in_place_of_rows(shape):
    clf = small_lbfgs_for_onnx().fit(X, y)
    assert_array_equal(run_onnx(to_onnx(clf, initial_types=types_of(shape), target_opset=15), {"X0": X})[0], clf.predict(X))


@pytest.mark.parametrize("shapes", [[[None, 3]], [[None, 7]], [[None, 4], [None, 1]], [[None]]])
def test_types_of_other_columns_than_in_fit_are_refused(shapes):
    message = f"with the 4 columns of fit in all; got {[tuple(shape) for shape in shapes]}"
    with pytest.raises(ValueError, match=re.escape(message)):
        to_onnx(small_lbfgs_for_onnx().fit(X, y), initial_types=types_of(*shapes))


def test_probabilities_are_dictionaries_if_asked_for():
    clf = small_lbfgs_for_onnx().fit(X, y)
    rows = X.astype(np.float32)
    dictionaries = run_onnx(to_onnx(clf, rows, options={"zipmap": True}), rows)[1]
    assert_allclose([list(row.values()) for row in dictionaries], clf.predict_proba(X), atol=1e-5)


# Other estimators around it


@pytest.mark.parametrize(
    ("outer", "atol"),
    [
        (BaggingClassifier(small_lbfgs_for_onnx(), n_estimators=3, max_features=0.5, random_state=0), None),
        (BaggingClassifier(three_epochs(), n_estimators=2, random_state=0), ROUNDING),
        (CalibratedClassifierCV(small_lbfgs_for_onnx(), cv=2), None),
        (CalibratedClassifierCV(small_lbfgs_for_onnx(out_activation="softmax"), cv=2), None),  # uses the log-odds
        (
            GridSearchCV(
                make_pipeline(StandardScaler(), small_lbfgs_for_onnx()), {"softmaxmlpclassifier__alpha": [0.1, 1]}, cv=2
            ),
            None,
        ),
        (OneVsRestClassifier(small_lbfgs_for_onnx()), None),
        (make_pipeline(three_epochs()), ROUNDING),
        (
            StackingClassifier([("ours", small_lbfgs_for_onnx()), ("other", LogisticRegression())], small_lbfgs_for_onnx(), cv=2),
            None,
        ),
    ],
    ids=lambda value: type(value).__name__,
)
@of_two_and_three_classes
def test_a_meta_estimator_around_it_predicts_the_same(outer, atol, target):
    assert_same_predictions(outer.fit(X, TARGETS[target]), X, atol=atol)


# The estimator's own defaults: members, bins, scaling, sentinels


@in_both_dtypes
@pytest.mark.parametrize("dataset", DATASETS)
def test_the_defaults_predict_the_same_on_real_data(dataset, dtype):
    rows, labels = DATASETS[dataset](return_X_y=True)
    clf = three_epochs(max_iter=10).fit(rows, labels)
    label, probabilities = assert_same_predictions(clf, rows.astype(dtype), atol=ROUNDING)
    assert clf.n_members_ >= 4
    assert sum("_bin" in name for name in clf.encoded_feature_names_) > 64
    assert probabilities.dtype == dtype
    assert (label == labels).mean() > 0.93


@in_both_dtypes
@pytest.mark.parametrize("of_model", ["float32", "float64"])
@pytest.mark.parametrize("out_activation", ["auto", "softmax"])
@of_two_and_three_classes
def test_boosted_trees_of_an_ensemble_predict_the_same(target, out_activation, of_model, dtype, trees_on_few_rows):
    clf = three_epochs(out_activation=out_activation, hidden_layer_sizes=(8,), dtype=of_model)
    clf.fit(X.astype(of_model), TARGETS[target])
    assert clf.member_roles_[-1] == "boosted trees"
    assert_same_predictions(clf, X.astype(dtype), atol=ROUNDING)


@in_both_dtypes
@pytest.mark.parametrize("out_activation", ["auto", "softmax"])
@of_every_kind_of_target
def test_n_members_are_mixed_for_every_kind_of_target_and_raw_scores_are_the_decision_function(target, out_activation, dtype):
    clf = three_epochs(out_activation=out_activation, hidden_layer_sizes=(8,))
    clf.fit(X.astype(dtype), TARGETS[target])  # 150 rows: calibrated on folds
    assert_same_predictions(clf, X.astype(dtype), atol=ROUNDING)
    assert_same_scores(clf, X.astype(dtype), rtol=0, atol=1e-4)


@of_two_and_three_classes
def test_n_bins_and_ensembles_agree_to_the_last_digits_if_the_network_has_the_graphs_dtype(target):
    assert_same_predictions(three_epochs(dtype="float64").fit(X, TARGETS[target]), X)


@of_two_and_three_classes
def test_members_that_are_very_sure_do_not_underflow(target):
    clf = three_epochs(dtype="float64", companion=False).fit(X, TARGETS[target])
    flat_vector(clf)[...] *= 30
    assert abs(assert_same_scores(clf, X, rtol=1e-6, atol=1e-6)).max() > 1e4


@in_both_dtypes
@pytest.mark.parametrize("scaling", ["robust", "standard", "default"])
def test_scaling_and_missing_and_extreme_numbers_are_part_of_the_graph(scaling, dtype):
    rows = load_iris().data.astype(dtype)
    rows[::9, 1] = np.nan
    clf = three_epochs() if scaling == "default" else small_lbfgs_for_onnx(scaling=scaling, dtype=np.dtype(dtype).name)
    clf.fit(rows, y)
    rows[1, 0], rows[2, 3], rows[4, 2] = np.nan, 1e30, -1e30
    assert_same_predictions(clf, rows, atol=ROUNDING if scaling == "default" else None)


@in_both_dtypes
@in_both_scalings
def test_sentinels_and_long_tails_are_part_of_the_graph(scaling, dtype):
    rows = np.tile(load_iris().data, (2, 1)).astype(dtype)
    rows[::7, 1], rows[1::7, 1], rows[2::7, 3], rows[::9, 1], rows[3::7, 0] = -999.9, 9999, -1, np.nan, 1e3 * np.arange(43)
    clf = three_epochs(hidden_layer_sizes=(6,), scaling=scaling, dtype=np.dtype(dtype).name).fit(rows, np.tile(y, 2))
    assert sum(name.startswith("indicator_x1_") for name in clf.encoded_feature_names_) == 2  # −999.9 and 9999
    rows[4:7, 2] = 1e4, -1e9, 1e30
    assert_same_predictions(clf, rows)
    assert_same_predictions(clf, rows.astype(np.float32), atol=ROUNDING)  # finds a float64 model's sentinel in float32 too


@in_both_dtypes
def test_a_number_stays_on_its_side_of_a_bin_too_narrow_for_float32(dtype):
    column = np.concatenate([np.linspace(0, 1, 150), 0.9 + np.arange(50) * 1e-9])
    rows = np.column_stack([column, np.arange(200) % 3, np.ones(200)])
    assert_same_predictions(three_epochs(companion=False).fit(rows, column > 0.9), rows.astype(dtype), atol=ROUNDING)


@in_both_scalings
def test_numbers_far_out_are_cut_off_in_either_scaling(scaling):
    clf = three_epochs(scaling=scaling, activation="identity", hidden_layer_sizes=(4,), dtype="float64").fit(X, y)
    assert_same_scores(clf, np.full((2, 4), 1e300) * [[1], [-1]], rtol=1e-6)


def test_scaling_learned_from_sparse_rows_is_exported_for_dense_ones():
    thin = np.column_stack([np.zeros(len(X)), np.where(X > 1, X, 0), np.zeros((len(X), 2)), X[:, 0] + 1000])
    clf = three_epochs().fit(csr_matrix(thin), y)
    assert clf.coefs_[0].shape[-2] < thin.shape[1]
    assert_same_predictions(clf, thin, atol=ROUNDING)


# Columns of a frame, and categories


def passengers():
    """Rows like the Titanic's, with a missing age, and who survived."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": rng.uniform(1, 80, 200).astype(np.float32),
            "fare": rng.exponential(30, 200).astype(np.float32),
            "sex": rng.choice(["female", "male"], 200),
            "embarked": rng.choice(["C", "Q", "S"], 200),
        }
    )
    survived = (frame["sex"] == "female") ^ (frame["age"] < 10) ^ (frame["fare"] > 100)
    frame.loc[3, "age"] = np.nan
    return frame, survived.map({True: "yes", False: "no"}).to_numpy(str)


def test_a_pipeline_of_numbers_with_gaps_and_categories_predicts_the_same():
    frame, survived = passengers()
    numbers, categories = make_pipeline(SimpleImputer(), StandardScaler()), OneHotEncoder(handle_unknown="ignore")
    columns = ColumnTransformer([("numbers", numbers, ["age", "fare"]), ("categories", categories, ["sex", "embarked"])])
    label, _ = assert_same_predictions(make_pipeline(columns, small_lbfgs_for_onnx()).fit(frame, survived), frame)
    assert (label == survived).mean() > 0.9


@pytest.mark.parametrize("kinds", [{}, {"a": bool, "b": int}], ids=["of numbers", "of mixed types"])
def test_the_columns_of_a_frame_are_put_side_by_side(kinds):
    frame = pd.DataFrame(X.round(), columns=list("abcd")).astype(kinds)
    assert_same_predictions(small_lbfgs_for_onnx().fit(frame, y), frame)


@pytest.mark.parametrize("target_opset", [15, 17, 18])
def test_older_versions_of_onnx_take_an_ensemble(target_opset):
    frame, survived = passengers()
    assert_same_predictions(three_epochs().fit(frame, survived), frame, atol=ROUNDING, target_opset=target_opset)


@in_both_scalings
def test_categories_of_a_frame_are_found_and_those_not_seen_are_zeros(scaling):
    frame, survived = passengers()
    frame["alone"], frame["cabin"] = frame["fare"] > 30, pd.Categorical(["ü", "b"] * 100)
    clf = three_epochs(scaling=scaling).fit(frame, survived)
    frame.loc[[0, 1], "embarked"], frame.loc[2, "sex"] = ["", "X"], "other"
    assert_same_predictions(clf, frame, atol=ROUNDING)


@pytest.mark.parametrize("n_members", [1, 4])
def test_columns_of_many_one_hot_categories_are_exported(n_members):
    columns = {f"city{i}": [f"city {city}" for city in np.random.RandomState(i).randint(60, size=600)] for i in range(6)}
    frame = pd.DataFrame({"size": np.tile(X[:, 0], 4)} | columns)
    clf = three_epochs(n_members=n_members).fit(frame, np.tile(y, 4))
    assert clf.coefs_[0].shape[-2] > 300
    assert_same_predictions(clf, frame, atol=ROUNDING)


def test_a_column_of_one_category_or_of_none_is_exported():
    frame = pd.DataFrame({"size": X[:, 0], "same": ["a"] * 150, "missing": pd.Series([None] * 150, dtype="string")})
    clf = three_epochs(categorical_features=["same", "missing"]).fit(frame, y)
    assert_same_predictions(clf, frame.fillna({"missing": ""}), atol=ROUNDING)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_numbers_without_scaling_work_beside_categorical_features():
    frame, survived = passengers()
    frame["age"] = frame["age"].fillna(30) / 40
    assert_same_predictions(small_lbfgs_for_onnx(categorical_features="from_dtype").fit(frame, survived), frame, atol=ROUNDING)


@in_both_dtypes
def test_categorical_features_may_be_columns_of_an_array(dtype):
    rows = np.column_stack([y, X[:, 0], y % 2 + 5, X[:, 1]]).astype(dtype)
    clf = three_epochs(categorical_features=[0, 2]).fit(rows, y)
    rows[0, 0], rows[1, 2] = 7, np.nan
    assert_same_predictions(clf, rows, atol=ROUNDING)


def test_a_column_is_found_in_inputs_of_several_columns():
    rows = np.column_stack([X[:, 0], X[:, 1], y, X[:, 2]])
    clf = three_epochs(categorical_features=[2]).fit(rows, y)
    model = to_onnx(clf, initial_types=types_of([None, 2], [None, 2]))
    label, probabilities = run_onnx(model, {"X0": rows[:, :2], "X1": rows[:, 2:]})
    assert_allclose(probabilities, clf.predict_proba(rows), atol=1e-5)
    assert_array_equal(label, clf.predict(rows))


@pytest.mark.parametrize("values", [["p", 1], [2**53 + 1, 0]], ids=["of mixed types", "beyond float64"])
def test_categories_that_onnx_cannot_compare_are_named(values):
    frame = pd.DataFrame({"kind": pd.Series(values * 75, dtype=object), "size": X[:, 0]})
    clf = three_epochs(categorical_features=["kind"]).fit(frame, y)
    with pytest.raises(ValueError, match=rf"Categories must be numbers, or strings.*{values[0]}"):
        to_onnx(clf, frame.astype({"kind": str}))


def test_strings_need_a_column_of_strings():
    frame, survived = passengers()
    with pytest.raises(ValueError, match="strings in a column of strings"):
        to_onnx(three_epochs().fit(frame, survived), frame.assign(sex=0))


# Embedded columns


def places(n_rows=1200):
    """A frame with 300 cities and 280 numbered areas: more than become one-hot columns."""
    rng = np.random.RandomState(0)
    city, area = rng.permutation(np.arange(n_rows) % 300), rng.permutation(np.arange(n_rows) % 280)
    frame = pd.DataFrame({"size": rng.normal(size=n_rows), "city": [f"ü{i}" for i in city], "area": area.astype(np.float64)})
    return frame, (city + area) % 3


@pytest.mark.parametrize("params", [{}, {"n_members": 1}, {"n_members": 1, "hidden_layer_sizes": ()}, {"dtype": "float64"}])
def test_embedded_categories_are_found_and_others_have_code_0(params):
    frame, labels = places()
    clf = three_epochs(categorical_features=["city", "area"], **params).fit(frame, labels)
    assert len(clf.embeddings_) == 2
    frame.loc[:2, "city"], frame.loc[3:9, "area"] = ["", "new", "u1"], [np.nan, 2.5, -1, 1e300, -np.inf, np.inf, 2**53]
    clf.embeddings_[0][..., 0, :] = 3
    assert_same_predictions(clf, frame, atol=ROUNDING)


@pytest.mark.parametrize("make, columns", [(passengers, ["sex", "embarked"]), (places, ["city"])], ids=["one-hot", "embedded"])
def test_a_frame_may_hold_categories_alone(make, columns):
    frame, labels = make()
    assert_same_predictions(three_epochs().fit(frame[columns], labels), frame[columns], atol=ROUNDING)


@pytest.mark.parametrize("factor", [0.5, 2.0**60])
def test_embedded_numbers_must_be_whole_and_exact(factor):
    frame, labels = places()
    clf = three_epochs(categorical_features=["area"]).fit(frame.assign(area=frame["area"] * factor)[["area"]], labels)
    with pytest.raises(ValueError, match=rf"embedded must be whole numbers, or strings .* got \[0.0, {re.escape(str(factor))}"):
        to_onnx(clf, frame[["area"]])


def test_a_model_that_uses_no_column_is_refused():
    frame = pd.DataFrame({"kind": pd.Categorical([None] * 300)})
    with pytest.raises(ValueError, match="uses no column of X"):
        to_onnx(three_epochs().fit(frame, np.arange(300) % 3), frame)


# Frames of pandas' nullable types and of polars


@pytest.mark.filterwarnings("ignore:pandas.DataFrame with sparse columns")
@pytest.mark.parametrize(
    ("dtype", "plain_dtype"),
    [(name, name.lower()) for name in ("Int64", "Int8", "UInt8", "Int32", "Float64", "Float32")]
    + [("boolean", "bool"), ("Sparse[float64]", "float64"), ("int64[pyarrow]", "int64"), ("double[pyarrow]", "float64")]
    + [("category", "int64")],
)
def test_an_X_of_nullable_sparse_arrow_or_category_types_gives_inputs_of_plain_types(dtype, plain_dtype):
    if "pyarrow" in dtype:
        pytest.importorskip("pyarrow")
    numbers = np.tile([0, 1], 60)
    frame = pd.DataFrame({"a": X[:120, 0], "b": pd.Series(numbers).astype(dtype)})
    clf = three_epochs().fit(frame, numbers)
    assert_same_predictions(clf, frame, rows=frame.assign(b=numbers.astype(plain_dtype)), atol=ROUNDING)


@pytest.mark.parametrize("text", ["String", "Categorical"])
def test_a_polars_X_gives_one_input_for_each_column(text):
    polars = pytest.importorskip("polars")
    parts = {"a": X[:120, 0], "n": np.arange(120) % 5, "is_new": np.arange(120) % 2 == 0, "city": ["Rom", "Ulm", "Bern"] * 40}
    frame = polars.DataFrame(parts).with_columns(polars.col("city").cast(getattr(polars, text)))
    clf = three_epochs().fit(frame, np.arange(120) % 3)
    assert_same_predictions(clf, frame, rows=pd.DataFrame(parts).astype({"city": object}), atol=ROUNDING)


# Errors


def test_without_skl2onnx_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "skl2onnx", None)
    with pytest.raises(ImportError, match=r"pip install 'sksoftmax\[onnx\]'"):
        register.__wrapped__()


@pytest.mark.parametrize("steps", [[], [StandardScaler()]], ids=["alone", "in a pipeline"])
def test_an_unfitted_model_and_an_X_that_is_missing_are_refused(steps):
    clf = make_pipeline(*steps, small_lbfgs_for_onnx()) if steps else small_lbfgs_for_onnx()
    with pytest.raises(NotFittedError):
        to_onnx(clf, X)
    with pytest.raises(ValueError, match=r"X is missing.*X\[:1\].*initial_types"):
        to_onnx(clf.fit(X, y))


def test_a_sparse_example_is_refused():
    with pytest.raises(TypeError, match="X must be dense"):
        to_onnx(small_lbfgs_for_onnx().fit(X, y), csr_matrix(X))


@pytest.mark.parametrize(
    ("example", "message"),
    [
        (lambda frame: frame[["b", "a", "c"]], "in the same order"),
        (lambda frame: frame.rename(columns={"a": "z"}), "unseen at fit time"),
        (lambda frame: frame[["a", "b"]], "seen at fit time, yet now missing"),
        (lambda frame: frame.to_numpy()[0], r"X must be two-dimensional and real; got shape \(3,\)"),
        (lambda frame: frame.to_numpy()[None], r"X must be two-dimensional and real; got shape \(1, 20, 3\)"),
        (lambda frame: frame.to_numpy() * 1j, "real; got .* dtype complex128"),
        (lambda frame: frame.to_numpy()[:, :2], "X must have the 3 columns of fit; got 2"),
    ],
)
def test_an_example_that_predict_would_refuse_is_refused(example, message):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(20, 3)), columns=list("abc"))
    clf = SoftmaxMLPClassifier((2,), max_iter=1, n_members=1, random_state=0).fit(frame, [0, 1] * 10)
    with pytest.raises(ValueError, match=message):
        to_onnx(clf, example(frame))


@pytest.mark.parametrize("dtype", ["float16", "int16", "uint16", "uint32", "uint64", "longdouble"])
def test_an_X_of_a_dtype_without_an_input_in_onnx_is_named_with_the_dtypes_that_have_one(dtype):
    message = f"X has dtype {np.dtype(dtype).name}, for which there is no input in ONNX.*float32 or float64"
    with pytest.raises(ValueError, match=message):
        to_onnx(small_lbfgs_for_onnx().fit(X, y), X[:1].astype(dtype))


@pytest.mark.parametrize("dtype", ["UInt16", "int16"])
def test_a_column_of_X_without_an_input_in_onnx_is_named(dtype):
    frame = pd.DataFrame({"a": X[:120, 0], "b": pd.Series(np.tile([0, 1], 60)).astype(dtype)})
    clf = three_epochs().fit(frame, np.tile([0, 1], 60))
    with pytest.raises(ValueError, match=f"Column 'b' of X has dtype {dtype.lower()}, for which there is no input in ONNX"):
        to_onnx(clf, frame[:1])
    to_onnx(clf, frame[:1].astype({"b": "int32"}))


def test_labels_that_onnx_does_not_have_are_named():
    clf = small_lbfgs_for_onnx().fit(X, y)
    fitted_model(clf).head.classes = np.array([b"a", b"b", b"c"])
    with pytest.raises(ValueError, match="classes_ must be str, int or bool"):
        to_onnx(clf, X)


def test_an_activation_without_a_graph_is_named():
    clf = small_lbfgs_for_onnx().fit(X, y)
    network = fitted_model(clf).network
    network.architecture = replace(network.architecture, activations=("cosine",))
    with pytest.raises(ValueError, match="activation='cosine' cannot be expressed in ONNX, only identity, relu"):
        to_onnx(clf, X)


@pytest.mark.parametrize("kind", [SoftmaxHead, BinaryHead, MultilabelHead])
def test_a_subclass_of_a_head_is_not_taken_for_the_head(kind):
    target = {SoftmaxHead: "three classes", BinaryHead: "two classes", MultilabelHead: "multilabel"}[kind]
    clf = small_lbfgs_for_onnx().fit(X, TARGETS[target])
    head = fitted_model(clf).head
    assert type(head) is kind
    head.__class__ = type("ToyHead", (kind,), {})
    with pytest.raises(ValueError, match=r"ToyHead, .* cannot be expressed in ONNX"):
        to_onnx(clf, X)


@pytest.mark.parametrize("kind", [Numbers, Bins, Flags, Sentinels, OneHot, Codes])
def test_a_subclass_of_a_block_is_not_taken_for_the_block(kind):
    frame, labels = places()
    frame["kind"], frame["rate"] = np.arange(1200) % 3, np.random.default_rng(0).normal(size=1200)
    frame.loc[::7, "size"], frame.loc[::9, "rate"] = np.nan, -999
    clf = three_epochs(categorical_features=["city", "kind"], n_members=1).fit(frame, labels)
    block = next(block for block in fitted_model(clf).preprocessor.blocks if type(block) is kind)
    block.__class__ = type("ToyBlock", (kind,), {})
    with pytest.raises(ValueError, match=r"ToyBlock, .* cannot be expressed in ONNX"):
        to_onnx(clf, frame)
