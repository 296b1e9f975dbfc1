"""Threads and time
================

Chunks of rows are predicted in threads; the members of an ensemble train together in one. How many threads are used follows
``OMP_NUM_THREADS``, :func:`threadpoolctl.threadpool_limits` or joblib's limit. The model is the
same with any number of threads.

The time depends on the machine on which this page was built.
"""

import os
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_classification
from threadpoolctl import threadpool_limits

from sksoftmax import SoftmaxMLPClassifier

X, y = make_classification(4000, 20, n_informative=10, n_classes=4, random_state=0)
processors = os.cpu_count() or 1
settings = sorted({1, 2, min(4, processors)})

# %%
# The first fit loads what is loaded once; it is not measured.
SoftmaxMLPClassifier(max_iter=60, random_state=0).fit(X[:500], y[:500])
seconds, probabilities = {}, {}
for n_members in ("auto", 1):
    for n_threads in settings:
        with threadpool_limits(n_threads):
            begun = perf_counter()
            clf = SoftmaxMLPClassifier(n_members=n_members, random_state=0).fit(X, y)
            seconds[n_members, n_threads] = perf_counter() - begun
            probabilities[n_members, n_threads] = clf.predict_proba(X)
for n_members in ("auto", 1):
    assert np.array_equal(probabilities[n_members, 1], probabilities[n_members, settings[-1]])

# %%
figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for shift, (n_members, label) in zip((-0.2, 0.2), (("auto", "ensemble (default)"), (1, "n_members=1"))):
    values = [seconds[n_members, n_threads] for n_threads in settings]
    ax.bar_label(ax.bar(np.arange(len(settings)) + shift, values, 0.38, label=label), fmt="%.2f s")
ax.set_xticks(range(len(settings)), settings)
ax.set(xlabel=f"threads allowed (this machine has {processors} processors)", ylabel="seconds", title="One fit of 4,000 rows")
ax.legend()
plt.show()
