"""Learned vectors of a column with many categories
===================================================

A column of more than 255 categories is embedded: each category gets a vector of 8
numbers, which is learned with the network. Categories with similar effects on y get
similar vectors.

In this made-up table each of 300 cities belongs to one of four regions. The table
has the name of the city, but not the region. The region decides how price and income
affect whether a person buys.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.decomposition import PCA

from sksoftmax import SoftmaxMLPClassifier

rng = np.random.default_rng(0)
n_cities, n_rows = 300, 15_000
region_of_city = rng.integers(4, size=n_cities)
city = rng.integers(n_cities, size=n_rows)
price, income = rng.normal(size=(2, n_rows))
slopes = np.array([[3, 0], [-3, 0], [0, 3], [0, -3]])[region_of_city[city]]
tendency = slopes[:, 0] * price + slopes[:, 1] * income
buys = tendency + rng.logistic(size=n_rows) > 0
frame = pd.DataFrame(
    {"city": [f"city {i:03}" for i in city], "price": price, "income": income}
)

train, test = slice(12_000), slice(12_000, None)
clf = SoftmaxMLPClassifier(n_members=1, random_state=0).fit(
    frame[train], buys[train]
)
print(f"test accuracy {clf.score(frame[test], buys[test]):.3f}")
print(
    "of somebody who knows the regions "
    f"{np.mean((tendency > 0)[test] == buys[test]):.3f}"
)

# %%
# ``embeddings_`` has one array for each embedded column. The first row of an array
# is the vector of unknown cities. The other rows are in the order of
# ``categories_``.
vectors = clf.embeddings_[0][1:]
names = clf.categories_["city"]
regions = region_of_city[[int(name.removeprefix("city ")) for name in names]]
flat = PCA(2).fit_transform(vectors)

figure, ax = plt.subplots(figsize=(6.5, 5), layout="constrained")
for region, label in enumerate(
    (
        "likes high prices",
        "likes low prices",
        "likes high incomes",
        "likes low incomes",
    )
):
    ax.scatter(*flat[regions == region].T, s=16, label=label)
ax.set(
    title="300 cities by their learned vectors, in two dimensions",
    xlabel="first component",
    ylabel="second component",
)
ax.legend(title="The region of the city (never shown)")
plt.show()
