"""Printers of the structs of guarded blocks: GuardPool → its slots, each with the block that it is."""

from . import blocks
from .heap import count
from .structs import Struct, child, fields


class GuardPool(Struct):
    """GuardPool: the blocks that have a page of their own."""

    def line(self, _heap):
        """How many are live, how many could not be had."""
        missed = self["Missed"]
        return "guard pool: {} live{}".format(count(self["Live"], "block"), ", {:,} more found no slot".format(missed) if missed else "")

    def unfold(self):
        """Its fields, and the slots that were ever used."""
        for name, member in fields(self.value, self.heap):
            if name != "Slots":
                yield name, member
        heap = self.heap
        if heap is None:
            return
        for i, address, slot in heap.guard_slots():
            if slot.State != heap.layout("GuardVirgin"):
                yield from child("slot{}".format(i), "GuardSlot", address)


class GuardSlot(Struct):
    """GuardSlot: one guarded block, live or freed."""

    def line(self, heap):
        """The block."""
        if heap is None:
            return "a guard slot, in no heap that is mapped"
        for i, address, slot in heap.guard_slots():
            if address == self.address:
                block = blocks.of_guard(heap, i, slot)
                return str(block) if block is not None else "guard slot {}, never used".format(i)
        return "a guard slot of no heap"


GUARD_STRUCTS = {"GuardPool": GuardPool, "GuardSlot": GuardSlot}
