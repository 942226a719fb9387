"""Printers of the packed words and the enumerations: a line each, in words."""

from . import blocks, words
from .finding import any_heap, heap_at
from .heap import count
from .unfolding import safe


class Word:
    """A packed word or an enumeration: a line."""

    def __init__(self, value):
        self.value = value

    @property
    def heap(self):
        """The heap that the word lies in, or any: they explain their words alike."""
        address = int(self.value.address) if self.value.address is not None else 0
        return heap_at(address) or any_heap()

    @safe
    def to_string(self):
        """The word in words; a number where no heap explains it."""
        heap, number = self.heap, int(self.value) & (1 << 64) - 1
        return self.text(heap, number) if heap is not None else "{:#x}".format(number)

    def text(self, _heap, number):
        """What the word says."""
        return "{:#x}".format(number)


class Enumeration(Word):
    """A state, a mode, a kind."""

    def text(self, heap, number):
        """Its word."""
        name = self.value.type.name.rpartition(".")[2]
        return words.word(heap.layout, name, number)


class SealWord(Word):
    """Seal: the last word of a block."""

    def text(self, heap, number):
        """The block that it lies at the end of; elsewhere what it would say."""
        seal = words.Seal(heap.layout, number)
        address = int(self.value.address) if self.value.address is not None else 0
        block = blocks.at(heap, address) if address and heap.contains(address) else None
        if block is not None and block.seal_address == address:
            return str(block)
        return "{}, {} bytes, if it is a seal ({:#x})".format(words.word(heap.layout, "State", seal.state), seal.size, number)


class PageEntryWord(Word):
    """PageEntry: what a page is part of."""

    def text(self, heap, number):
        """Kind, bin, place in the run."""
        entry = words.PageEntry(heap.layout, number)
        text = words.word(heap.layout, "PageKind", entry.kind)
        if entry.kind == heap.layout("PageSlab"):
            text += " of bin {}".format(entry.bin)
        if entry.kind in (heap.layout("PageSlab"), heap.layout("PageSpan"), heap.layout("PageGuard")):
            text += ", page {} of its run, struct at {:#x}".format(entry.before, heap.identity.Descriptors + entry.descriptor)
        return text


class LinkWord(Word):
    """Link: where a block is, as far as its slab knows."""

    def text(self, heap, number):
        """In words."""
        return words.link_in_words(heap.layout, number)


class LockWord(Word):
    """Lock: who is inside."""

    def text(self, heap, number):
        """In words."""
        return words.lock_in_words(heap.layout, number)


class TallyWord(Word):
    """Tally: a magazine's count, and all that was ever done through it."""

    def text(self, heap, number):
        """The count; with the inflow beside it, the totals."""
        text = count(words.tally_count(number), "block")
        if self.value.address is None or heap is None:
            return text
        magazine = heap.layout["Magazine"]
        start = int(self.value.address) - magazine["Tally"].offset
        inflow = magazine.of(heap.read(start, magazine.bytes)).Inflow
        if number == inflow:
            return text  # in a depot it is a bare count
        totals = words.tally_totals(heap.layout, number, inflow)
        if totals is None:
            return text + ", DAMAGED: no history leads to {:#x}".format(number)
        return text + "; {} allocations, {} frees".format(*totals)


WORDS = {"PageEntry": PageEntryWord, "Lock": LockWord, "Tally": TallyWord, "Link": LinkWord, "Seal": SealWord}
