"""The blocks of a slab, and the block that an address belongs to: one read for all of a slab's blocks."""

import struct

from . import moment
from .words import Seal


class Block:
    """One block of a slab, or a whole span."""

    __slots__ = ("address", "size", "index", "place", "requested", "seal", "slab", "bin")

    def __init__(self, address, size, index, place, slab, bin):
        self.address, self.size, self.index, self.place, self.slab, self.bin = address, size, index, place, slab, bin
        self.requested = -1  # bytes that were asked for, from the block's start; -1: not known
        self.seal = "none"  # none, intact, broken, wrong, slack: the words of the checker

    def __str__(self):
        text = "{:#x}  {}".format(self.address, self.place)
        if self.requested >= 0:
            text += ", {} of {} bytes".format(self.requested, self.size)
        else:
            text += ", {} bytes".format(self.size)
        return text if self.seal == "none" else text + ", seal " + self.seal

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
    found = []
    for i in range(capacity):
        block = Block(base + i * stride, stride - seal_bytes, i, places[i], page, slab.Bin)
        if heap.sealed:
            _examine(heap, block, data[i * stride : (i + 1) * stride])
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


def _examine(heap, block, data):
    """Look at the seal and the bytes before it."""
    if block.place == "virgin":
        return
    seal = Seal(heap.layout, int.from_bytes(data[block.size :], "little"))
    belongs = seal.belongs(block.address, heap.identity.Secret)
    block.seal = "intact"
    if not belongs or not (seal.live() or seal.free()) or seal.size > block.size or (seal.free() and seal.size):
        block.seal = "broken"
    elif seal.live():
        block.requested = seal.size
        if data[seal.size : block.size].strip(bytes([heap.layout("SlackByte")])):
            block.seal = "slack"
        if block.place == "cached" and block.seal == "intact" and heap.cached_blocks()[block.address][1]:
            block.place = "in-flight"
        elif block.place not in ("live", "withdrawn"):
            block.seal = "wrong"
    elif block.place not in ("free", "cached", "depot", "withdrawn"):
        block.seal = "wrong"


def at(heap, address):
    """The block or span that an address belongs to; None: it belongs to none."""
    page = heap.page_of(address)
    if page is None:
        return None
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
    block = Block(base, max(span.Pages * heap.page_bytes - seal_bytes, 0), 0, "live", page, -1)
    block.requested = span.Requested
    if heap.sealed and heap.clip(block.seal_address, seal_bytes):
        seal = Seal(heap.layout, int.from_bytes(heap.read(block.seal_address, seal_bytes), "little"))
        whole = seal.belongs(base, heap.identity.Secret) and seal.live() and seal.size == span.Requested & 0xFFFF
        block.seal = "intact" if whole else "broken"
        slack = min(block.size - min(span.Requested, block.size), heap.page_bytes)
        if whole and heap.read(block.seal_address - slack, slack).strip(bytes([heap.layout("SlackByte")])):
            block.seal = "slack"
    return block
