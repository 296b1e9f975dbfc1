"""L-BFGS on all rows at once, by SciPy."""

import warnings
from math import isfinite

import numpy as np
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning

from sksoftmax.engines import described, engine_for
from sksoftmax.nn.threads import BlasThreadLimit, blas_limit_for
from sksoftmax.training.divergence import diverged_message
from sksoftmax.training.run import INTERRUPTED

SCIPY_FTOL = 1e7 * np.finfo(np.float64).eps  # SciPy's default, and so MLPClassifier's; a tol below 5e-5 asks for less


def train_by_lbfgs(run, state):
    """For fit: minimize the loss on all rows with SciPy's L-BFGS-B."""
    network, progress = run.model.network, state.progress
    network.allocate_gradient()
    engine = engine_for(run, state)
    state.engine = described(engine)
    progress.begin_call(run.model, run.validation)
    accepted = network.parameters.copy()

    def end_iteration(intermediate_result):
        accepted[...] = intermediate_result.x
        network.parameters[...] = accepted
        run.tasks.begin()
        run.record(progress, float(intermediate_result.fun))
        reason = run.stopping.after_epoch(progress)
        if run.tasks.end() or reason:
            raise StopIteration

    try:
        start = accepted.astype(np.float64)
        loss = loss_and_gradient(start, run, engine)[0]
        if not isfinite(loss):
            advice = " Scale the columns of X." if run.is_unscaled else ""
            raise ValueError(diverged_message(progress, f"Nothing was learned.{advice}"))
        asked = {"method": "L-BFGS-B", "jac": True, "callback": end_iteration, "options": limits(run.config, accepted.dtype)}
        with blas_limit_for(len(run.training) * network.architecture.largest_product), BlasThreadLimit(1, engine.unused_blas):
            result = minimize(loss_and_gradient, start, (run, engine), **asked)
        accepted[...] = result.x
        warn_if_not_converged(result, run)
    except KeyboardInterrupt:
        warnings.warn(INTERRUPTED)
    else:
        if progress.n_done == 0:  # the start was an optimum
            run.tasks.begin()
            run.record(progress, loss)
            run.tasks.end()
    network.parameters[...] = accepted
    run.restore_best(progress)


def loss_and_gradient(parameters, run, engine):
    """The penalized loss on all training rows, and its gradient in double precision."""
    network, weight = run.model.network, run.training.total_weight
    network.parameters[...] = parameters
    loss, network.gradient[...] = engine.loss_and_gradient()
    loss += float(network.add_l2(np.array([run.config.alpha / weight])).sum())
    return loss, network.gradient.astype(np.float64)


def limits(config, dtype):
    """The limits at which SciPy's L-BFGS-B ends; changes of the loss below rounding are never asked for."""
    rounding = 10 * np.finfo(dtype).eps
    return {
        "maxiter": config.max_iter,
        "maxfun": config.max_fun,
        "gtol": config.tol,
        "ftol": max(min(SCIPY_FTOL, config.tol**2), rounding),
    }


def warn_if_not_converged(result, run):
    """Warn if L-BFGS ended neither by convergence nor by early stopping."""
    if result.status in (1, 2):
        config, scale = run.config, ", or scale the columns of X" if run.is_unscaled else ""
        warnings.warn(
            f"lbfgs failed to converge after {result.nit} iteration(s) (status={result.status}): {result.message}\n"
            f"Increase max_iter={config.max_iter} or max_fun={config.max_fun}{scale}.",
            ConvergenceWarning,
        )
