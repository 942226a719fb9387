"""Printers of the heap's structs: what `print *slab` shows, and what an editor's tree of variables unfolds.

    Heap → header, arenas, bins, spans        Bin, Arena → its slabs        Slab → its blocks, one line each

The fields of a struct come from DWARF, the blocks and lists from the heap's own tables.
"""

import gdb

from . import blocks, words
from .fields import FIELDS
from .finding import heap_at
from .heap import count, printable
from .memory import readable
from .unfolding import Unfolding, adapter, go_text, in_frame, pointer, struct_at


def fields(value, heap=None):
    """The fields of a struct, addresses of the heap in hexadecimal."""
    for field in value.type.fields():
        if field.name == "_":
            continue
        member = value[field.name]
        if member.type.code == gdb.TYPE_CODE_ARRAY and member.type.target().sizeof == 1:
            yield field.name, text_of(member)
        elif heap is not None and member.type.code == gdb.TYPE_CODE_INT and member.type.name == "uint64" and heap.contains(int(member)):
            yield field.name, pointer(int(member))
        else:
            yield field.name, member


def text_of(value):
    """The text in an array of bytes."""
    data = bytes(int(value[i]) for i in range(value.type.range()[1] + 1))
    return '"{}"'.format(printable(data.split(b"\0")[0].decode("utf-8", "replace")))


def child(name, kind, address):
    """A struct of the heap as a child: (name, value)."""
    value = struct_at(kind, address)
    if value is None:
        yield name, "{} at {:#x}, which can't be read".format(kind, address)
    else:
        yield name, value


class Struct(Unfolding):
    """A struct of the layout: a line, and its fields."""

    def unfold(self):
        """Its fields, then what belongs to it."""
        heap = self.heap
        yield from fields(self.value, heap)
        if heap is not None:
            yield from self.belongings(heap)

    def belongings(self, _heap):
        """What belongs to it without being a field."""
        return iter(())


class Header(Struct):
    """Header: who the heap is, and what of it is in use."""

    def line(self, heap):
        """Name, mode, size."""
        if heap is None:
            return "a header, in no heap that is mapped"
        return heap.describe() + ("" if heap.sound else ", DAMAGED: `glassheap check` says how")


class Identity(Struct):
    """Identity: everything about a heap that never changes."""

    def line(self, _heap):
        """Name and place."""
        return "{} of process {} at {:#x}".format(text_of(self["Name"]), self["PID"], self["Base"])


class Bin(Struct):
    """Bin: a size class, and its slabs."""

    def line(self, _heap):
        """Number, size, slabs."""
        return "bin {}: {} B, {} of {}".format(self["ID"], self["Size"], count(self["SlabCount"], "slab"), count(self["Capacity"], "block"))

    def belongings(self, heap):
        """Its slabs."""
        for page, address, _ in heap.slabs(bin=self["ID"]):
            yield from child("slab{}".format(page), "Slab", address)


class Arena(Struct):
    """Arena: a MiB of pages, and the slabs and spans that lie there."""

    def line(self, heap):
        """Number, state, pages, slabs, spans."""
        state = str(self["State"]) if heap is None else words.word(heap.layout, "ArenaState", self["State"])
        parts = count(self["FreePages"], "free page"), count(self["SlabCount"], "slab"), count(self["SpanCount"], "span")
        return "arena {}: {}, {}, {}, {}".format(self["ID"], state, *parts)

    def belongings(self, heap):
        """Its slabs and spans."""
        number = self["ID"]
        for page, address, _ in heap.slabs(arena=number):
            yield from child("slab{}".format(page), "Slab", address)
        for page, address, _ in heap.spans(arena=number):
            yield from child("span{}".format(page), "Span", address)


class Slab(Struct):
    """Slab: a page run of equal blocks, and these."""

    def _page(self, heap):
        page = heap.page_of(self["Base"]) if heap is not None else None
        if page is None or heap.page_entry(page).descriptor + heap.identity.Descriptors != self.address:
            return None
        return page

    def line(self, heap):
        """Number, bin, state, blocks."""
        page = self._page(heap)
        state = str(self["State"]) if heap is None else words.word(heap.layout, "SlabState", self["State"])
        name = "slab {}".format(page) if page is not None else "slab"
        return "{}: {}, bin {}, {} blocks of {} B: {} carved, {} free".format(
            name, state, self["Bin"], self["Capacity"], self["Stride"], self["Carved"], self["FreeCount"]
        )

    def belongings(self, heap):
        """Its blocks, a line each; those that were never handed out are all alike."""
        page, slab = self._page(heap), heap.descriptor("Slab", self.address)
        if page is None or slab is None:
            return
        found = blocks.of_slab(heap, page, self.address, slab)
        for block in found:
            if block.place != "virgin":
                yield "block{}".format(block.index), str(block)
        virgin = [block for block in found if block.place == "virgin"]
        if virgin:
            yield "virgin", "{} from {:#x} on, never handed out".format(count(len(virgin), "block"), virgin[0].address)


class Span(Struct):
    """Span: one large allocation."""

    def line(self, heap):
        """State, size, pages."""
        state = str(self["State"]) if heap is None else words.word(heap.layout, "SpanState", self["State"])
        text = "span: {}, {} in {} at {:#x}".format(state, count(self["Requested"], "byte"), count(self["Pages"], "page"), self["Base"])
        if heap is not None and self["Guarded"] == heap.layout("SpanGuarded"):
            text += ", guarded: the user's address is {:#x}".format(self["Base"] + self["Offset"])
        return text

    def belongings(self, heap):
        """The block that it is."""
        for page, address, span in heap.spans():
            if address == self.address:
                yield "block", str(blocks.of_span(heap, page, address, span))


class Cache(Struct):
    """Cache: what one P keeps for itself."""

    def line(self, _heap):
        """Number, blocks."""
        return "cache {}{}".format(self["ID"], "" if self["Ready"] else ", never used")

    def unfold(self):
        """Its number, and the magazines that were ever used."""
        yield from ((name, self[name]) for name in ("ID", "Ready"))
        magazines = self["Magazines"]
        for i in range(magazines.type.range()[1] + 1):
            if Magazine(magazines[i])["Limit"]:
                yield "bin{}".format(i), magazines[i]


class Magazine(Struct):
    """Magazine: an array of free blocks."""

    def _count(self):
        return min(words.tally_count(self["Tally"]), self["Blocks"].type.range()[1] + 1)

    def line(self, _heap):
        """Bin, blocks."""
        return "magazine of bin {}: {}, at most {}".format(self["Bin"], count(self._count(), "block"), self["Limit"])

    def unfold(self):
        """Its fields, and of its blocks those that count."""
        for name, member in fields(self.value, self.heap):
            if name != "Blocks":
                yield name, member
        for i in range(self._count()):
            yield "block{}".format(i), pointer(int(self["Blocks"][i]))


class Heap(Unfolding):
    """allocator.Heap: the whole heap, from the program's side."""

    @property
    def heap(self):
        """The heap itself."""
        return heap_at(self["base"])

    def line(self, heap):
        """Name, mode, size."""
        return heap.describe() if heap is not None else "a heap that is closed, or was not made yet"

    def unfold(self):
        """The header, arenas, bins with slabs, spans, caches; in audit mode journals; guarded blocks; stacks."""
        found = self.heap
        if found is None:
            return
        yield "base", pointer(found.base)
        yield from child("header", "Header", found.base)
        for i, (address, _) in enumerate(found.entries("Arenas", "Arena", found.header.ArenasUsed)):
            yield from child("arena{}".format(i), "Arena", address)
        for i, (address, bin) in enumerate(found.entries("Bins", "Bin", found.identity.BinCount)):
            if bin.SlabCount:
                yield from child("bin{}".format(i), "Bin", address)
        for page, address, _ in found.spans():
            yield from child("span{}".format(page), "Span", address)
        for i, (address, _) in enumerate(found.entries("Caches", "Cache", found.header.CachesReady)):
            yield from child("cache{}".format(i), "Cache", address)
        for i, (address, _) in enumerate(found.entries("Journals", "Journal", found.header.JournalsReady)):
            yield from child("journal{}".format(i), "Journal", address)
        guards = next(found.guard_slots(), None) is not None
        if guards:
            yield from child("guards", "GuardPool", found.identity.Guards)
        if found.header.JournalsReady or guards:
            yield from child("stacks", "StackTable", found.identity.Stacks)


class Violation(Unfolding):
    """allocator.Violation: a broken rule."""

    def line(self, _heap):
        """What happened."""
        return "{} during {} of {:#x}: {}".format(go_text(self["Kind"]), go_text(self["During"]), self["Address"], go_text(self["Detail"]))

    def unfold(self):
        """Its fields."""
        for field in self.value.type.fields():
            member = self.value[field.name]
            if member.type.code == gdb.TYPE_CODE_STRUCT and [f.name for f in member.type.fields()][:1] == ["str"]:
                yield field.name, go_text(member)
            elif member.type.name == "uint64":
                yield field.name, pointer(int(member))
            else:
                yield field.name, member


class Ref(Unfolding):
    """Ref[T]: a link to a T."""

    def line(self, _heap):
        """The address, and what is there."""
        number = int(self.value)
        if number == 0:
            return "none"
        return "{:#x}".format(number) + ("" if heap_at(number) is not None else ", which lies in no heap")

    def unfold(self):
        """The T."""
        number = int(self.value)
        name = self.value.type.name.partition("[")[2].rstrip("]").rpartition(".")[2]
        if number and heap_at(number) is not None and name in FIELDS:
            yield from child(name, name, number)


class Pointer(Unfolding):
    """A pointer to one of the structs. A front end unfolds it as the struct; `print` shows the struct's line beside the
    address, and `print *p` the struct.
    """

    def __init__(self, value, printer):
        super().__init__(value)
        self.printer = printer

    def _target(self):
        address = int(self.value)
        if address == 0 or not readable(address, self.value.type.strip_typedefs().target().sizeof):
            return None
        return self.printer(self.value.dereference())

    def line(self, _heap):
        """The address, and the struct's line; among the arguments of a frame the address will do."""
        target = None if in_frame() else self._target()
        return "{:#x}".format(int(self.value)) + (" " + target.told_line() if target is not None else "")

    def unfold(self):
        """What the struct unfolds to, when nobody has asked for the line."""
        target = self._target()
        if target is not None and not self.asked_by_print:
            yield from target.unfold()

    def children(self):
        """Like the struct's."""
        self.asked_by_print = self.asked_for_line and not adapter()
        return super().children()


STRUCTS = {
    "Header": Header,
    "Identity": Identity,
    "Bin": Bin,
    "Cache": Cache,
    "Magazine": Magazine,
    "Arena": Arena,
    "Slab": Slab,
    "Span": Span,
}
