"""The text of `SoftmaxMLPClassifier.summary`."""

from textwrap import fill

import numpy as np

WIDTH, INDENT = 100, 16
MOST_LINES = 20  # columns that are listed by name


def summary_text(clf, model):
    """The summary of this fitted classifier, in lines of at most 100 characters."""
    kind = {"multilabel": "labels", "probabilities": "classes, fitted on probabilities"}.get(model.targets.kind, "classes")
    units, network = " → ".join(map(str, model.network.architecture.layer_sizes)), model.network
    lines = [
        f"{type(clf).__name__}: {clf.n_features_in_} columns, {len(clf.classes_)} {kind}",
        line(
            "Network",
            f"{networks(clf.n_members_)} of {units} units; {network.architecture.n_parameters:,} parameters, {network.dtype}",
        ),
        line("Training", training_of(clf)),
        line("Engine", clf.engine_ or "none: weights of scikit-learn"),
        line("Regularization", f"dropout {span(clf.dropout_)}, weight decay {span(clf.weight_decay_)}"),
    ]
    if len(clf.member_weights_) > 1:
        weights, temperatures = (of_members[: clf.n_members_] for of_members in (clf.member_weights_, clf.member_temperatures_))
        members = f"weights {span(weights)}, temperatures {span(temperatures)} of the members"
        lines.append(line("Ensemble", f"{members}, {span(clf.temperature_)} of the ensemble"))
    if model.companion is not None:
        companion = f"{model.companion.role} of {model.companion.size}, weight {span(clf.member_weights_[-1])}"
        lines.append(line("Companion", companion))
    names = getattr(clf, "feature_names_in_", [f"x{i}" for i in range(clf.n_features_in_)])
    readers = model.preprocessor.categories.readers
    lines += listed("Read", {names[column]: reader.what for column, reader in readers.items()})
    blocks = zip(clf.categories_, model.preprocessor.of_categories)
    lines += listed("Categories", {name: categories_of(block) for name, block in blocks})
    return "\n".join(lines + listed("Not used", clf.unused_columns_))


def networks(n_members):
    """As '1 network' or '8 networks'."""
    return f"{n_members} network" + "s" * (n_members > 1)


def training_of(clf):
    """How long training was, and in which batches."""
    if clf.solver == "lbfgs":
        return f"{clf.n_iter_} of at most {clf.max_iter_} iterations of L-BFGS, all rows at once"
    who = "the" if clf.n_members_ == 1 else "each"
    folds = f"; in the first {clf.n_fold_epochs_}, {who} network leaves out a fold" if clf.n_fold_epochs_ else ""
    return f"{len(clf.loss_curve_)} epochs (at most {clf.max_iter_} in a call){folds}; batches of {clf.batch_size_} rows"


def span(values):
    """The number, or the smallest and the largest number."""
    low, high = f"{np.min(values):.3g}", f"{np.max(values):.3g}"
    return low if low == high else f"{low} to {high}"


def categories_of(block):
    """How many categories of a column are known, and how they enter the network."""
    n = len(block.values)
    return f"{n:,} categor{'y' if n == 1 else 'ies'}{', embedded' if block.is_embedded else ''}"


def listed(title, of_columns):
    """Lines with a text for each column, by the column's name."""
    items = list(of_columns.items())
    lines = [line(title if i == 0 else "", f"{name}: {text}") for i, (name, text) in enumerate(items[:MOST_LINES])]
    return lines + ([line("", f"and {len(items) - MOST_LINES} more columns")] if len(items) > MOST_LINES else [])


def line(title, text):
    """A title and its text, wrapped."""
    return fill(text, WIDTH, initial_indent=f"{title:<{INDENT}}", subsequent_indent=" " * INDENT)
