"""What the relevance finds among columns of noise
================================================

Columns of noise cost a dense network much of its accuracy, because it begins with
equal weights for all columns. With ``relevance="auto"`` a small random forest says,
before training, which columns are informative. Each column is then multiplied by its
relevance.

Here 10 columns of the breast cancer data are hidden among 90 columns of noise.
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
# The same network, with relevance and without.
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
# first. The dashed line is 1, what all columns have without a prior. The columns of
# noise are at the lower limit: they count little, and none is dropped.
RelevanceDisplay.from_estimator(informed, max_features=25)
plt.show()
