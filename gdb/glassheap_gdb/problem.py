"""What the user is told when something can't be done: a sentence, never a traceback."""

import functools
import os
import traceback

import gdb


class Problem(Exception):
    """Something that the user can do something about. Its text says what."""


def in_words(failure):
    """The text of an exception that came up while a command ran."""
    if isinstance(failure, Problem):
        return "glassheap: " + str(failure)
    if isinstance(failure, KeyboardInterrupt):
        return "glassheap: interrupted"
    if isinstance(failure, (gdb.error, OSError)):
        return "glassheap: " + str(failure)
    if os.environ.get("GLASSHEAP_GDB_TRACEBACK"):
        traceback.print_exc()
    return "glassheap: this should not have happened ({}: {}). Please report it".format(type(failure).__name__, failure)


def told(invoke):
    """Make a command tell its problems in words."""

    @functools.wraps(invoke)
    def wrapped(*arguments):
        try:
            return invoke(*arguments)
        except gdb.GdbError:
            raise
        except (Exception, KeyboardInterrupt) as failure:
            raise gdb.GdbError(in_words(failure)) from None

    return wrapped
