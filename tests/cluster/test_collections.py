"""Collections of dask as X and y: what is read, predicted and refused."""
