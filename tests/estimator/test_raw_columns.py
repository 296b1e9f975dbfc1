"""The estimator on raw columns: different scales, missing values and categories."""

import pickle
import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.utils.validation import _get_feature_names

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.data.preprocessing import FLOAT32_ROWS
from support.estimators import plain
from support.marks import SOLVERS

N = 60
RNG = np.random.default_rng(0)
NUMBERS = RNG.normal(size=(N, 3)) * [1, 1e6, 1e-6]
COLOURS = np.array(["red", "green", "blue"])[RNG.integers(0, 3, N)]
WEIGHTS = np.arange(N) % 4.0
METHODS = ["predict", "predict_proba", "predict_log_proba", "decision_function"]
STOPS_NOT = "ignore::sklearn.exceptions.ConvergenceWarning"


def make_raw_frame():
    """Numbers of different sizes, some missing, a column of strings, some missing, one of booleans."""
    frame = pd.DataFrame(NUMBERS.copy(), columns=["length", "mass", "charge"])
    frame.loc[::7, "mass"] = np.nan
    frame["color"] = pd.Series(COLOURS, dtype=object).where(np.arange(N) % 9 > 0, None)
    frame["heavy"] = NUMBERS[:, 1] > 0
    return frame


FRAME = make_raw_frame()
y = (FRAME["color"] == "red").to_numpy().astype(int) + FRAME["heavy"].to_numpy()
ENCODED = ["length", "mass", "charge", "missingindicator_mass", "color_blue", "color_green", "color_red", "heavy_True"]


def polars_with_names():
    """The module polars, if this scikit-learn can read its column names; older versions cannot read those of polars 2."""
    polars = pytest.importorskip("polars")
    if _get_feature_names(polars.DataFrame({"length": [1.0]})) is None:
        pytest.skip("scikit-learn does not read the names of a polars frame's columns")
    return polars


def on_raw_columns(**params):
    """On raw columns; two epochs on a planned schedule, which ends without a warning."""
    defaults = {"scaling": "robust", "categorical_features": "from_dtype", "random_state": 0}
    return plain(**{"hidden_layer_sizes": (4,), "learning_rate": "cosine", "max_iter": 2, **defaults, **params})


def accurate(**params):
    return on_raw_columns(solver="lbfgs", alpha=1e-3, max_iter=100, tol=1e-2, **params)


# Whole models


def test_encoded_feature_names_name_the_rows_of_the_first_weights():
    clf = on_raw_columns().fit(FRAME, y)
    assert clf.encoded_feature_names_.tolist() == ENCODED
    assert clf.coefs_[0].shape == (len(ENCODED), 4)
    assert clf.n_features_in_ == 5
    assert clf.feature_names_in_.tolist() == FRAME.columns.tolist()


@pytest.mark.parametrize("params", [{"n_bins": 4}, {"n_bins": 8, "n_members": 4}], ids=str)
def test_encoded_feature_names_of_n_bins_come_before_the_rest(params):
    clf = on_raw_columns(**params).fit(FRAME, y)
    names = clf.encoded_feature_names_.tolist()
    assert names[-len(ENCODED) :] == ENCODED
    assert names[:2] == ["length_bin0", "length_bin1"]
    assert len(names) == len(ENCODED) + 3 * params["n_bins"] == clf.coefs_[0].shape[-2]


@pytest.mark.parametrize("kind", [np.asarray, csr_matrix, pd.DataFrame])
def test_encoded_feature_names_of_unnamed_columns_are_numbered(kind):
    for clf in (on_raw_columns(), on_raw_columns(scaling=None, categorical_features=None)):
        assert clf.fit(kind(NUMBERS), y).encoded_feature_names_.tolist() == ["x0", "x1", "x2"]


def test_encoded_feature_names_exist_after_from_sklearn():
    theirs = MLPClassifier(max_iter=300, tol=1)
    assert SoftmaxMLPClassifier.from_sklearn(theirs.fit(NUMBERS, y)).encoded_feature_names_.tolist() == ["x0", "x1", "x2"]
    ours = SoftmaxMLPClassifier.from_sklearn(theirs.fit(FRAME[["length", "charge"]], y))
    assert ours.encoded_feature_names_.tolist() == ["length", "charge"]


def test_scaling_and_categorical_features_equal_columns_encoded_by_hand():
    frame = FRAME.dropna()
    low, median, high = np.quantile(frame[["length", "mass", "charge"]], [0.25, 0.5, 0.75], axis=0, method="inverted_cdf")
    z = (frame[["length", "mass", "charge"]].to_numpy() - median) / (high - low)
    colors = frame["color"].to_numpy()[:, None] == ["blue", "green", "red"]
    by_hand = np.column_stack([z / np.sqrt(1 + (z / 3) ** 2), colors, 2 * frame["heavy"] - 1])
    ours = on_raw_columns().fit(frame, y[frame.index])
    theirs = on_raw_columns(scaling=None, categorical_features=None).fit(by_hand, y[frame.index])
    assert_allclose(ours.coefs_[0], theirs.coefs_[0], rtol=1e-9)
    assert_allclose(ours.predict_proba(frame), theirs.predict_proba(by_hand), rtol=1e-9)


def test_without_scaling_and_categorical_features_X_is_used_unchanged():
    expected = plain((4,), learning_rate="cosine", max_iter=2, random_state=0)
    given = on_raw_columns(scaling=None).fit(NUMBERS, y)
    assert_array_equal(given.coefs_[0], expected.fit(NUMBERS, y).coefs_[0])


@SOLVERS
@pytest.mark.parametrize(("scaling", "n_bins"), [("robust", 0), ("standard", 0), ("robust", 8)])
@pytest.mark.filterwarnings(STOPS_NOT)
def test_an_integer_sample_weight_equals_repeated_rows_with_scaling_and_n_bins(solver, scaling, n_bins):
    params = {
        "solver": solver,
        "scaling": scaling,
        "n_bins": n_bins,
        "batch_size": 10**6,
        "learning_rate": "constant",
        "max_iter": 8,
    }
    repeated = np.repeat(np.arange(N), WEIGHTS.astype(int))
    weighted = on_raw_columns(**params).fit(FRAME, y, WEIGHTS)
    twice = on_raw_columns(**params).fit(FRAME.iloc[repeated], y[repeated])
    for one, other in zip(weighted.coefs_ + weighted.intercepts_, twice.coefs_ + twice.intercepts_):
        assert_allclose(one, other, rtol=1e-7)


def test_rows_of_sample_weight_0_do_not_affect_scaling_and_categorical_features():
    frame = pd.concat([FRAME, pd.DataFrame({"length": [np.nan, 1e300], "color": ["ultraviolet", "red"], "heavy": False})])
    targets, weights = np.append(y, [0, 1]), np.append(np.ones(N), [0, 0])
    clf, without = on_raw_columns().fit(frame, targets, weights), on_raw_columns().fit(FRAME, y)
    assert clf.encoded_feature_names_.tolist() == ENCODED
    assert_array_equal(clf.coefs_[0], without.coefs_[0])


def test_polars_and_pandas_give_the_same_model():
    polars = polars_with_names()
    theirs = polars.DataFrame({name: FRAME[name].tolist() for name in FRAME}, strict=False)
    ours, model = on_raw_columns().fit(FRAME, y), on_raw_columns().fit(theirs, y)
    assert_array_equal(model.coefs_[0], ours.coefs_[0])
    assert_array_equal(model.predict_proba(theirs), ours.predict_proba(FRAME))
    assert_array_equal(model.predict_proba(FRAME), ours.predict_proba(theirs))
    assert model.encoded_feature_names_.tolist() == ENCODED


@pytest.mark.parametrize("kind", ["lists", "objects", "frame"])
def test_categorical_features_may_be_positions_in_any_dense_X(kind):
    rows = FRAME[["length", "color"]]
    X = {"lists": rows.to_numpy().tolist(), "objects": rows.to_numpy(), "frame": rows}[kind]
    clf = on_raw_columns(categorical_features=[1]).fit(X, y)
    assert_allclose(clf.coefs_[0], on_raw_columns().fit(rows, y).coefs_[0], rtol=1e-12)
    assert_array_equal(clf.predict(X[:1]), on_raw_columns().fit(rows, y).predict(rows[:1]))


def test_categorical_features_may_be_whole_numbers_of_an_array():
    X = np.column_stack([np.arange(N) % 3 * 100.0, NUMBERS[:, 0]])
    assert on_raw_columns(categorical_features=[0]).fit(X, y).encoded_feature_names_.tolist() == [
        "x1",
        "x0_0.0",
        "x0_100.0",
        "x0_200.0",
    ]


def test_categorical_features_work_beside_sparse_columns_of_a_frame():
    counts = np.arange(N) % 3 * 1.0
    frames = [
        pd.DataFrame({"color": COLOURS, "count": column}) for column in (counts, pd.arrays.SparseArray(counts, fill_value=0.0))
    ]
    dense, sparse = (on_raw_columns().fit(frame, y).predict_proba(frame) for frame in frames)
    assert_array_equal(sparse, dense)


def test_categorical_features_may_be_all_columns_of_a_frame():
    frame = FRAME[["color", "heavy"]]
    clf = accurate().fit(frame, COLOURS)
    assert clf.encoded_feature_names_.tolist() == ENCODED[4:]
    assert clf.score(frame.dropna(), COLOURS[FRAME["color"].notna()]) == 1


def test_a_model_without_any_input_predicts_the_class_shares():
    clf = accurate().fit(pd.DataFrame({"color": pd.Series([None] * N, dtype="string")}), y)
    assert clf.coefs_[0].shape == (0, 4)
    shares = np.bincount(y) / N
    assert_allclose(clf.predict_proba(pd.DataFrame({"color": ["red"]}))[0], shares, atol=0.05)


def test_the_defaults_need_no_input():
    frame = pd.DataFrame({"color": pd.Series([None] * N, dtype="string")})
    assert_allclose(
        SoftmaxMLPClassifier((4,), max_iter=200, random_state=0).fit(frame, y).predict_proba(frame)[0],
        np.bincount(y) / N,
        atol=0.1,
    )


# Predictions


@pytest.mark.parametrize("method", METHODS)
def test_one_row_is_predicted_as_among_many(method):
    clf = on_raw_columns().fit(FRAME, y)
    assert_allclose(getattr(clf, method)(FRAME.iloc[[5]]), getattr(clf, method)(FRAME)[[5]], rtol=1e-12)


@pytest.mark.parametrize("scaling", ["robust", "standard", None])
@pytest.mark.parametrize("value", ["ultraviolet", None, np.nan, pd.NA], ids=repr)
def test_categorical_features_may_be_unknown_or_missing_in_predict(scaling, value):
    clf = on_raw_columns(scaling=scaling).fit(FRAME[["length", "color"]], y)
    row = pd.DataFrame({"length": [0.5], "color": pd.Series([value], dtype=object)})
    other = pd.DataFrame({"length": [0.5], "color": ["infrared"]})
    assert_array_equal(clf.predict_proba(row), clf.predict_proba(other))


@pytest.mark.parametrize("value", [np.nan, None, pd.NA], ids=repr)
def test_scaling_replaces_a_number_that_is_missing_only_in_predict_by_the_median(value):
    clf = on_raw_columns().fit(FRAME, y)
    row, usual = FRAME.iloc[[5]].astype({"length": object}), FRAME.iloc[[5]].copy()
    row["length"] = pd.Series([value], dtype=object, index=row.index)
    usual["length"] = np.quantile(FRAME["length"], 0.5, method="inverted_cdf")
    assert_array_equal(clf.predict_proba(row), clf.predict_proba(usual))


@pytest.mark.parametrize(
    "column",
    [
        pd.array([1, None, 3] * 20, dtype="Int64"),
        pd.array([1.5, None, 3] * 20, dtype="Float64"),
        pd.Series([1.5, None, 3] * 20, dtype=object),
        pd.Series([1.5, pd.NA, 3] * 20, dtype=object),
        np.array([1.5, np.nan, 3] * 20, dtype=np.float32),
    ],
    ids=["Int64", "Float64", "None", "pandas.NA", "float32"],
)
@pytest.mark.parametrize("categorical_features", ["from_dtype", None])
def test_scaling_flags_missing_numbers_of_every_kind(column, categorical_features):
    frame = FRAME[["length"]].assign(column=column)
    clf = on_raw_columns(categorical_features=categorical_features).fit(frame, y)
    assert clf.encoded_feature_names_.tolist() == ["length", "column", "missingindicator_column"]
    values = np.column_stack([FRAME["length"], pd.to_numeric(pd.Series(column)).astype(float)])
    assert_array_equal(clf.coefs_[0], on_raw_columns().fit(values, y).coefs_[0])


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "Boolean"])
def test_scaling_flags_missing_numbers_of_polars(dtype):
    polars = polars_with_names()
    column = polars.Series([1, None, 0] * 20).cast(getattr(polars, dtype))
    frame = polars.DataFrame({"length": NUMBERS[:, 0], "column": column})
    for categorical_features in ([], None):
        clf = on_raw_columns(categorical_features=categorical_features).fit(frame, y)
        assert clf.encoded_feature_names_.tolist() == ["length", "column", "missingindicator_column"]
        assert np.isfinite(clf.predict_proba(frame)).all()


def test_booleans_are_numbers_without_categorical_features():
    frame = pd.DataFrame({"length": NUMBERS[:, 0], "heavy": pd.array([True, None, False] * 20, dtype="boolean")})
    names = on_raw_columns(categorical_features=None).fit(frame, y).encoded_feature_names_
    assert names.tolist() == ["length", "heavy", "missingindicator_heavy"]


@pytest.mark.parametrize("scaling", ["robust", "standard", None])
def test_missing_values_are_accepted_only_with_scaling(scaling):
    clf = plain(scaling=scaling)
    assert clf.__sklearn_tags__().input_tags.allow_nan is (scaling is not None)


def test_missing_values_are_accepted_as_in_fit_even_if_scaling_was_changed():
    X = np.where(NUMBERS > 1e6, np.nan, NUMBERS)
    clf = on_raw_columns().fit(X, y)
    before = clf.predict_proba(X)
    assert_array_equal(clf.set_params(scaling=None).predict_proba(X), before)
    unscaled = on_raw_columns(scaling=None).fit(NUMBERS, y).set_params(scaling="robust")
    with pytest.raises(ValueError, match="Input X contains NaN in column 1"):
        unscaled.predict(X)


# partial_fit and warm_start


def test_partial_fit_keeps_the_scaling_and_categorical_features_of_the_first_call():
    clf = on_raw_columns().partial_fit(FRAME, y, classes=[0, 1, 2])
    later = FRAME.assign(length=FRAME["length"] * 1e3, charge=np.nan, color="ultraviolet")
    fixed = pickle.loads(pickle.dumps(clf))
    clf.partial_fit(later, y)
    assert clf.encoded_feature_names_.tolist() == ENCODED
    clf.coefs_, clf.intercepts_ = fixed.coefs_, fixed.intercepts_
    assert_array_equal(clf.predict_proba(FRAME), fixed.predict_proba(FRAME))


def test_warm_start_keeps_the_scaling_of_the_first_fit():
    clf = on_raw_columns(warm_start=True, max_iter=1).fit(FRAME, y)
    clf.set_params(learning_rate_init=1e-300).fit(FRAME.assign(length=FRAME["length"] + 1e3, color="violet"), y)
    once = on_raw_columns(max_iter=1).fit(FRAME, y)
    assert_allclose(clf.predict_proba(FRAME), once.predict_proba(FRAME), rtol=1e-9)


def test_a_second_fit_without_warm_start_computes_scaling_again():
    other = FRAME.assign(length=FRAME["length"] + 1e3, color="violet")
    assert_array_equal(on_raw_columns().fit(other, y).fit(FRAME, y).coefs_[0], on_raw_columns().fit(FRAME, y).coefs_[0])


# Validation rows


@pytest.mark.parametrize("scoring", ["accuracy", "loss", "neg_log_loss", lambda clf, X, y: clf.score(X, y)])
def test_X_val_is_encoded_as_the_training_rows(scoring):
    clf = on_raw_columns(early_stopping=True, scoring=scoring)
    X_val = FRAME.assign(color=FRAME["color"].where(FRAME.index > 3, "ultraviolet"), charge=np.nan)
    clf.fit(FRAME, y, X_val=X_val, y_val=y)
    assert clf.encoded_feature_names_.tolist() == ENCODED
    best = clf.best_validation_score_
    if scoring in ("loss", "neg_log_loss"):
        assert_allclose(-np.log(clf.predict_proba(X_val)[np.arange(N), y]).mean(), -best, rtol=1e-6)
    else:
        assert_allclose(clf.score(X_val, y), best)


# Errors


@pytest.mark.parametrize(
    "column",
    [
        pd.date_range("2020-01-01", periods=N),
        pd.date_range("2020-01-01", periods=N, tz="UTC"),
        pd.to_timedelta(np.arange(N), unit="D"),
        pd.period_range("2020-01", periods=N, freq="M"),
    ],
    ids=["dates", "dates with a zone", "durations", "periods"],
)
@pytest.mark.parametrize("beside", [["length", "color"], ["color"], ["length"], []], ids=str)
def test_dates_and_durations_are_refused_by_name_without_scaling(column, beside):
    with pytest.raises(ValueError, match=r"X must be numeric; these columns are not: \['when'\]"):
        on_raw_columns(scaling=None).fit(FRAME[beside].assign(when=column), y)


@pytest.mark.parametrize("dtype", ["Date", "Datetime", "Time", "Duration"])
@pytest.mark.parametrize("beside", [["length", "color"], ["color"], []], ids=str)
def test_dates_and_durations_of_polars_are_refused_by_name_without_scaling(dtype, beside):
    polars = pytest.importorskip("polars")
    columns = {name: FRAME[name].tolist() for name in beside}
    frame = polars.DataFrame({**columns, "when": polars.Series(range(N)).cast(getattr(polars, dtype))}, strict=False)
    with pytest.raises(ValueError, match=r"X must be numeric; these columns are not: \['when'\]"):
        on_raw_columns(scaling=None).fit(frame, y)


@pytest.mark.parametrize("beside", [["length", "color"], ["length"], []], ids=str)
def test_complex_numbers_are_refused_by_name_beside_nullable_ones_too(beside):
    frame = FRAME[beside].assign(nullable=pd.Series([1, None] * 30, dtype="Int64"), wave=NUMBERS[:, 0] * 1j)
    with pytest.raises(ValueError, match=r"X must be numeric; these columns are not: \['wave'\]"):
        on_raw_columns().fit(frame, y)


def test_categorical_features_may_be_dates():
    frame = pd.DataFrame({"day": pd.date_range("2020-01-01", periods=3).repeat(20)})
    clf = accurate(categorical_features=["day"]).fit(frame, np.arange(N) // 20)
    assert clf.score(frame, np.arange(N) // 20) == 1


def test_columns_of_several_types_are_named_and_may_be_categorical_features():
    frame = FRAME.assign(mixed=pd.Series(["a", 1] * 30, dtype=object))
    with pytest.raises(ValueError, match=r"these columns are not: \['mixed'\]\. Name them in categorical_features"):
        on_raw_columns().fit(frame, y)
    clf = on_raw_columns(categorical_features=["color", "mixed"]).fit(frame, y)
    assert clf.encoded_feature_names_[-1] == "mixed_a"


@pytest.mark.parametrize("categorical_features", ["from_dtype", None])
def test_columns_of_numbers_are_not_named_beside_one_that_is_not_numeric(categorical_features):
    frame = pd.DataFrame({"gaps": pd.Series([1.5, pd.NA] * 30, dtype=object), "mixed": pd.Series(["a", 1] * 30, dtype=object)})
    with pytest.raises(ValueError, match=r"these columns are not: \['mixed'\]"):
        on_raw_columns(categorical_features=categorical_features).fit(frame, y)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (FRAME.iloc[:, ::-1], "must be in the same order"),
        (FRAME.drop(columns="length"), "now missing:\n- length"),
        (FRAME.rename(columns={"mass": "weight"}), "unseen at fit time:\n- weight"),
        (FRAME.assign(length="long"), re.escape("these columns are not: ['length']")),
        (FRAME[:0], "0 sample"),
        (FRAME[["length", "color"]].to_numpy(), "X has 2 features, but SoftmaxMLPClassifier is expecting 5"),
        (csr_matrix((2, 5)), "X must be dense, because it has categorical columns"),
        (FRAME.to_numpy()[0], "Expected 2D array, got 1D array"),
        (np.zeros((1, 2, 5)), "dim 3"),
    ],
    ids=["order", "missing", "renamed", "text", "empty", "array", "sparse", "1-D", "3-D"],
)
@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_the_error_of_a_wrong_X_is_about_what_is_wrong(wrong, message):
    clf = on_raw_columns().fit(FRAME, y)
    with pytest.raises(ValueError, match=message):
        clf.predict(wrong)


def test_no_rows_of_categories_alone_are_refused():
    clf = on_raw_columns().fit(FRAME[["color"]], y)
    with pytest.raises(ValueError, match="0 sample"):
        clf.predict(FRAME[["color"]][:0])


def test_columns_of_one_name_are_kept_apart_or_refused_by_this_name():
    """The latter by scikit-learn 1.9 and newer."""
    frame = FRAME[["color", "length"]].set_axis(["a", "a"], axis=1)
    try:
        clf = on_raw_columns().fit(frame, y)
    except ValueError as error:
        assert "Columns of X must have different names, but these occur more than once: ['a']" in str(error)
    else:
        assert clf.encoded_feature_names_.tolist() == ["a", "a_blue", "a_green", "a_red"]


# Formats


@pytest.mark.parametrize(
    ("dtype", "given", "scaling", "expected"),
    [
        ("auto", np.float64, "robust", np.float64),
        ("auto", np.float32, "robust", np.float32),
        ("auto", np.float32, None, np.float32),
        ("float32", np.float64, None, np.float32),
        ("float64", np.float32, "robust", np.float64),
    ],
)
@pytest.mark.parametrize("kind", [np.asarray, csr_matrix])
def test_dtype_is_that_of_the_network_and_its_probabilities(dtype, given, scaling, expected, kind):
    X = kind(np.abs(NUMBERS[:, [0, 0]]).astype(given))
    clf = on_raw_columns(dtype=dtype, scaling=scaling).fit(X, y)
    assert clf.coefs_[0].dtype == expected
    for rows in (X, X.astype(np.float64), X.astype(np.float32)):
        assert clf.predict_proba(rows).dtype == expected


@pytest.mark.parametrize("n_rows", [FLOAT32_ROWS - 1, FLOAT32_ROWS])
def test_dtype_auto_is_float32_for_many_rows_with_scaling(n_rows):
    X = np.random.default_rng(0).normal(size=(n_rows, 2))
    expected = np.float32 if n_rows >= FLOAT32_ROWS else np.float64
    assert on_raw_columns(max_iter=1).fit(X, X[:, 0] > 0).coefs_[0].dtype == expected
    assert on_raw_columns(max_iter=1, scaling=None).fit(X, X[:, 0] > 0).coefs_[0].dtype == np.float64


def test_scaling_centres_huge_offsets_before_dtype_float32_rounds_them():
    X = NUMBERS[:, :1] + 1e9
    one, other = (on_raw_columns(dtype=dtype, max_iter=20).fit(X, y).predict_proba(X) for dtype in ("float32", "float64"))
    assert_allclose(one, other, atol=1e-5)
    assert np.ptp(one[:, 0]) > 1e-3


def test_scaling_divides_sparse_columns_by_the_median_size_of_their_entries():
    dense = np.where(np.random.default_rng(1).random((N, 3)) < 0.7, 0, NUMBERS / [1, 1e6, 1e-6])
    z = dense / np.quantile(abs(dense[dense != 0]), 0.5, method="inverted_cdf")
    ours = on_raw_columns().fit(csr_matrix(dense), y)
    theirs = on_raw_columns(scaling=None).fit(csr_matrix(z / np.sqrt(1 + (z / 3) ** 2)), y)
    assert_allclose(ours.coefs_[0], theirs.coefs_[0], rtol=1e-9)
    assert_allclose(ours.predict_proba(dense), ours.predict_proba(csr_matrix(dense)), rtol=1e-12)


# Other code


def test_a_grid_search_of_a_frame_in_two_processes():
    grid = {"categorical_features": ["from_dtype", ["color", "heavy"]]}
    search = GridSearchCV(accurate(), grid, cv=2, n_jobs=2, error_score="raise").fit(FRAME, y)
    assert search.best_score_ > 0.75
    assert search.best_estimator_.encoded_feature_names_.tolist() == ENCODED


def test_the_users_frame_is_never_written_to():
    frame = make_raw_frame()
    on_raw_columns(early_stopping=True).fit(frame, y).predict(frame)
    pd.testing.assert_frame_equal(frame, FRAME)
