"""One call of fit or partial_fit: the recipe, the ensemble, the training loop, its curves and its stopping rules."""
