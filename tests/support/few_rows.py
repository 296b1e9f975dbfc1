"""Thirty rows of three classes, as an array and as a frame, for tests of what is refused."""

import numpy as np
import pandas as pd

X = np.random.default_rng(0).normal(size=(30, 4))
y = np.arange(30) % 3
FRAME = pd.DataFrame(X, columns=["length", "width", "height", "mass"])
SOFT = np.full((30, 3), [0.5, 0.3, 0.2])
