"""What the members of an ensemble do
==================================

The default trains several networks side by side. Half of them see the scaled
columns, half their bins too; in both halves some are regularized lightly and some
strongly. For a part of the epochs each member leaves out a fold of the rows. These
rows decide how much each kind of member counts, and calibrate it. Afterwards all
members train on all rows.
"""

import matplotlib.pyplot as plt
import numpy as np

from sksoftmax import LossCurveDisplay, MembersDisplay, SoftmaxMLPClassifier

# %%
# Stripes: the class changes at thresholds of single columns, which bins see better
# than numbers.
rng = np.random.default_rng(0)
X = rng.uniform(-3, 3, size=(1200, 4))
y = (np.floor(2 * X[:, 0]).astype(int) + (X[:, 1] > 1)) % 2
clf = SoftmaxMLPClassifier(random_state=0).fit(X, y)
print(clf.summary())

# %%
# A vertical line in the loss curve marks the end of the folds.
LossCurveDisplay.from_estimator(clf)
plt.show()

# %%
# :class:`~sksoftmax.MembersDisplay` shows the result: members that see bins have
# lower losses on the rows that they left out, so nearly all weight is theirs.
MembersDisplay.from_estimator(clf)
plt.show()
assert clf.member_weights_[clf.n_members_ // 2 :].sum() > 0.6
