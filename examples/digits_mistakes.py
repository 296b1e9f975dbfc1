"""Confusion of digits, and the worst mistakes
==============================================

Which digits does the classifier confuse, and which images does it predict worst? The
test rows are sorted by the predicted probability of their true class. The images
with the lowest probability are the worst mistakes.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.model_selection import train_test_split

from sksoftmax import SoftmaxMLPClassifier

digits = load_digits()
X_train, X_test, y_train, y_test = train_test_split(
    digits.data, digits.target, test_size=0.5, stratify=digits.target, random_state=0
)
clf = SoftmaxMLPClassifier(random_state=0).fit(X_train, y_train)
p = clf.predict_proba(X_test)
print(f"test accuracy {np.mean(p.argmax(axis=1) == y_test):.3f}")

# %%
# The left panel has the confusion matrix, with colors limited to five rows so that
# mistakes are visible. The right panel has the twelve worst images.
figure = plt.figure(figsize=(12, 5), layout="constrained")
left, right = figure.subfigures(1, 2, width_ratios=[1, 1.2])
display = ConfusionMatrixDisplay.from_predictions(
    y_test, p.argmax(axis=1), ax=left.subplots(), colorbar=False, cmap="Blues"
)
display.im_.set_clim(0, 5)
worst = np.argsort(p[np.arange(len(y_test)), y_test])[:12]
for ax, row in zip(right.subplots(3, 4).flat, worst):
    ax.imshow(X_test[row].reshape(8, 8), cmap="gray_r")
    ax.set_title(
        f"a {y_test[row]}, said {p[row].argmax()} ({p[row].max():.0%})", fontsize=9
    )
    ax.axis("off")
plt.show()
