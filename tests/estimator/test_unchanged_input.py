"""What fit and predict leave unchanged: the parameters, X, y and sample_weight."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_matrix

from sksoftmax import SoftmaxMLPClassifier
from support.data import ARRAYS, MULTICLASS, X
from support.estimators import converged, plain, planned
from support.marks import SOLVERS


@pytest.mark.parametrize("hidden", [(), (5,)])
@SOLVERS
@pytest.mark.parametrize("target", ARRAYS)
def test_fit_and_predict_never_write_to_their_input(target, solver, hidden):
    arrays = [X.copy(), ARRAYS[target].copy(), np.linspace(0.5, 1, 60)]
    before = [array.copy() for array in arrays]
    for array in arrays:
        array.flags.writeable = False
    clf = converged(solver=solver, hidden_layer_sizes=hidden, shuffle=False, max_iter=1000 if solver == "lbfgs" else 2)
    clf.fit(*arrays).predict_proba(arrays[0])
    for array, original in zip(arrays, before):
        assert_array_equal(array, original)


def test_fit_never_writes_to_sparse_input():
    thin = csr_matrix(np.where(np.abs(X) > 1, X, 0))
    before = thin.copy()
    planned(shuffle=False).fit(thin, MULTICLASS)
    assert (thin != before).nnz == 0


def test_the_constructor_stores_every_parameter_unchanged():
    odd = {name: object() for name in SoftmaxMLPClassifier().get_params()}
    clf = plain(**odd)
    assert set(vars(clf)) == set(odd)
    assert all(vars(clf)[name] is value for name, value in odd.items())


@SOLVERS
def test_fit_does_not_change_the_parameters(solver):
    sizes, rng = [5], np.random.RandomState(0)
    clf = converged(solver=solver, hidden_layer_sizes=sizes, random_state=rng)
    before = clf.get_params()
    clf.fit(X, MULTICLASS)
    assert all(clf.get_params()[name] is value for name, value in before.items())
    assert sizes == [5]
