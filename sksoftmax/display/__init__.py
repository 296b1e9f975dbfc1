"""Pictures of a fitted classifier, in scikit-learn's Display convention. Matplotlib is imported only to draw."""
