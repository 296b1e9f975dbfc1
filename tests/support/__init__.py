"""What several test modules share: estimators, data, comparisons, marks, and readers of the repository's files."""
