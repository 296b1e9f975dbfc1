"""Models: logits of checked rows, weights set by hand, the calibration of one network, and whether the parts fit together."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sksoftmax.layout import Layout
from sksoftmax.model import chunk_size
from sksoftmax.nn.ensemble_weights import EnsembleWeights
from support.networks import HEADS, fitted_preprocessor, form_of, initialized, logits_of_members, model_of

HEAD = HEADS["softmax"]
X = np.random.default_rng(0).normal(size=(200, 5))
UNEQUAL = EnsembleWeights(np.array([0.7, 0.3]), np.array([1.0, 2.0]), 1.5, np.array([0.1, 0.0, -0.1]))


def whole_model(hidden=(4,), n_members=1, weights=None, **params):
    """A model of five scaled columns and three classes."""
    form = form_of(5, hidden, 3, n_members=n_members, **params)
    return replace(model_of(initialized(form), HEAD, weights), preprocessor=fitted_preprocessor(X))


@pytest.mark.parametrize("hidden, n_chunks", [((4,), 1), ((16_384,), 3)])
def test_logits_of_members_are_mixed_whether_rows_are_taken_at_once_or_in_chunks(hidden, n_chunks):
    model = model_of(initialized(form_of(5, hidden, 3, n_members=2)), HEAD, UNEQUAL)
    rows = X[: 150 if n_chunks > 1 else 200]
    assert -(-len(rows) // chunk_size(model.network, rows)) == n_chunks
    expected = UNEQUAL.logits(logits_of_members(model.network, rows), HEAD)
    assert_allclose(model.logits_of(rows), expected, rtol=1e-12)


def test_logits_are_those_of_encoded_rows_in_the_dtype_of_answers():
    model = replace(whole_model(), output_dtype="float32")
    logits = model.logits(X)
    assert logits.dtype == np.float32
    assert_array_equal(logits, model.logits_of(model.preprocessor.transform(X, np.float64)).astype(np.float32))


@pytest.mark.parametrize("broken", ["rows", "weights"])
def test_an_output_that_is_not_finite_names_the_row_and_its_number_or_the_weights(broken):
    model, rows = replace(whole_model(()), preprocessor=fitted_preprocessor(X, scaling=None)), X.copy()
    model.network.parameters[...] *= 1e10
    rows[7, 2] = 1e300
    if broken == "weights":
        model.network.coefs[0][0, 0] = np.nan
    message = {"rows": r"row 7 of X, whose largest value is 1e\+300. Scale X", "weights": "coefs_, .* hold numbers that are not"}
    with pytest.raises(ValueError, match=message[broken]):
        model.logits(rows)


def test_weights_set_by_hand_are_copied_and_may_have_other_hidden_layers_of_the_same_number():
    model = whole_model()
    coefs, intercepts = [np.ones((5, 7)), np.ones((7, 3))], [np.ones(7), np.ones(3)]
    other = model.with_weights(coefs, intercepts, [])
    assert other.network.architecture.hidden == (7,) and model.network.architecture.hidden == (4,)
    coefs[0][...] = 0
    assert (other.network.coefs[0] == 1).all()
    for wrong in ([np.ones((5, 7))], [np.ones((6, 7)), np.ones((7, 3))], [np.ones((5, 7)), np.ones((7, 2))]):
        with pytest.raises(ValueError, match=r"coefs_|intercepts_|units"):
            model.with_weights(wrong, intercepts, [])


def test_members_skip_bins_only_as_long_as_their_weights_there_are_zero():
    model = whole_model(n_members=2, skip=(1, 2))
    coefs, intercepts = [W.copy() for W in model.network.coefs], [b.copy() for b in model.network.intercepts]
    assert model.with_weights(coefs, intercepts, []).network.architecture.n_without_bins == 1
    coefs[0][0, 1] = 0.5
    assert model.with_weights(coefs, intercepts, []).network.architecture.n_without_bins == 0


def test_one_network_absorbs_its_calibration_into_its_last_layer_and_several_keep_theirs():
    calibrated = EnsembleWeights(np.ones(1), np.ones(1), 1.5, np.array([0.1, 0.0, -0.1]))
    model = whole_model(weights=calibrated)
    before = model.logits(X)
    model.absorb_calibration()
    assert_allclose(model.logits(X), 1.5 * before + calibrated.bias, rtol=1e-12)
    assert model.ensemble_weights.inverse_temperature == 1
    ensemble = whole_model(n_members=2, weights=UNEQUAL)
    ensemble.absorb_calibration()
    assert ensemble.ensemble_weights is UNEQUAL


def test_public_weights_are_views_of_the_network():
    model = replace(whole_model(), targets=SimpleNamespace(head=HEAD, classes=np.arange(3)))
    public = model.public()
    assert (public["n_layers_"], public["n_outputs_"], public["out_activation_"], public["n_members_"]) == (3, 3, "softmax", 1)
    public["coefs_"][0][...] = public["intercepts_"][0][...] = 0
    assert not model.network.coefs[0].any() and not model.network.intercepts[0].any()


EMBEDDED = form_of(5, (4,), 3, n_codes=(6,))


def fitting(**changes):
    """A model whose parts fit together, but for these."""
    preprocessor = SimpleNamespace(layout=EMBEDDED.layout)
    return replace(model_of(initialized(EMBEDDED), HEAD), **{"preprocessor": preprocessor, **changes})


def shortened(network):
    network.parameters = network.parameters[:-1]
    return network


N_PARAMETERS = EMBEDDED.n_parameters


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"preprocessor": SimpleNamespace(layout=Layout(6, n_codes=(6,)))}, "5 columns, where 7 belong"),
        ({"preprocessor": SimpleNamespace(layout=Layout(4, n_codes=(4,)))}, r"\[6\] codes, where \[4\] belong"),
        ({"targets": SimpleNamespace(head=HEADS["binary"])}, "3 outputs, where 1 belong"),
        ({"ensemble_weights": EnsembleWeights.equal(4)}, "1 members, where 4 belong"),
        ({"network": shortened(initialized(EMBEDDED))}, f"{N_PARAMETERS - 1} parameters, where {N_PARAMETERS} belong"),
        ({"output_dtype": "int8"}, "output_dtype must be 'float32' or 'float64'; got 'int8'"),
    ],
    ids=["columns", "codes", "outputs", "members", "parameters", "dtype"],
)
def test_parts_of_several_models_are_refused_with_what_does_not_fit(changes, message):
    fitting().check()
    with pytest.raises(ValueError, match=message):
        fitting(**changes).check()
