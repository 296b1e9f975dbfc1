"""Measuring memory."""

import tracemalloc


def peak_of(function):
    """The most bytes that Python and NumPy held at once while the function ran, beyond those held before."""
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
