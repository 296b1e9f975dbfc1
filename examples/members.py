"""What the members of an ensemble do
=====================================

By default an ensemble of networks, the members, is trained. Half of the members get
the scaled columns, the other half get bins of the columns too. In both halves some
members are regularized lightly and some strongly. In the first epochs each member
leaves out one fold of the rows. On the left-out rows the members are calibrated, and
their weights in the ensemble are fitted. Afterwards all members train on all rows.
"""

import matplotlib.pyplot as plt
import numpy as np

from sksoftmax import LossCurveDisplay, MembersDisplay, SoftmaxMLPClassifier

# %%
# In these data the class changes at many thresholds of single columns. A network
# learns thresholds more easily from bins than from numbers.
rng = np.random.default_rng(0)
X = rng.uniform(-3, 3, size=(1200, 4))
y = (np.floor(2 * X[:, 0]).astype(int) + (X[:, 1] > 1)) % 2
clf = SoftmaxMLPClassifier(random_state=0).fit(X, y)
print(clf.summary())

# %%
# The vertical line in the loss curve marks the end of the fold phase.
LossCurveDisplay.from_estimator(clf)
plt.show()

# %%
# :class:`~sksoftmax.MembersDisplay` shows the result: members with bins have lower
# losses on the rows that they left out, so they have nearly all of the weight.
MembersDisplay.from_estimator(clf)
plt.show()
assert clf.member_weights_[clf.n_members_ // 2 :].sum() > 0.6
