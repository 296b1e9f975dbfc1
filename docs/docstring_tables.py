"""The tables in the docstring of the classifier, from the code: the site shows them, and a test compares the docstring."""

from textwrap import wrap

from sksoftmax.parameters import PARAMETER_GROUPS
from sksoftmax.training import config

NAMES_WIDTH = 98  # of the column of names in the table of groups


def auto_rows():
    """Return rows of cells, the first with the headings: the values of 'auto' for an ensemble and for one network."""
    few, large, factor_from = config.NO_DROPOUT_BELOW_ROWS, config.DOUBLE_BATCH_FROM_ROWS, config.FULL_STRENGTH_UP_TO_ROWS
    dropout, decay = config.DROPOUT, config.WEIGHT_DECAY
    members = f"8 if {few} ≤ n < {config.EIGHT_MEMBERS_BELOW_ROWS}, else 4"
    batches = f"{config.BATCH_SIZE}; {2 * config.BATCH_SIZE} if n ≥ {large}"
    rates = f"{dropout['light']} and {dropout['strong']} ({dropout['strong_binned']} binned)"
    both = config.EPOCHS, config.EPOCHS_OF_ONE
    span = f"{2 * config.BATCH_SIZE} to {config.LARGEST_BATCH}"
    many = 2 * config.BATCH_SIZE * config.MAX_STEPS // config.EPOCHS
    return [
        ("Parameter", "Ensemble (`n_members` > 1)", "One network"),
        ("n_members", members, "1 if no hidden layer, 'sgd' or 'lbfgs'"),
        ("n_members, sparse X", f"at most {config.MAX_SPARSE_WEIGHTS} first weights", "no limit"),
        ("batch_size", batches, batches),
        (f"batch_size, n > {many}", *[f"n × {epochs} / {config.MAX_STEPS}, {span}" for epochs in both]),
        (f"batch_size, n < {few}", "all rows, at most 200", "all rows, at most 200"),
        ("batch_size, small classes", *[str(config.BATCH_SIZE_OF_SMALL)] * 2),
        ("max_iter", str(config.EPOCHS), f"{config.EPOCHS_OF_ONE}; 200 for 'lbfgs'"),
        ("max_iter, small classes", *[str(config.EPOCHS_OF_SMALL)] * 2),
        ("steps in all", *[f"{config.MIN_STEPS} to {config.MAX_STEPS}"] * 2),
        ("dropout", rates, f"{config.DROPOUT_OF_ONE}; 0 for 'lbfgs'"),
        (f"dropout, n < {few}", "0", "0"),
        ("weight_decay", f"{decay['light']} and {decay['strong']}", f"{config.WEIGHT_DECAY_OF_ONE}; 0 for 'sgd' and 'lbfgs'"),
        (f"factor if n > {factor_from}", *[f"√({factor_from} / n)"] * 2),
        (f"fold phase, n ≥ {config.ALL_FOLD_EPOCHS_BELOW_ROWS}", *[f"{config.FOLD_SHARE} of the epochs"] * 2),
        (f"fold phase, n ≥ {large}", *[f"{config.FOLD_SHARE_OF_LARGE} of the epochs"] * 2),
    ]


def auto_table():
    """Return the table of 'auto' in the form of the docstring."""
    rows = auto_rows()
    widths = [max(map(len, column)) for column in zip(*rows)]
    rule = " ".join("=" * width for width in widths)
    lines = [" ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    return "\n".join([rule, lines[0], rule, *lines[1:], rule])


def group_table():
    """Return the table of the groups of parameters in the form of the docstring."""
    width = max(map(len, PARAMETER_GROUPS))
    rule = "=" * width + " " + "=" * NAMES_WIDTH
    lines = [rule]
    for title, names in PARAMETER_GROUPS.items():
        first, *others = wrap(", ".join(names), NAMES_WIDTH)
        lines += [f"{title.ljust(width)} {first}", *(" " * (width + 1) + line for line in others)]
    return "\n".join([*lines, rule])
