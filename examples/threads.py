"""Threads and time
===================

Members of an ensemble are trained in threads, and chunks of rows are predicted in
threads. ``OMP_NUM_THREADS``, ``threadpool_limits`` of threadpoolctl or joblib's
limit sets the number of threads. The model is the same with any number of threads.

This example measures processor time, because it depends little on other work of the
machine. If the processor time does not grow with the number of threads, the elapsed
time falls with the number of free processors. The page of benchmarks has elapsed
times.
"""

from time import process_time

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_classification
from threadpoolctl import threadpool_limits

from sksoftmax import SoftmaxMLPClassifier

X, y = make_classification(4000, 20, n_informative=10, n_classes=4, random_state=0)
settings = [1, 2]

# %%
# The first fit imports modules and is not measured.
SoftmaxMLPClassifier(max_iter=60, random_state=0).fit(X[:500], y[:500])
seconds, probabilities = {}, {}
for n_members in ("auto", 1):
    for n_threads in settings:
        with threadpool_limits(n_threads):
            begun = process_time()
            clf = SoftmaxMLPClassifier(n_members=n_members, random_state=0).fit(X, y)
            seconds[n_members, n_threads] = process_time() - begun
            probabilities[n_members, n_threads] = clf.predict_proba(X)
for n_members in ("auto", 1):
    assert np.array_equal(
        probabilities[n_members, 1], probabilities[n_members, settings[-1]]
    )

# %%
figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for shift, (n_members, label) in zip(
    (-0.2, 0.2), (("auto", "ensemble (default)"), (1, "n_members=1"))
):
    values = [seconds[n_members, n_threads] for n_threads in settings]
    ax.bar_label(
        ax.bar(np.arange(len(settings)) + shift, values, 0.38, label=label),
        fmt="%.2f s",
    )
ax.set_xticks(range(len(settings)), settings)
ax.set(
    xlabel="threads allowed",
    ylabel="processor seconds",
    title="Processor time of one fit of 4,000 rows",
)
ax.margins(y=0.3)
ax.legend()
plt.show()
