"""The user's X and y and the numbers they become: checks, columns, targets, rows and the preprocessor. It knows no network."""
