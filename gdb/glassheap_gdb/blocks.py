"""The blocks of a slab, and the block that an address belongs to: one read for all of a slab's blocks."""

import struct

from . import moment, stacks
from .words import Seal


class Block:
    """One block of a slab, or a whole span."""

    __slots__ = ("address", "size", "index", "place", "requested", "seal", "slab", "bin", "allocated", "freed", "guarded")

    def __init__(self, address, size, index, place, slab, bin):
        self.address, self.size, self.index, self.place, self.slab, self.bin = address, size, index, place, slab, bin
        self.requested = -1  # bytes that were asked for, from the block's start; -1: not known
        self.seal = "none"  # none, intact, broken, wrong, slack, poison, mark: the words of the checker
        self.allocated = self.freed = None  # who did, as far as audit mode recorded it
        self.guarded = False  # it ends at a guard page, and has no seal

    def __str__(self):
        text = "{:#x}  {}{}".format(self.address, self.place, ", guarded" if self.guarded else "")
        if self.requested >= 0:
            text += ", {} of {} bytes".format(self.requested, self.size)
        else:
            text += ", {} bytes".format(self.size)
        text += "" if self.seal == "none" else ", seal " + self.seal
        return text + stacks.told(self.allocated, self.freed)

    @property
    def seal_address(self):
        """Where the seal lies."""
        return self.address + self.size


def of_slab(heap, page, address, slab):
    """Every block of a slab, looked at."""
    return moment.kept(("blocks", address), lambda: _of_slab(heap, page, address, slab))


def _of_slab(heap, page, address, slab):
    seal_bytes = heap.identity.SealBytes if heap.sealed else 0
    stride, capacity = slab.Stride, slab.Capacity
    if not 0 < stride - seal_bytes or capacity * stride > slab.Pages * heap.page_bytes or (stride, capacity) not in heap.shapes():
        return []  # a damaged slab: the checker says what of it
    base = heap.page_address(page)
    data = heap.read(base, capacity * stride)
    places = _places(heap, address, slab, base)
    records = _records(heap, address, slab)
    found = []
    for i in range(capacity):
        block = Block(base + i * stride, stride - seal_bytes, i, places[i], page, slab.Bin)
        if heap.sealed:
            _examine(heap, block, data[i * stride : (i + 1) * stride], records[i] if records else None)
        found.append(block)
    return found


def _places(heap, address, slab, base):
    """The place of each block, by its link and by the magazines: what the checker calls a census."""
    layout, capacity = heap.layout, slab.Capacity
    start = address - heap.identity.Descriptors + layout["Slab"].bytes
    data = heap.table("Descriptors")[start : start + 2 * capacity]
    links = struct.unpack("<{}H".format(capacity), data + bytes(2 * capacity - len(data)))
    words = {layout("LinkVirgin"): "virgin", layout("LinkOut"): "live", layout("LinkWithdrawn"): "withdrawn"}
    places = [words.get(link, "lost") for link in links]
    at = slab.FreeHead
    for _ in range(capacity):
        if at >= capacity or places[at] != "lost":
            break
        places[at] = "free"
        at = links[at] - 1 if links[at] != layout("LinkEnd") else layout("NoBlock")
    cached = heap.cached_blocks()
    for i in range(capacity):
        place = cached.get(base + i * slab.Stride)
        if place is not None and places[i] == "live":
            places[i] = place[0]
    return places


def records_of(heap, address, slab):
    """Where the records of a slab begin, as an offset of their table; None: it has none, or they are another slab's."""
    head, offset = heap.layout["Records"], slab.Records - heap.identity.Records
    end = offset + head.bytes + slab.Capacity * heap.layout["Record"].bytes
    if slab.Records == 0 or not 0 <= offset <= end <= len(heap.table("Records")):
        return None
    return offset if head.of(heap.table("Records"), offset).Slab == address else None


def _records(heap, address, slab):
    """The records of a slab's blocks."""
    offset, kind = records_of(heap, address, slab), heap.layout["Record"]
    if offset is None:
        return []
    offset += heap.layout["Records"].bytes
    return [kind.of(heap.table("Records"), offset + i * kind.bytes) for i in range(slab.Capacity)]


def _remember(heap, block, record, freed):
    """Who had the block; the second half of the record is true of a block that was freed."""
    block.allocated = stacks.allocation(heap, record)
    if freed:
        block.freed = stacks.release(heap, record)


def _examine(heap, block, data, record):
    """Look at the seal and the bytes before it."""
    if block.place == "virgin":
        return
    seal = Seal(heap.layout, int.from_bytes(data[block.size :], "little"))
    belongs = seal.belongs(block.address, heap.identity.Secret)
    block.seal = "intact"
    # A seal that is written over says nothing: then the record is the best guess there is.
    if record is not None and (seal.recorded() or not belongs):
        _remember(heap, block, record, seal.poisoned() if belongs else record.FreeSequence != 0)
    known = seal.live() or seal.free() or seal.poisoned()
    if not belongs or not known or seal.size > block.size or (seal.state == heap.layout("StateFree") and seal.size):
        block.seal = "broken"
    elif seal.live():
        _examine_live(heap, block, data, seal)
    else:
        _examine_freed(heap, block, data, seal)


def _examine_live(heap, block, data, seal):
    """A block that is sealed as being in the user's hands."""
    aligned = _aligned_at(heap, block, data, seal) if seal.aligned() else 0
    block.requested = seal.size - aligned
    if data[seal.size : block.size].strip(bytes([heap.layout("SlackByte")])):
        block.seal = "slack"
    elif seal.aligned() and not aligned:
        block.seal = "mark"
    if block.place in ("cached", "quarantined") and block.seal == "intact" and heap.cached_blocks()[block.address][1]:
        block.place = "in-flight"
    elif block.place not in ("live", "withdrawn"):
        block.seal = "wrong"


def _aligned_at(heap, block, data, seal):
    """How far inside an aligned block the user's address lies, by the mark before it; 0 when the mark is written over."""
    for offset in range(8, seal.size, 8):
        if Seal(heap.layout, int.from_bytes(data[offset - 8 : offset], "little")).marks(block.address + offset, offset, heap.identity.Secret):
            return offset
    return 0


def _examine_freed(heap, block, data, seal):
    """A block that is sealed as freed."""
    if seal.poisoned():
        block.requested = seal.size
        if data[: block.size].strip(bytes([heap.layout("PoisonByte")])):
            block.seal = "poison"
    held = seal.state == heap.layout("StateQuarantined") and block.seal == "intact"
    if block.place == "quarantined" and not held and heap.cached_blocks()[block.address][1]:
        block.place, block.seal = "in-flight", "intact"
    elif block.place not in ("free", "cached", "depot", "quarantined", "withdrawn"):
        block.seal = "wrong"


def at(heap, address):
    """The block or span that an address belongs to; None: it belongs to none."""
    page = heap.page_of(address)
    if page is None:
        return _guarded_at(heap, address)
    entry = heap.page_entry(page)
    start = page - entry.before
    if entry.kind == heap.layout("PageSlab"):
        place = heap.identity.Descriptors + entry.descriptor
        slab = heap.descriptor("Slab", place)
        if slab is None or slab.Stride == 0:
            return None
        index = (address - heap.page_address(start)) // slab.Stride
        blocks = of_slab(heap, start, place, slab)
        return blocks[index] if 0 <= index < len(blocks) else None
    return _span_at(heap, address, page)


def _span_at(heap, address, page):
    """The span that a page belongs to. The further pages of a huge span have no entries: its first arena knows how many."""
    for start, place, span in heap.spans():
        if start <= page and span.State and address < heap.page_address(start) + span.Pages * heap.page_bytes:
            return of_span(heap, start, place, span)
    return None


def of_span(heap, page, _address, span):
    """A span as a block."""
    base, seal_bytes = heap.page_address(page), heap.identity.SealBytes if heap.sealed else 0
    guarded = span.Guarded == heap.layout("SpanGuarded")
    if guarded:
        base, seal_bytes = base + min(span.Offset, heap.page_bytes), 0
    block = Block(base, max(heap.page_address(page) + span.Pages * heap.page_bytes - base - seal_bytes, 0), 0, "live", page, -1)
    block.requested, block.guarded = span.Requested, guarded
    quarantined = span.State == heap.layout("SpanQuarantined")
    if span.Recorded == heap.layout("SpanRecorded"):
        _remember(heap, block, span.Record, quarantined)
    if quarantined:
        block.place = "quarantined"  # its memory can't be read: the seal is gone
    elif heap.sealed and not guarded and heap.clip(block.seal_address, seal_bytes):
        seal = Seal(heap.layout, int.from_bytes(heap.read(block.seal_address, seal_bytes), "little"))
        whole = seal.belongs(base, heap.identity.Secret) and seal.live() and seal.size == span.Requested & 0xFFFF
        block.seal = "intact" if whole else "broken"
        slack = min(block.size - min(span.Requested, block.size), heap.page_bytes)
        if whole and heap.read(block.seal_address - slack, slack).strip(bytes([heap.layout("SlackByte")])):
            block.seal = "slack"
    return block


def of_guard(heap, number, slot):
    """A guarded block of the pool, live or freed; None: its slot was never used."""
    if slot.State == heap.layout("GuardVirgin"):
        return None
    live = slot.State == heap.layout("GuardLive")
    block = Block(slot.Address, slot.Requested, number, "live" if live else "quarantined", -1, -1)
    block.requested, block.guarded = slot.Requested, True
    _remember(heap, block, slot.Record, not live)
    return block


def _guarded_at(heap, address):
    """The guarded block on whose page an address lies; None: on none."""
    for number, _, slot in heap.guard_slots():
        if 0 <= address - heap.guard_page(number) < heap.page_bytes:
            return of_guard(heap, number, slot)
    return None
