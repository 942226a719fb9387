"""How a value is shown: a line, and one level of children.

`print` shows one level in full and a line for everything below; a front end (GDB/MI, VS Code) unfolds as deep as somebody
clicks. GDB asks for children in the same way for both, but for `print` it asks for the line first, and a front end never
sees the line of a value that has children. So these get it as their first child, `is`, and `print` shows no more than one
level.
"""

import collections
import functools
import random
import sys

import gdb

from .fields import FIELDS, PROGRAM_FIELDS
from .finding import heap_at
from .heap import printable
from .memory import readable
from .problem import in_words

LAYOUT = "github.com/glassheap/glassheap/allocator/layout."
ALLOCATOR = "github.com/glassheap/glassheap/allocator."
_MOST_TEXT = 4096


def go_text(value):
    """A Go string, as text."""
    size = min(max(int(value["len"]), 0), _MOST_TEXT)
    if size == 0:
        return ""
    return printable(bytes(gdb.selected_inferior().read_memory(int(value["str"]), size)).decode("utf-8", "replace"))


def adapter():
    """Whether GDB's own debug adapter asks (GDB 14 and newer): it asks for the line, then for one level, like nobody else."""
    return "gdb.dap" in sys.modules


def in_frame():
    """Whether an argument in a line of a backtrace is printed (GDB 13 and newer tell)."""
    return hasattr(gdb, "print_options") and gdb.print_options().get("summary", False)


# Texts by the numbers that stand for them, the latest ones.
_labels = collections.OrderedDict()
_MOST_LABELS = 1 << 16


def label(text):
    """A text as a child. A front end shows a string of Python's as an array of so many characters; so a number of a type
    that every Go program has stands for it, and the printer Label shows the text.
    """
    try:
        kind = gdb.lookup_type("uintptr")
    except gdb.error:
        return text
    number = random.getrandbits(64)
    _labels[number] = text
    if len(_labels) > _MOST_LABELS:
        _labels.popitem(last=False)
    return gdb.Value(number).cast(kind)


class Label:
    """A number that stands for a text."""

    def __init__(self, text):
        self.text = text

    def to_string(self):
        """The text."""
        return self.text


def labelled(value):
    """The printer of a number that stands for a text; None for any other number."""
    text = _labels.get(int(value)) if value.address is None else None
    return Label(text) if text is not None else None


def pointer(address):
    """An address as a child."""
    try:
        return gdb.Value(address).cast(gdb.lookup_type("void").pointer())
    except gdb.error:
        return "{:#x}".format(address)


def safe(method):
    """Make a printer's line say what keeps it from being written."""

    @functools.wraps(method)
    def wrapped(self):
        try:
            return method(self)
        except (Exception, KeyboardInterrupt) as failure:
            return in_words(failure)

    return wrapped


class Unfolding:
    """A value with a line and children, of which one level is shown at a time.

    While `print` is in the middle of the children of one value, the values below it have none: a heap would fill the
    screen for minutes.
    """

    printing = 0  # values whose children `print` is in the middle of

    def __init__(self, value):
        self.value = value
        self.asked_for_line = False

    def to_string(self):
        """The line."""
        self.asked_for_line = True
        return self.told_line()

    @safe
    def told_line(self):
        """The line, or what keeps it from being written."""
        return self.line(self.heap)

    def line(self, _heap):
        """The line of this kind of value."""
        return "{:#x}".format(self.address)

    def children(self):
        """(name, value) of each child."""
        if not self.asked_for_line:
            yield "is", label(self.told_line())
            yield from self._checked()
        elif not Unfolding.printing or adapter():
            Unfolding.printing += 1
            try:
                yield from self._checked()
            finally:
                Unfolding.printing -= 1

    def _checked(self):
        try:
            for name, value in self.unfold():
                yield name, label(value) if isinstance(value, str) else value
        except (Exception, KeyboardInterrupt) as failure:
            yield "problem", label(in_words(failure))

    def unfold(self):
        """The children of this kind of value: texts, or Values."""
        return iter(())

    def __getitem__(self, name):
        """A field: a number, or what else it is as a Value. Only names that fields.py lists can be read."""
        kind = self.value.type.name.rpartition(".")[2]
        if name not in (FIELDS.get(kind) or PROGRAM_FIELDS[kind]).split():
            raise AttributeError("fields.py names no field {} of {}".format(name, kind))
        member = self.value[name]
        return int(member) if member.type.code in (gdb.TYPE_CODE_INT, gdb.TYPE_CODE_PTR) else member

    @property
    def address(self):
        """Where the value lies; 0: nowhere."""
        return int(self.value.address) if self.value.address is not None else 0

    @property
    def heap(self):
        """The heap that the value lies in; None: in none."""
        return heap_at(self.address) if self.address else None


def struct_at(name, address):
    """The struct of that name at an address, as a Value; None where it can't be. One that is larger than the values that GDB
    will fetch (`show max-value-size`) is given as a pointer, which unfolds as it does.
    """
    try:
        kind = gdb.lookup_type(LAYOUT + name)
    except gdb.error:
        return None
    if not readable(address, kind.sizeof):
        return None
    place, most = gdb.Value(address).cast(kind.pointer()), gdb.parameter("max-value-size")
    return place.dereference() if most is None or most < 0 or kind.sizeof <= most else place
