"""`RelevanceDisplay` and `MembersDisplay`: what they draw; and the estimators that all displays draw or refuse."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksoftmax import LossCurveDisplay, MembersDisplay, RelevanceDisplay, SoftmaxMLPClassifier

pyplot = pytest.importorskip("matplotlib.pyplot")
X, y = load_iris(return_X_y=True, as_frame=True)
DISPLAYS = [LossCurveDisplay, RelevanceDisplay, MembersDisplay]


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    pyplot.close("all")


@pytest.fixture(scope="module")
def clf():
    return SoftmaxMLPClassifier((6,), max_iter=5, random_state=0).fit(X, y)


def widths(bars):
    return [bar.get_width() for bar in bars]


def names_on(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


def test_relevance_is_drawn_from_the_most_relevant_column_down(clf):
    display = RelevanceDisplay.from_estimator(clf)
    assert_allclose(widths(display.bars_), np.sort(clf.relevance_)[::-1])
    assert names_on(display.ax_) == [X.columns[i] for i in np.argsort(-clf.relevance_, kind="stable")]
    bottom, top = display.ax_.get_ylim()
    assert bottom > top  # the first bar is the highest


def test_at_most_max_features_bars_are_drawn_and_the_label_says_so(clf):
    display = RelevanceDisplay.from_estimator(clf, max_features=2, color="red")
    assert len(display.bars_) == 2
    assert display.ax_.get_xlabel() == "Relevance (2 of 4 columns)"
    assert display.bars_[0].get_facecolor() == (1, 0, 0, 1)
    assert len(display.plot(max_features=None).bars_) == 4


def test_columns_without_names_are_numbered():
    assert names_on(RelevanceDisplay([0.5, 2.0]).plot().ax_) == ["x1", "x0"]


def test_each_member_has_a_bar_for_its_weight_its_temperature_and_its_loss(clf):
    display = MembersDisplay.from_estimator(clf)
    drawn = [widths(bars) for bars in display.bars_]
    assert_allclose(drawn, [clf.member_weights_, clf.member_temperatures_, clf.member_losses_])
    assert names_on(display.axes_[0]) == clf.member_roles_
    assert clf.member_roles_[0] == "0: light" and clf.member_roles_[-2:] == ["7: light, bins", "radial network"]


def test_one_network_has_one_bar():
    one = SoftmaxMLPClassifier((6,), n_members=1, max_iter=5, random_state=0).fit(X[::4], y[::4])
    display = MembersDisplay.from_estimator(one)
    assert names_on(display.axes_[0]) == ["one network"]
    assert np.isnan(one.member_losses_).all()  # 38 rows are too few to leave a fold out


@pytest.mark.parametrize("display", DISPLAYS)
def test_pipelines_and_searches_are_drawn_by_the_classifier_at_their_end(display, clf):
    small = SoftmaxMLPClassifier((4,), max_iter=2, random_state=0)
    display.from_estimator(make_pipeline(StandardScaler(), small).fit(X, y))
    display.from_estimator(GridSearchCV(small, {"alpha": [0, 1]}, cv=2).fit(X, y))
    with pytest.raises(TypeError, match="keeps no fitted estimator: use refit=True; got GridSearchCV"):
        display.from_estimator(GridSearchCV(small, {"alpha": [0, 1]}, cv=2, refit=False).fit(X, y))


def test_displays_draw_on_axes_of_the_user(clf):
    figure, axes = pyplot.subplots(1, 4)
    assert RelevanceDisplay.from_estimator(clf, ax=axes[0]).figure_ is figure
    assert_array_equal(MembersDisplay.from_estimator(clf, axes=axes[1:]).axes_, axes[1:])


@pytest.mark.parametrize("display", DISPLAYS)
def test_an_estimator_that_is_not_fitted_or_is_another_class_is_refused(display):
    with pytest.raises(NotFittedError):
        display.from_estimator(SoftmaxMLPClassifier())
    with pytest.raises(TypeError, match=r"estimator must have (loss_curve_|relevance_|member_losses_) once fitted"):
        display.from_estimator(GaussianNB().fit(X, y))


@pytest.mark.parametrize(
    "display, params, message",
    [
        (RelevanceDisplay([1.0, 2.0], feature_names=["a"]), {}, "one number for each of 1 names"),
        (RelevanceDisplay([]), {}, "one number for each of 0 names"),
        (RelevanceDisplay([1.0]), {"max_features": 0}, "max_features must be at least 1"),
        (MembersDisplay([1.0], [1.0, 2.0], [1.0]), {}, "one number for each of 1 roles"),
        (MembersDisplay([1.0], [1.0], [1.0]), {"axes": [None]}, "axes must be three"),
    ],
)
def test_parts_that_do_not_fit_are_refused(display, params, message):
    with pytest.raises(ValueError, match=message):
        display.plot(**params)
