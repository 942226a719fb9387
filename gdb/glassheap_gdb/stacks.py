"""The heap's call stacks, and who did something to a block, as audit mode recorded it."""

import struct

from . import frames
from .words import StackName


def addresses(heap, name):
    """The return addresses of the stack with that name, the innermost first; none when the table has no such stack."""
    if name == 0:
        return []
    place = heap.layout["StackTable"].bytes + StackName(heap.layout, name).offset
    stack = at(heap, place)
    if stack is None or not StackName(heap.layout, name).names(stack.Hash):
        return []
    return addresses_at(heap, place)


def addresses_at(heap, place):
    """The return addresses of the stack that lies at an offset of the table, where a whole one does."""
    head = heap.layout["Stack"].bytes
    return list(struct.unpack_from("<{}Q".format(at(heap, place).Depth), heap.table("Stacks"), place + head))


def at(heap, place):
    """The Stack that lies at an offset of the table; None when no whole one can lie there."""
    data, head = heap.table("Stacks"), heap.layout["Stack"].bytes
    if not heap.layout["StackTable"].bytes <= place <= len(data) - head:
        return None
    stack = heap.layout["Stack"].of(data, place)
    whole = 0 < stack.Depth <= heap.layout("MaxStackDepth") and place + head + 8 * stack.Depth <= len(data)
    return stack if whole else None


def places(heap):
    """Where each stack lies in the table, the oldest first."""
    place, head = heap.layout["StackTable"].bytes, heap.layout["Stack"].bytes
    while True:
        stack = at(heap, place)
        if stack is None:
            return
        yield place
        place += head + 8 * stack.Depth


class Operation:
    """Who allocated or freed a block."""

    def __init__(self, goroutine, sequence, return_addresses):
        self.goroutine, self.sequence, self.addresses = goroutine, sequence, return_addresses

    def __str__(self):
        text = "goroutine {}".format(self.goroutine) if self.goroutine else "some goroutine"
        frame = frames.of_user(self.addresses)
        return text + (" in " + frames.short(frame) if frame is not None else "")


def allocation(heap, record):
    """Who allocated, by a Record; None: nobody knows."""
    return _operation(heap, record.AllocGoroutine, record.AllocSequence, record.AllocStack)


def release(heap, record):
    """Who freed, by a Record; None: nobody knows."""
    return _operation(heap, record.FreeGoroutine, record.FreeSequence, record.FreeStack)


def _operation(heap, goroutine, sequence, name):
    if sequence == 0 and name == 0:
        return None
    return Operation(goroutine, sequence, addresses(heap, name))


def from_answer(answer):
    """The Operation in an answer of the glassheap program; None: it has none."""
    if not answer:
        return None
    return Operation(answer.get("goroutine", 0), answer.get("sequence", 0), [int(address, 16) for address in answer.get("addresses", [])])


def told(allocated, freed):
    """Both as the end of a sentence about a block."""
    return ("; allocated by {}".format(allocated) if allocated else "") + ("; freed by {}".format(freed) if freed else "")
