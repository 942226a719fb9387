"""What was found out about the program, kept for as long as the program stands still."""

import contextlib

import gdb

from .problem import Problem

_kept = {}
_stopping = 0  # breakpoints that are deciding whether to stop


def program():
    """The inferior that is looked at. A Problem says why there is nothing to look at."""
    inferior = gdb.selected_inferior()
    if gdb.selected_thread() is None or inferior.pid == 0:
        raise Problem("there is no program yet: `run` it, `attach` to one, or open a core with `core-file`")
    if _runs(gdb.selected_thread()):
        raise Problem("the program is running: interrupt it first (Ctrl-C, or `interrupt`)")
    return inferior


def _runs(thread):
    return thread.is_running() and not _stopping


@contextlib.contextmanager
def stopping():
    """While a breakpoint decides whether to stop. The program stands still, though GDB doesn't say so yet."""
    global _stopping
    forget()
    _stopping += 1
    try:
        yield
    finally:
        _stopping -= 1
        forget()


def is_core(inferior):
    """Whether the inferior is a core file: nothing in it moves."""
    return inferior.connection is not None and inferior.connection.type == "core"


def kept(what, find):
    """What find() returns, or what it returned before, if the program has not run since."""
    inferior = program()
    if not is_core(inferior) and any(map(_runs, inferior.threads())):
        return find()  # non-stop mode: other threads go on, so nothing stays true
    key = (inferior.num, inferior.pid, inferior.connection_num, what)
    if key not in _kept:
        _kept[key] = find()
    return _kept[key]


def forget(_event=None):
    """Forget everything: the program has run, or something wrote into its memory."""
    for value in _kept.values():
        if hasattr(value, "close"):
            value.close()
    _kept.clear()


_EVENTS = ("cont", "stop", "exited", "memory_changed", "inferior_call", "new_objfile", "clear_objfiles")


def load():
    """Listen to what ends a moment."""
    for name in _EVENTS:
        getattr(gdb.events, name).connect(forget)


def unload():
    """Undo load."""
    forget()
    for name in _EVENTS:
        getattr(gdb.events, name).disconnect(forget)
