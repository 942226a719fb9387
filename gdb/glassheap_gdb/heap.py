"""The heaps of the program: found without symbols, and what their tables say.

Only what GDB has to know by itself is here: which heap is meant, what of its memory is in use, and which block an address
belongs to. What is right and what is wrong, the glassheap program says (program.py).
"""

import collections
import re
import struct

import gdb

from . import moment
from .mappings import mappings
from .memory import read
from .problem import Problem
from .schema import fnv, layout_of
from .words import PageEntry, tally_count, word

_MEMFD = "/memfd:glassheap:"
_MAGIC = b"GLASHEAP"  # how a heap is recognised before anything else of it is known
_FIRST_PAGE = 4096
_START = 64 << 10  # the header's room: its schema lies somewhere in it
_MOST_BYTES = 1 << 44  # above any heap's reserve
_MOST_HEAPS = 1 << 10


class Heap:
    """One heap: where it lies, and its tables, read when they are asked for."""

    def __init__(self, base, backing, name, parts):
        self.base, self.backing = base, backing
        self.parts = parts  # readable ranges (start, end), by address, from the base on
        self.end = max(end for _, end in parts)
        start = self.read(base, min(_START, parts[0][1] - base))
        self.layout = layout_of(start)
        self.header = self.layout["Header"].of(start)
        self.sound, self.identity = self._credible_identity()
        self.name = name or printable(self.identity.Name.split(b"\0")[0].decode("utf-8", "replace"))
        self._tables = {}

    def _credible_identity(self):
        """The copy of the identity whose checksum is right, as the checker chooses it."""
        copies = [self.header.Identity, self.header.Twin]
        for copy in copies:
            if fnv(copy.data[: copy.struct["Checksum"].offset]) == copy.Checksum and copy.Base == self.base:
                return True, copy
        magic = self.layout("Magic")
        return False, next((copy for copy in copies if copy.Magic == magic), copies[0])

    @property
    def mode(self):
        """"sealed" or "plain"."""
        return word(self.layout, "Mode", self.identity.Mode)

    @property
    def sealed(self):
        """Whether blocks end in seals."""
        return self.identity.SealBytes != 0

    @property
    def page_bytes(self):
        """The size of a page."""
        return self.layout("PageBytes")

    @property
    def pages_per_arena(self):
        """How many pages an arena has."""
        return self.layout("ArenaBytes") // self.page_bytes

    def contains(self, address):
        """Whether an address lies in the range that the heap reserved."""
        return self.base <= address < max(self.end, self.base + min(self.identity.Reserve, _MOST_BYTES))

    def clip(self, start, size):
        """The readable parts of a range, as (start, end)."""
        end = start + size
        return [(max(start, s), min(end, e)) for s, e in self.parts if s < end and e > start]

    def read(self, start, size):
        """The bytes of a range; what is not readable is zeros."""
        pieces, at = [], start
        for s, e in self.clip(start, size):
            pieces += [bytes(s - at), read(s, e - s)]
            at = e
        pieces.append(bytes(start + size - at))
        return b"".join(pieces)

    # The tables. Each is (start, bytes): no more than the header says is in use, no more than there is.

    def table_ranges(self):
        """Where the tables lie and how much of each is in use. One entry more than is in use is looked at, as the checker
        does: a count that is too low shows by what comes after it.
        """
        id, head, sizes = self.identity, self.header, self.layout
        arenas = min(head.ArenasUsed, id.ArenasMax)
        return {
            "Bins": (id.Bins, id.BinCount * sizes["Bin"].bytes),
            "Caches": (id.Caches, (head.CachesReady + 1) * sizes["Cache"].bytes),
            "Arenas": (id.Arenas, (arenas + 1) * sizes["Arena"].bytes),
            "PageMap": (id.PageMap, arenas * self.pages_per_arena * 8),
            "Descriptors": (id.Descriptors, min(max(head.DescriptorsTop, id.Descriptors), id.DescriptorsEnd) - id.Descriptors),
        }

    def table(self, name):
        """The bytes of a table, cut where readable memory ends."""
        if name not in self._tables:
            start, size = self.table_ranges()[name]
            parts = self.clip(start, size) if size > 0 else []
            whole = parts[-1][1] - start if parts else 0
            self._tables[name] = self.read(start, whole)
        return self._tables[name]

    def entries(self, table, kind, most):
        """The first structs of a table, with their addresses."""
        if not self.sound:
            return
        data, start = self.table(table), self.table_ranges()[table][0]
        size = self.layout[kind].bytes
        for i in range(min(most, len(data) // size)):
            yield start + i * size, self.layout[kind].of(data, i * size)

    def shapes(self):
        """The stride and the capacity of the slabs of each bin."""
        return {(bin.Stride, bin.Capacity) for _, bin in self.entries("Bins", "Bin", self.identity.BinCount)}

    def descriptor(self, kind, address):
        """The Slab or Span at an address among the descriptors; None when it does not lie there."""
        data, offset = self.table("Descriptors"), address - self.identity.Descriptors
        if 0 <= offset <= len(data) - self.layout[kind].bytes:
            return self.layout[kind].of(data, offset)
        return None

    def page_entry(self, page):
        """The entry of a page, counted from the first arena."""
        data = self.table("PageMap")[page * 8 : page * 8 + 8]
        return PageEntry(self.layout, int.from_bytes(data, "little"))

    def page_kinds(self):
        """The kind of every page, a byte each."""
        return self.table("PageMap")[::8]

    def page_address(self, page):
        """Where a page begins."""
        return self.identity.Data + page * self.page_bytes

    def page_of(self, address):
        """The number of the page that an address lies in; None outside of the pages that are in use."""
        if not self.sound:
            return None  # the places that the header gives can't be believed
        page = (address - self.identity.Data) // self.page_bytes
        return page if address >= self.identity.Data and page < len(self.page_kinds()) else None

    def runs(self, kind):
        """The first page of every run of a kind ("PageSlab"), with its entry."""
        if not self.sound:
            return
        wanted = re.escape(bytes([self.layout(kind)]))
        for match in re.finditer(b"(?s:" + wanted + b")", self.page_kinds()):
            entry = self.page_entry(match.start())
            if entry.before == 0:
                yield match.start(), entry

    def slabs(self, bin=None, arena=None):
        """The slabs, of one bin or arena or of all: (page, address of the struct, struct)."""
        for page, entry in self.runs("PageSlab"):
            if (bin is None or entry.bin == bin) and (arena is None or page // self.pages_per_arena == arena):
                address = self.identity.Descriptors + entry.descriptor
                slab = self.descriptor("Slab", address)
                if slab is not None:
                    yield page, address, slab

    def spans(self, arena=None):
        """The spans, of one arena or of all: (page, address of the struct, struct)."""
        for page, entry in self.runs("PageSpan"):
            if arena is None or page // self.pages_per_arena == arena:
                address = self.identity.Descriptors + entry.descriptor
                span = self.descriptor("Span", address)
                if span is not None:
                    yield page, address, span

    def cached_blocks(self):
        """Where each block is that a magazine names: {address: (place, whether it is on top of a P's magazine)}."""
        return moment.kept(("cached", self.base), self._find_cached)

    def _find_cached(self):
        found = {}
        for _, cache in self.entries("Caches", "Cache", self.header.CachesReady):
            size = self.layout["Magazine"].bytes
            for bin in range(min(self.identity.BinCount, len(cache.Magazines) // size)):
                blocks = self._blocks_of(self.layout["Magazine"].of(cache.Magazines, bin * size))
                for i, block in enumerate(blocks):
                    found[block] = ("cached", i == len(blocks) - 1)
        for _, bin in self.entries("Bins", "Bin", self.identity.BinCount):
            address, seen = bin.Depot, set()
            while address and address not in seen:
                seen.add(address)
                magazine = self.descriptor("Magazine", address)
                if magazine is None:
                    break
                for block in self._blocks_of(magazine):
                    found[block] = ("depot", False)
                address = magazine.Next
        return found

    def _blocks_of(self, magazine):
        count = min(tally_count(magazine.Tally), self.layout("MagazineBlocks"), len(magazine.Blocks) // 8)
        return struct.unpack_from("<{}Q".format(count), magazine.Blocks)

    def describe(self):
        """The heap in a line."""
        arenas, spans = count(self.header.ArenasMapped, "arena"), count(self.header.SpansLive, "span")
        return 'heap "{}", {}, {}, {}'.format(self.name, self.mode, arenas, spans)


def count(number, noun):
    """A number with its noun."""
    return "{:,} {}{}".format(number, noun, "" if number == 1 else "s")


def printable(text):
    """A foreign name, safe to print: it could carry line breaks or a terminal's control sequences."""
    return "".join(c if c.isprintable() else "·" for c in text[:200])


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
        # A program may have mapped the file of its heap a second time, to look at it: its header names the right place.
        found += [heap for heap in same if heap.identity.Base == heap.base] or same[:1]
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
            name = printable(path[len(_MEMFD) :].removesuffix(" (deleted)"))
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
    return reserve if _START <= reserve <= _MOST_BYTES else candidate.parts[0][1] - candidate.base


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
