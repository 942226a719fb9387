"""One heap: where it lies, and what its tables say.

Only what GDB has to know by itself is here: which heap is meant, what of its memory is in use, and which block an address
belongs to. What is right and what is wrong, the glassheap program says (program.py).
"""

import re
import struct

from . import moment
from .memory import read
from .schema import fnv, layout_of
from .words import PageEntry, tally_count, word

START = 64 << 10  # the header's room: its schema lies somewhere in it
MOST_BYTES = 1 << 44  # above any heap's reserve


class Heap:
    """One heap: where it lies, and its tables, read when they are asked for."""

    def __init__(self, base, backing, name, parts):
        self.base, self.backing = base, backing
        self.parts = parts  # readable ranges (start, end), by address, from the base on
        self.end = max(end for _, end in parts)
        start = self.read(base, min(START, parts[0][1] - base))
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
    def says_where(self):
        """Whether one of its identities says that it lies here: copies of a header lie elsewhere in memory."""
        magic = self.layout("Magic")
        return any(copy.Magic == magic and copy.Base == self.base for copy in [self.header.Identity, self.header.Twin])

    @property
    def mode(self):
        """"plain", "sealed" or "audit", as it is now."""
        return word(self.layout, "Mode", self.header.Mode)

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
        return self.base <= address < max(self.end, self.base + min(self.identity.Reserve, MOST_BYTES))

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
        most = self.layout("MaxCaches") - 1
        return {
            "Bins": (id.Bins, id.BinCount * sizes["Bin"].bytes),
            "Caches": (id.Caches, (min(head.CachesReady, most) + 1) * sizes["Cache"].bytes),
            "Arenas": (id.Arenas, (arenas + 1) * sizes["Arena"].bytes),
            "PageMap": (id.PageMap, arenas * self.pages_per_arena * 8),
            "Descriptors": (id.Descriptors, min(max(head.DescriptorsTop, id.Descriptors), id.DescriptorsEnd) - id.Descriptors),
            "Records": (id.Records, min(max(head.RecordsTop, id.Records), id.RecordsEnd) - id.Records),
            "Journals": (id.Journals, (min(head.JournalsReady, most) + 1) * sizes["Journal"].bytes),
            "Guards": (id.Guards, self._guard_bytes()),
            "Stacks": (id.Stacks, self._stack_bytes()),
        }

    def _guard_bytes(self):
        """How much of the guard pool is in use: nothing before something is guarded. The head tells, as for the checker."""
        pool = self.layout["GuardPool"]
        head = pool["Slots"].offset
        return pool.bytes if any(self.read(self.identity.Guards, head)) else head

    def _stack_bytes(self):
        """How much of the stack table is in use: nothing before the heap is audited, or something is guarded."""
        id, table = self.identity, self.layout["StackTable"]
        if self.header.JournalsReady == 0 and self._guard_bytes() < self.layout["GuardPool"].bytes:
            return 0
        used = table.of(self.read(id.Stacks, table.bytes)).Used
        return min(table.bytes + used, max(id.Journals - id.Stacks, 0))

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
        """Where each block is that a magazine or a quarantine names: {address: (place, whether it may be in a P's hands)}."""
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
        for _, journal in self.entries("Journals", "Journal", self.header.JournalsReady):
            held = self.held_by(journal)
            for block in held:
                found.setdefault(block, ("quarantined", block == journal.Moving))
        return found

    def guard_slots(self):
        """The slots of the guard pool: (number, address of the struct, struct); none before something was guarded."""
        pool, slot = self.layout["GuardPool"], self.layout["GuardSlot"]
        data = self.table("Guards") if self.sound else b""
        if len(data) < pool.bytes:
            return
        head = pool["Slots"].offset
        for i in range(min(self.layout("GuardSlots"), (len(data) - head) // slot.bytes)):
            place = head + i * slot.bytes
            yield i, self.identity.Guards + place, slot.of(data, place)

    def guard_page(self, slot):
        """Where the page of a guard slot begins: every other page of the pool, between two that are inaccessible."""
        return self.identity.GuardPages + (2 * slot + 1) * self.page_bytes

    def held_by(self, journal):
        """The blocks that a P holds back, the oldest first; none when the counts can't be true."""
        room, held = self.layout("QuarantineBlocks"), journal.QuarantineIn - journal.QuarantineOut
        if not 0 <= held <= room:
            return []
        ring = struct.unpack("<{}Q".format(len(journal.Quarantine) // 8), journal.Quarantine)
        return [ring[(journal.QuarantineOut + i) % room] for i in range(held)]

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
