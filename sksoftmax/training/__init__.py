"""One call of fit or partial_fit: the recipe, the committee, the training loop, its curves and its stopping rules."""
