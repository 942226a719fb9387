"""The memory mappings of the program: what GDB says of a process, or what a core file holds."""

import collections
import re

import gdb

from . import moment

# path is empty for anonymous memory.
Mapping = collections.namedtuple("Mapping", "start end offset path shared")

_ROW = re.compile(r"\s*0x([0-9a-f]+)\s+0x([0-9a-f]+)\s+0x[0-9a-f]+\s+0x([0-9a-f]+)(?:\s+([r-][w-][x-][sp]))?(?:\s+(\S.*?))?\s*$")
_SECTION = re.compile(r".*\b0x([0-9a-f]+)->0x([0-9a-f]+) at 0x[0-9a-f]+: load\w* .*\bHAS_CONTENTS\b")


def mappings():
    """The readable mappings, by address."""
    return moment.kept("mappings", _find)


def _find():
    inferior = moment.program()
    if moment.is_core(inferior):
        return _of_core()
    return [m for m, readable in _rows(gdb.execute("info proc mappings", False, True)) if readable]


def _rows(text):
    """The rows of `info proc mappings`, with whether each is readable (a core's rows don't say)."""
    for line in text.splitlines():
        row = _ROW.match(line)
        if row:
            start, end, offset, permissions, path = row.groups()
            shared = permissions is None or permissions.endswith("s")
            yield Mapping(int(start, 16), int(end, 16), int(offset, 16), path or "", shared), permissions is None or permissions.startswith("r")


def _of_core():
    """A core holds parts of memory; which of them belong to files, a note of it tells."""
    try:
        files = [m for m, _ in _rows(gdb.execute("info proc mappings", False, True))]
    except gdb.error:
        files = []  # a core without that note: a heap is then found by its magic word
    found = []
    core = False
    for line in gdb.execute("maintenance info sections", False, True).splitlines():
        core = core or line.startswith("Core file")
        section = _SECTION.match(line) if core else None
        if section:
            start, end = (int(number, 16) for number in section.groups())
            found.append(_named(Mapping(start, end, 0, "", False), files))
    return sorted(found)


def _named(part, files):
    for file in files:
        if file.start <= part.start < file.end:
            return part._replace(offset=file.offset + part.start - file.start, path=file.path, shared=True)
    return part
