"""Errors and interrupts at a chosen call of a function."""


def fail_at_call(monkeypatch, owner, name, at_call, error):
    """Let the function raise the error at this call of it; the first call is 1."""
    original, calls = getattr(owner, name), []

    def failing(*args, **kwargs):
        calls.append(1)
        if len(calls) == at_call:
            raise error
        return original(*args, **kwargs)

    monkeypatch.setattr(owner, name, failing)


def interrupt(monkeypatch, owner, name, at_call):
    """Let the function raise KeyboardInterrupt at this call of it."""
    fail_at_call(monkeypatch, owner, name, at_call, KeyboardInterrupt)


def run_out_of_memory(monkeypatch, owner, name, at_call):
    """Let the function raise MemoryError at this call of it."""
    fail_at_call(monkeypatch, owner, name, at_call, MemoryError("out of memory"))
