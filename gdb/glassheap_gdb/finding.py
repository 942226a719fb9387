"""The heaps of the program, found without symbols, and the one that is meant."""

import collections
import re

import gdb

from . import moment
from .heap import MOST_BYTES, START, Heap, printable
from .mappings import mappings
from .memory import read
from .problem import Problem

_MEMFD = "/memfd:glassheap:"
_MAGIC = b"GLASHEAP"  # how a heap is recognised before anything else of it is known
_FIRST_PAGE = 4096
_MOST_HEAPS = 1 << 10


def heaps():
    """The heaps of the program, by address."""
    return moment.kept("heaps", _find)


_Candidate = collections.namedtuple("_Candidate", "base backing name parts")


def _find():
    found, problem = [], None
    for group in _candidates():
        same = []
        for candidate in group:
            try:
                same.append(Heap(*candidate))
            except Problem as p:
                problem = p
        # A program may have mapped the file of its heap a second time, or copied its header, to look at it: the header names the
        # right place.
        found += [heap for heap in same if heap.identity.Base == heap.base] or [heap for heap in same[:1] if heap.backing != "anonymous" or heap.says_where]
    if not found and problem is not None:
        raise problem
    return sorted(found, key=lambda heap: heap.base)


def _candidates():
    """Every place where a heap may be: memfds by their name, other memory by the magic word at its start. Those of one
    memory file come together.
    """
    maps, files = mappings(), collections.OrderedDict()
    for m in maps:
        if m.path:
            files.setdefault(m.path, []).append(m)
    for path, parts in files.items():
        if path.startswith(_MEMFD):
            name = printable(re.sub(r" \(deleted\)$", "", path[len(_MEMFD) :]))
            yield [_Candidate(base, "memfd", name, _parts_from(base, parts)) for base in _bases(parts)]
        elif parts[0].shared and parts[0].offset == 0 and _recognised(parts[0]):
            yield [_Candidate(base, "file", "", _parts_from(base, parts)) for base in _bases(parts)]
    anonymous = [m for m in maps if not m.path]
    known = set()
    for m in anonymous:
        base = m.start
        while base not in known and m.start <= base < m.end and _recognised(m._replace(start=base)) and len(known) < _MOST_HEAPS:
            known.add(base)
            heap = _Candidate(base, "anonymous", "", [(max(base, other.start), other.end) for other in anonymous if other.end > base])
            reserve = _reserve(heap)
            yield [heap._replace(parts=[(s, min(e, base + reserve)) for s, e in heap.parts if s < base + reserve])]
            # A heap that is full to its end touches the heap that was made before it: that one begins inside a mapping.
            base += reserve
            m = next((other for other in anonymous if other.start <= base < other.end), m)


def _bases(parts):
    """Where offset 0 of a file lies. A program may have two files of one name, or one file mapped twice."""
    return sorted({m.start - m.offset for m in parts if m.start > m.offset and any(o.start == m.start - m.offset for o in parts)})


def _parts_from(base, parts):
    return [(m.start, m.end) for m in parts if m.start - m.offset == base]


def _recognised(m):
    return _MAGIC in read(m.start, min(m.end - m.start, _FIRST_PAGE))


def _reserve(candidate):
    """How many bytes an anonymous heap reserved, by its header; little when that says nothing."""
    try:
        reserve = Heap(*candidate).identity.Reserve
    except Problem:
        reserve = 0
    return reserve if START <= reserve <= MOST_BYTES else candidate.parts[0][1] - candidate.base


def choose(wanted="", address=None):
    """The heap that is meant: the one of that name or number, the one that an address lies in, or the only one."""
    found = heaps()
    who = "the program"
    if not found:
        raise Problem("{} has no glassheap heap: it has made none yet, has closed it, or is another program than you think".format(who))
    fitting = [h for i, h in enumerate(found) if not wanted or wanted == h.name or wanted == "#{}".format(i + 1)]
    if len(fitting) > 1 and address is not None:
        fitting = [h for h in fitting if h.contains(address)] or fitting
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        raise Problem('{} has no heap "{}". It has:{}'.format(who, printable(wanted), _choices(found)))
    if wanted:
        raise Problem('{} has several heaps "{}". Choose one by its number:{}'.format(who, wanted, _choices(found)))
    raise Problem("{} has {} heaps. Choose one by --heap NAME or --heap #N:{}".format(who, len(found), _choices(found)))


def _choices(found):
    width = max(len(heap.name) for heap in found)
    rows = ["\n    #{:<3} {:<{}}  {} at {:#x}".format(i + 1, h.name, width, h.backing, h.base) for i, h in enumerate(found)]
    return "".join(rows[:20]) + ("\n    and {} more".format(len(rows) - 20) if len(rows) > 20 else "")


def heap_at(address):
    """The heap whose range an address lies in; None: no heap's."""
    try:
        return next((heap for heap in heaps() if heap.contains(address)), None)
    except (Problem, gdb.error):
        return None


def any_heap():
    """Some heap of the program; None: it has none."""
    try:
        return next(iter(heaps()), None)
    except (Problem, gdb.error):
        return None
