"""Printers of the structs that a heap has in audit mode.

    Records → the records in use        StackTable → its stacks → their frames        Journal → held blocks, last events
"""

from . import blocks, frames, stacks, words
from .heap import count
from .structs import Struct, child, fields
from .unfolding import Unfolding

_MOST = 50  # entries of a ring that are shown, and stacks


def _more(number, what):
    """What is said when not all of them are shown."""
    if number > _MOST:
        yield "more", "{} more".format(count(number - _MOST, what))


class Record(Struct):
    """Record: who allocated a block, who freed it."""

    def line(self, heap):
        """The block, which tells what of the record is true."""
        if heap is None:
            return "a record, in no heap that is mapped"
        block = self._block(heap)
        return str(block) if block is not None else "a record of no block"

    def _block(self, heap):
        offset, head = self.address - heap.identity.Records, heap.layout["Records"].bytes
        for page, address, slab in heap.slabs():
            start = blocks.records_of(heap, address, slab)
            if start is not None and 0 <= offset - start - head < slab.Capacity * heap.layout["Record"].bytes:
                found = blocks.of_slab(heap, page, address, slab)
                return found[(offset - start - head) // heap.layout["Record"].bytes] if found else None
        for page, address, span in heap.spans():
            if address + heap.layout["Span"]["Record"].offset == self.address:
                return blocks.of_span(heap, page, address, span)
        return None


class Records(Struct):
    """Records: those of a slab's blocks."""

    def line(self, heap):
        """Whose they are."""
        slab = int(self["Slab"])
        owner = next((page for page, address, _ in heap.slabs() if address == slab), None) if heap is not None else None
        return "{} of {}".format(count(self["Count"], "record"), "slab {}".format(owner) if owner is not None else "a slab that is retired")

    def belongings(self, heap):
        """The records that were ever used."""
        size, place = heap.layout["Record"].bytes, self.address + heap.layout["Records"].bytes
        data = heap.table("Records")
        for i in range(self["Count"]):
            start = place + i * size - heap.identity.Records
            if any(data[start : start + size]):
                yield from child("record{}".format(i), "Record", place + i * size)


class StackTable(Struct):
    """StackTable: each different call stack, once."""

    def line(self, _heap):
        """How many there are."""
        return "{} in {}".format(count(self["Count"], "stack"), count(self["Used"], "byte"))

    def unfold(self):
        """Its fields without the buckets, which only say where stacks begin, and the stacks."""
        for name, member in fields(self.value, self.heap):
            if name != "Buckets":
                yield name, member
        heap = self.heap
        places = list(stacks.places(heap)) if heap is not None else []
        for i, place in enumerate(places[:_MOST]):
            yield from child("stack{}".format(i), "Stack", heap.identity.Stacks + place)
        yield from _more(len(places), "stack")


class Stack(Struct):
    """Stack: one call stack."""

    def _frames(self, heap):
        found = stacks.at(heap, self.address - heap.identity.Stacks) if heap is not None else None
        return stacks.addresses_at(heap, self.address - heap.identity.Stacks) if found is not None else []

    def line(self, heap):
        """Its first frame that is not the allocator's, and how deep it is."""
        return stack_line(self._frames(heap)) or "{}, none of which can be read".format(count(self["Depth"], "frame"))

    def belongings(self, heap):
        """Its frames, the innermost first."""
        for i, address in enumerate(self._frames(heap)):
            found = frames.at(address) or [None]
            for k, frame in enumerate(found):
                inlined = ", inlined" if k < len(found) - 1 else ""
                yield "frame{}{}".format(i, "" if not k else ".{}".format(k)), "{:#x}{}{}".format(address, "  " + frames.short(frame) if frame else "", inlined)


def stack_line(addresses):
    """A stack in a line; nothing when it has no addresses."""
    frame = frames.of_user(addresses)
    depth = count(len(addresses), "frame")
    return depth and ("{}; {}".format(frames.short(frame), depth) if frame is not None else depth) if addresses else ""


class StackRef(Unfolding):
    """StackRef: the name of a stack."""

    def line(self, heap):
        """The stack."""
        number = int(self.value)
        if number == 0:
            return "none"
        found = stacks.addresses(heap, number) if heap is not None else []
        return "{:#x}: {}".format(number, stack_line(found) or "no stack has this name")

    def unfold(self):
        """The stack."""
        heap, number = self.heap, int(self.value)
        if heap is not None and stacks.addresses(heap, number):
            place = heap.layout["StackTable"].bytes + words.StackName(heap.layout, number).offset
            yield from child("stack", "Stack", heap.identity.Stacks + place)


class Event(Struct):
    """Event: one audited operation."""

    def line(self, heap):
        """What was done, by whom."""
        if heap is None:
            return "an event, in no heap that is mapped"
        event = heap.layout["Event"].of(heap.read(self.address, heap.layout["Event"].bytes))
        who = stacks.Operation(event.Goroutine, event.Sequence, stacks.addresses(heap, event.Stack))
        kind = words.word(heap.layout, "EventKind", event.Kind)
        return "{}: {} of {} at {:#x} by {}".format(event.Sequence, kind, count(event.Size, "byte"), event.Address, who)


class Journal(Struct):
    """Journal: what one P keeps in audit mode."""

    def line(self, heap):
        """Events, and what is held back."""
        held = self["QuarantineIn"] - self["QuarantineOut"]
        return "journal {}: {}, {} held back with {}".format(self["ID"], count(self["Events"], "event"), count(held, "block"), count(self["QuarantineBytes"], "byte"))

    def unfold(self):
        """Its fields, the newest events, and the blocks that are held back, the newest first."""
        for name, member in fields(self.value, self.heap):
            if name not in ("Quarantine", "Log"):
                yield name, member
        log = self["Log"]
        room, events = log.type.range()[1] + 1, self["Events"]
        kept = min(events, room)
        for i in range(events - 1, events - 1 - min(kept, _MOST), -1):
            yield "event{}".format(i), log[i % room]
        yield from ((name + "_events", text) for name, text in _more(kept, "event"))
        heap = self.heap
        if heap is None:
            return
        size = heap.layout["Journal"].bytes
        held = heap.held_by(heap.layout["Journal"].of(heap.read(self.address, size)))
        for i, address in enumerate(held[: -_MOST - 1 : -1]):
            block = blocks.at(heap, address)
            yield "held{}".format(len(held) - 1 - i), str(block) if block is not None else "{:#x}, which is no block".format(address)
        yield from ((name + "_held", text) for name, text in _more(len(held), "block"))


AUDIT_STRUCTS = {
    "Record": Record,
    "Records": Records,
    "StackTable": StackTable,
    "Stack": Stack,
    "Event": Event,
    "Journal": Journal,
}
