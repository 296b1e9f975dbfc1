"""Relevance of columns among columns of noise
==============================================

Columns of noise lower the accuracy of a dense network, because all columns have the
same weight at the start. With ``relevance="auto"``, small random forests estimate
before training how informative each column is. The inputs of each column are then
multiplied by its relevance.

This example adds 90 columns of noise to 10 columns of the breast cancer data.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from sksoftmax import RelevanceDisplay, SoftmaxMLPClassifier

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
X = X[[name for name in X.columns if name.startswith("mean")]]
noise = pd.DataFrame(
    np.random.default_rng(0).normal(size=(len(X), 90)),
    columns=[f"noise {i}" for i in range(90)],
)
X_train, X_test, y_train, y_test = train_test_split(
    X.join(noise), y, stratify=y, random_state=0
)

# %%
# The same ensemble is fitted with relevance and without.
losses = {}
for relevance in ("auto", None):
    clf = SoftmaxMLPClassifier(relevance=relevance, random_state=0).fit(
        X_train, y_train
    )
    losses[relevance] = log_loss(y_test, clf.predict_proba(X_test))
    print(
        f"relevance={relevance!r:7} accuracy {clf.score(X_test, y_test):.3f}, "
        f"log loss {losses[relevance]:.3f}"
    )
    if relevance == "auto":
        informed = clf
assert losses["auto"] < losses[None]

# %%
# :class:`~sksoftmax.RelevanceDisplay` draws ``relevance_``, the most relevant column
# first. The dashed line is at 1, the relevance of all columns without this estimate.
# The columns of noise are at the lower limit: they have little effect, and none is
# dropped.
RelevanceDisplay.from_estimator(informed, max_features=25)
plt.show()
