"""One call of fit or partial_fit: the config, the ensemble's plan, the training loop, its curves and its stopping rules."""
