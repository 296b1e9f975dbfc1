"""Other processes, memory, files, and errors at a chosen call of a function."""

import os
import pickle
import re
import signal
import subprocess
import sys
import tracemalloc
import warnings
from contextlib import suppress
from pathlib import Path
from select import select

import pytest

from support.repository import ROOT

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


def watch(monkeypatch, owner, name, see=None, keep=None):
    """Let `see` get the arguments before each call of the function, and `keep` what it returns, until the test ends."""
    original = getattr(owner, name)

    def watched(*args, **kwargs):
        if see:
            see(*args, **kwargs)
        result = original(*args, **kwargs)
        if keep:
            keep(result)
        return result

    monkeypatch.setattr(owner, name, watched)


def fail_at_call(monkeypatch, owner, name, at_call, error):
    """Let the function raise the error at this call of it; the first call is 1."""
    calls = []

    def see(*args, **kwargs):
        calls.append(1)
        if len(calls) == at_call:
            raise error

    watch(monkeypatch, owner, name, see)


def interrupt(monkeypatch, owner, name, at_call):
    """Let the function raise KeyboardInterrupt at this call of it."""
    fail_at_call(monkeypatch, owner, name, at_call, KeyboardInterrupt)


def run_out_of_memory(monkeypatch, owner, name, at_call):
    """Let the function raise MemoryError at this call of it."""
    fail_at_call(monkeypatch, owner, name, at_call, MemoryError("out of memory"))


def peak_of(function):
    """The most bytes that Python and NumPy held at once while the function ran, beyond those held before."""
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def run_script(script, *arguments, folder):
    """Run the script in this folder and return what it prints; it must succeed and print no warning on stderr."""
    environment = os.environ | {"PYTHONIOENCODING": "utf-8", "MPLBACKEND": "agg"}
    command = [sys.executable, ROOT / script, *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, encoding="utf-8", timeout=300)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr, done.stderr
    return done.stdout


def is_read_in_random_order(X):
    """Whether Linux was told that the file of this array is read in random order."""
    address = X.ctypes.data
    for part in re.split(r"\n(?=[0-9a-f]+-[0-9a-f]+ )", Path("/proc/self/smaps").read_text("utf-8")):
        start, end = (int(number, 16) for number in part.split()[0].split("-"))
        if start <= address < end:
            return "rr" in re.search(r"VmFlags: (.*)", part)[1].split()
    raise AssertionError("the array is in no mapping")
