"""The loss curves as a picture: lines, legend and axes, the estimators that can be drawn, and refusals."""

import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import load_iris
from sklearn.neural_network import MLPClassifier

from sksoftmax import LossCurveDisplay, SoftmaxMLPClassifier
from support.estimators import plain

matplotlib = pytest.importorskip("matplotlib")


from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.colors import same_color  # noqa: E402

X, y = load_iris(return_X_y=True)
TRAINING, VALIDATION = [4.0, 3.0, 2.0, 1.0], [4.5, 3.5, 2.5, 2.6]


@pytest.fixture(autouse=True)
def no_figure_is_left_open():
    yield
    plt.close("all")


def with_known_curves(validation=VALIDATION, best_iter=3, **params):
    """A classifier that is fitted, with curves that are known."""
    clf = plain((2,), solver="lbfgs", tol=0.1, random_state=0).fit(X, y).set_params(**{"solver": "adam", **params})
    clf.loss_curve_, clf.validation_loss_curve_, clf.best_iter_ = TRAINING, validation, best_iter
    return clf


def legend(display):
    """The texts of the legend."""
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def points(line):
    """What a line goes through, as pairs."""
    return [(float(x), float(height)) for x, height in zip(*line.get_data())]


# One estimator


def test_training_is_solid_validation_dashed_and_the_best_epoch_a_dot_on_it_all_in_one_color():
    display = LossCurveDisplay.from_estimator(with_known_curves())
    line, dashed, dot = display.line_, display.validation_line_, display.best_point_
    assert points(line) == [(1, 4.0), (2, 3.0), (3, 2.0), (4, 1.0)]
    assert points(dashed) == [(1, 4.5), (2, 3.5), (3, 2.5), (4, 2.6)]
    assert points(dot) == [(3, 2.5)]
    assert [artist.get_linestyle() for artist in (line, dashed, dot)] == ["-", "--", "None"]
    assert dot.get_marker() == "o"
    assert dashed.get_color() == dot.get_color() == line.get_color()


def test_the_axes_and_the_legend_name_what_is_shown():
    display = LossCurveDisplay.from_estimator(with_known_curves())
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("Epoch", "Loss")
    name = "SoftmaxMLPClassifier"
    assert legend(display) == [f"{name}: training", f"{name}: validation", f"{name}: best epoch (3)"]
    assert display.figure_ is display.ax_.figure


def test_lbfgs_counts_iterations():
    display = LossCurveDisplay.from_estimator(with_known_curves(solver="lbfgs"), name="small")
    assert display.ax_.get_xlabel() == "Iteration"
    assert legend(display)[-1] == "small: best iteration (3)"


def test_without_a_name_the_legend_names_the_curves_alone():
    display = LossCurveDisplay(loss_curve=TRAINING, validation_loss_curve=VALIDATION, best_iter=1).plot()
    assert legend(display) == ["Training", "Validation", "Best epoch (1)"]
    assert legend(display.plot(name="a"))[0] == "a: training"


@pytest.mark.parametrize("curves", [{"validation": None, "best_iter": None}, {"validation": [], "best_iter": 0}], ids=str)
def test_without_validation_there_is_one_line(curves):
    display = LossCurveDisplay.from_estimator(with_known_curves(**curves))
    assert display.validation_line_ is display.best_point_ is display.score_line_ is display.fold_line_ is None
    assert display.ax_.lines[:] == [display.line_]
    assert legend(display) == ["SoftmaxMLPClassifier: training"]


def test_a_validation_curve_that_began_late_ends_with_the_training_curve():
    display = LossCurveDisplay(loss_curve=TRAINING, validation_loss_curve=[2.5, 2.6], best_iter=3).plot()
    assert points(display.validation_line_) == [(3, 2.5), (4, 2.6)]
    assert points(display.best_point_) == [(3, 2.5)]


@pytest.mark.parametrize("validation", [None, [2.5, 2.6]])
def test_a_best_epoch_that_was_not_validated_is_marked_on_the_training_curve(validation):
    display = LossCurveDisplay(loss_curve=TRAINING, validation_loss_curve=validation, best_iter=2).plot()
    assert points(display.best_point_) == [(2, 3.0)]


def test_a_single_epoch_is_seen():
    display = LossCurveDisplay(loss_curve=[1.0], validation_loss_curve=[2.0]).plot()
    markers = [line.get_marker() for line in (display.line_, display.validation_line_)]
    assert "None" not in markers
    assert len(set(markers)) == 2
    display.figure_.canvas.draw()
    low, high = display.ax_.get_xlim()
    assert [tick for tick in display.ax_.get_xticks() if low <= tick <= high] == [1]


@pytest.mark.parametrize("n_epochs", [2, 7, 60, 20000])
def test_ticks_are_at_whole_epochs(n_epochs):
    ticks = LossCurveDisplay(loss_curve=np.linspace(1, 0, n_epochs)).plot().ax_.get_xticks()
    assert_array_equal(ticks, np.round(ticks))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("early_stopping", [False, True])
def test_mlpclassifier_is_drawn(early_stopping):
    mlp = MLPClassifier((2,), max_iter=5, early_stopping=early_stopping, random_state=0).fit(X, y)
    display = LossCurveDisplay.from_estimator(mlp)
    assert display.line_.get_ydata().tolist() == mlp.loss_curve_
    assert legend(display) == ["MLPClassifier: training"] + ["MLPClassifier: validation score"] * early_stopping


# On axes and with styles of the user


def test_curves_are_added_to_given_axes():
    _, ax = plt.subplots()
    first = LossCurveDisplay.from_estimator(with_known_curves(), ax=ax, name="first")
    second = LossCurveDisplay.from_estimator(with_known_curves(), ax=ax, name="second")
    assert first.ax_ is second.ax_ is ax
    assert len(ax.lines) == 6
    assert len(legend(second)) == 6
    assert first.line_.get_color() != second.line_.get_color()


def test_scores_of_two_estimators_on_the_same_axes_share_one_axis_and_the_legend_names_both():
    display = LossCurveDisplay(loss_curve=TRAINING, validation_scores=[0.5] * 4).plot(name="a")
    second = LossCurveDisplay(loss_curve=TRAINING, validation_scores=[0.9] * 4).plot(display.ax_, name="b")
    assert second.score_line_.axes is display.score_line_.axes is not display.ax_
    assert legend(second) == ["a: training", "b: training", "a: validation score", "b: validation score"]


def test_subplots_that_share_an_axis_have_their_own_scores():
    _, (left, right) = plt.subplots(1, 2, sharex=True)
    first, second = (LossCurveDisplay(loss_curve=TRAINING, validation_scores=[0.5] * 4).plot(ax) for ax in (left, right))
    assert first.score_line_.axes is not second.score_line_.axes


def test_keywords_go_to_both_loss_curves_under_any_alias():
    display = LossCurveDisplay.from_estimator(with_known_curves(), lw=3, c="green")
    line, dashed = display.line_, display.validation_line_
    assert (line.get_linewidth(), dashed.get_linewidth(), dashed.get_linestyle()) == (3, 3, "--")
    assert [artist.get_color() for artist in (line, dashed, display.best_point_)] == ["green"] * 3


def test_a_logarithmic_axis_stays_one():
    _, ax = plt.subplots()
    ax.set_xscale("log")
    LossCurveDisplay.from_estimator(with_known_curves(), ax=ax).figure_.canvas.draw()
    assert ax.get_xscale() == "log"
    assert isinstance(ax.xaxis.get_major_locator(), matplotlib.ticker.LogLocator)


def test_a_display_can_be_drawn_again_with_other_styles():
    display = LossCurveDisplay.from_estimator(with_known_curves())
    before = display.ax_
    assert display.plot(color="red") is display
    assert display.ax_ is not before
    assert same_color(display.line_.get_color(), "red")


# Refused


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"loss_curve": []}, r"loss_curve must hold .*; got an empty one\."),
        ({"validation_loss_curve": [1.0] * 5}, "validation_loss_curve must be no longer than loss_curve, 4; got 5 numbers"),
        ({"validation_scores": [0.5] * 5}, "validation_scores must be no longer than loss_curve, 4; got 5 numbers"),
        ({"best_iter": 0}, r"best_iter must be in 1 … 4, .*; got 0\."),
        ({"best_iter": 5}, r"best_iter must be in 1 … 4, .*; got 5\."),
        ({"fold_epochs": 5}, "fold_epochs must be in 1 … 4, an epoch of loss_curve; got 5"),
    ],
)
def test_parts_that_do_not_fit_each_other_are_refused_before_a_figure_is_made(parts, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        LossCurveDisplay(**{"loss_curve": TRAINING, **parts}).plot()
    assert plt.get_fignums() == []


# Without matplotlib


def test_the_class_is_imported_without_matplotlib():
    code = "import sys; from sksoftmax import LossCurveDisplay as D; D(loss_curve=[1.0]); print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", timeout=100, check=True)
    assert done.stdout.strip() == "False"


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r'pip install "sksoftmax\[plot\]"'):
        LossCurveDisplay(loss_curve=[1.0]).plot()


# Scores, the end of the folds, and searches


def texts(display):
    """All words in the picture except the labels of the axes."""
    return [text.get_text() for text in [*display.ax_.texts, *display.ax_.get_legend().get_texts()]]


def ensemble_to_draw(**params):
    """An ensemble that trains for ten epochs, the first five of them on folds."""
    rows = np.random.default_rng(0).normal(size=(600, 3))
    clf = SoftmaxMLPClassifier(**{"hidden_layer_sizes": (4,), "max_iter": 10, "random_state": 0, **params})
    return clf.fit(rows, (rows[:, 0] > 0).astype(int))


def test_a_line_with_words_marks_the_end_of_the_folds():
    display = LossCurveDisplay.from_estimator(ensemble_to_draw())
    assert set(display.fold_line_.get_xdata()) == {5.5}
    assert texts(display) == ["from here: all rows", "SoftmaxMLPClassifier: training"]


@pytest.mark.parametrize("params", [{"n_members": 1, "ema_decay": 0.9}, {"early_stopping": True}], ids=str)
def test_no_line_is_drawn_if_the_folds_never_end_or_there_are_none(params):
    display = LossCurveDisplay.from_estimator(ensemble_to_draw(**params))
    assert display.fold_line_ is None
    assert "from here: all rows" not in texts(display)


def test_the_line_at_the_end_of_the_folds_stays_where_it_was_after_a_warm_start():
    clf = ensemble_to_draw(warm_start=True)
    rows = np.random.default_rng(0).normal(size=(600, 3))
    display = LossCurveDisplay.from_estimator(clf.fit(rows, (rows[:, 0] > 0).astype(int)))
    assert len(display.line_.get_xdata()) == 20
    assert set(display.fold_line_.get_xdata()) == {5.5}


def test_validation_scores_are_dotted_on_an_axis_of_their_own():
    clf = plain((2,), learning_rate="cosine", max_iter=5, early_stopping=True, random_state=0).fit(X, y)
    display = LossCurveDisplay.from_estimator(clf, name="a")
    line = display.score_line_
    assert line.get_ydata().tolist() == clf.validation_scores_
    assert line.get_linestyle() == ":" and same_color(line.get_color(), display.line_.get_color())
    assert line.axes is not display.ax_ and line.axes.get_ylabel() == "Validation score"
    assert legend(display)[-1] == "a: validation score"


def test_validation_scores_that_began_late_end_with_the_training_curve():
    display = LossCurveDisplay(loss_curve=TRAINING, validation_scores=[0.5, 0.6]).plot()
    assert points(display.score_line_) == [(3, 0.5), (4, 0.6)]
