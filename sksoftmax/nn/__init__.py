"""Networks on plain arrays: layers, one flat vector of parameters, optimizers and schedules. No user's data here."""
