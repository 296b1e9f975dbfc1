"""What a fitted classifier knows of the columns of X, and the text of `SoftmaxMLPClassifier.summary`."""

from textwrap import fill

import numpy as np

from sksoftmax.data.blocks import Codes, Flags, OneHot, Sentinels

WIDTH, INDENT = 100, 16
MOST_LINES = 20  # columns that are listed by name


def known_categories(preprocessor, names):
    """The known categories of each categorical column, by the column's name."""
    return {names[block.column]: block.values for block in category_blocks(preprocessor)}


def unused_columns(preprocessor, names):
    """Why a column of X gives the network no input, by the column's name."""
    numbers, categories, reasons = preprocessor.numbers, preprocessor.categories.of_column, {}
    if numbers.scaling is not None:
        flagged = {column for block in preprocessor.of_kind((Flags, Sentinels)) for column in block.source}
        equal = "all its values are equal" if preprocessor.sparse else "all its values are equal, or missing"
        constant = [column for column in numbers.source[numbers.scale == 0] if column not in flagged]
        left_out = np.delete(np.arange(len(preprocessor.relevance)), numbers.source) if preprocessor.sparse else ()
        reasons = dict.fromkeys([*constant, *left_out], equal)
    for block in category_blocks(preprocessor):
        if not block.values:
            n = len(categories[block.column])
            reasons[block.column] = f"each of its {n} categories occurs in one row only" if n else "all its values are missing"
    reasons |= dict.fromkeys(np.flatnonzero(preprocessor.relevance == 0), "its relevance is 0")
    return {names[column]: reasons[column] for column in sorted(reasons)}


def category_blocks(preprocessor):
    """The blocks of the categorical columns, in the order of the columns."""
    return sorted(preprocessor.of_kind(OneHot) + preprocessor.of_kind(Codes), key=lambda block: block.column)


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
        line("Regularization", f"dropout {span(clf.dropout_)}, weight decay {span(clf.weight_decay_)}"),
    ]
    if clf.n_members_ > 1:
        members = f"weights {span(clf.member_weights_)}, temperatures {span(clf.member_temperatures_)} of the members"
        lines.append(line("Mixture", f"{members}, {span(clf.temperature_)} of their ensemble"))
    embedded = {block.column for block in model.preprocessor.of_kind(Codes)}
    blocks = zip(clf.categories_, category_blocks(model.preprocessor))
    lines += listed("Categories", {name: categories_of(block, block.column in embedded) for name, block in blocks})
    return "\n".join(lines + listed("Not used", clf.unused_columns_))


def networks(n_members):
    """As '1 network' or '8 networks'."""
    return f"{n_members} network" + "s" * (n_members > 1)


def training_of(clf):
    """How long training was, and in which batches."""
    if clf.solver == "lbfgs":
        return f"{clf.n_iter_} of at most {clf.max_iter_} iterations of L-BFGS, all rows at once"
    who = "the" if clf.n_members_ == 1 else "each"
    folds = f", a fold left out by {who} network in the first {clf.n_fold_epochs_}" if clf.n_fold_epochs_ else ""
    return f"{len(clf.loss_curve_)} epochs in all, at most {clf.max_iter_} epochs a fit{folds}; batches of {clf.batch_size_} rows"


def span(values):
    """The number, or the smallest and the largest number."""
    low, high = f"{np.min(values):.3g}", f"{np.max(values):.3g}"
    return low if low == high else f"{low} to {high}"


def categories_of(block, is_embedded):
    """How many categories of a column are known, and how they enter the network."""
    n = len(block.values)
    return f"{n:,} categor{'y' if n == 1 else 'ies'}{', embedded' if is_embedded else ''}"


def listed(title, of_columns):
    """Lines with a text for each column, by the column's name."""
    items = list(of_columns.items())
    lines = [line(title if i == 0 else "", f"{name}: {text}") for i, (name, text) in enumerate(items[:MOST_LINES])]
    return lines + ([line("", f"and {len(items) - MOST_LINES} more columns")] if len(items) > MOST_LINES else [])


def line(title, text):
    """A title and its text, wrapped."""
    return fill(text, WIDTH, initial_indent=f"{title:<{INDENT}}", subsequent_indent=" " * INDENT)
