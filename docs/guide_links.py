"""Which page of the guide describes each parameter of the classifier: for the reference and the page of parameters."""

import re

PAGES = {  # parameter → page of the guide
    "hidden_layer_sizes": "network",
    "activation": "network",
    "out_activation": "network",
    "parametrization": "network",
    "n_members": "speed",
    "companion": "small_data",
    "scaling": "missing_values",
    "categorical_features": "columns",
    "handle_unknown": "columns",
    "n_bins": "speed",
    "relevance": "explain",
    "solver": "optimizers",
    "learning_rate": "optimizers",
    "learning_rate_init": "debug",
    "warmup": "debug",
    "power_t": "optimizers",
    "momentum": "optimizers",
    "nesterovs_momentum": "optimizers",
    "beta_1": "optimizers",
    "beta_2": "optimizers",
    "epsilon": "optimizers",
    "max_fun": "optimizers",
    "alpha": "optimizers",
    "weight_decay": "small_data",
    "dropout": "small_data",
    "label_smoothing": "probabilities",
    "clip_norm": "debug",
    "ema_decay": "optimizers",
    "batch_size": "optimizers",
    "max_iter": "speed",
    "shuffle": "repeatable",
    "tol": "validation",
    "n_iter_no_change": "validation",
    "warm_start": "optimizers",
    "early_stopping": "validation",
    "validation_fraction": "validation",
    "scoring": "validation",
    "restore_best": "validation",
    "class_weight": "imbalance",
    "target_type": "soft_labels",
    "random_state": "repeatable",
    "dtype": "speed",
    "verbose": "callbacks",
}


def add_guide_links(app, what, name, obj, options, lines):
    """Add to each parameter in the docstring of the classifier a link to its page of the guide."""
    if name != "sksoftmax.SoftmaxMLPClassifier" or what != "class":
        return
    start = lines.index("Parameters")
    end = next(i for i, line in enumerate(lines) if i > start and line in ("Attributes", "Returns"))
    result, link = lines[: start + 2], None
    for line in lines[start + 2 : end]:
        named = re.match(r"(\w+) : ", line)
        if (named or not line.strip()) and link and result[-1].strip():
            result += ["", f"    :doc:`Guide </guide/{link}>`"]
            link = None
        if named:
            link = PAGES[named[1]]
        result.append(line)
    lines[:] = result + lines[end:]
