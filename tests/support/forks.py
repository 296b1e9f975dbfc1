"""Processes that are forked from the test process."""

import os
import pickle
import signal
import warnings
from contextlib import suppress
from select import select

import pytest

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def forked(function, seconds=20):
    """What the function returns in a forked process, or the error that it raises there; a child without an answer is an error."""
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python ≥ 3.12 warns of a fork beside other threads
        child = os.fork()
    if child == 0:
        with suppress(BaseException):
            os.write(writer, pickle.dumps(answer_of(function)))
        os._exit(0)
    os.close(writer)
    try:
        if not select([reader], [], [], seconds)[0]:
            os.kill(child, signal.SIGKILL)
            raise TimeoutError("The forked process gives no answer.")
        answer = os.read(reader, 2**16)
    finally:
        os.close(reader)
        os.waitpid(child, 0)
    return pickle.loads(answer)


def answer_of(function):
    """What the function returns, or the error that it raises."""
    try:
        return function()
    except Exception as error:
        return error
