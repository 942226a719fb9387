"""Pretty-printers: what `print *slab` shows, and what an editor's tree of variables unfolds.

    Heap → header, arenas, bins, spans        Bin, Arena → its slabs        Slab → its blocks, one line each

`print` shows one level in full and a line for everything below; a front end (GDB/MI, VS Code) unfolds as deep as somebody
clicks. GDB asks for children in the same way for both, but for `print` it asks for the line first, and a front end never
sees the line of a value that has children. So these get it as their first child, `is`, and `print` shows no more than one
level (see _Unfolding).

The fields of a struct come from DWARF, the blocks and lists from the heap's own tables.
"""

import collections
import functools
import random
import re
import sys

import gdb
import gdb.printing

from . import blocks, words
from .fields import FIELDS, PROGRAM_FIELDS
from .heap import any_heap, count, heap_at, printable
from .memory import readable
from .problem import in_words

_LAYOUT = "github.com/glassheap/glassheap/allocator/layout."
_ALLOCATOR = "github.com/glassheap/glassheap/allocator."
_MOST_TEXT = 4096
_COLLECTION = "glassheap"


def go_text(value):
    """A Go string, as text."""
    size = min(max(int(value["len"]), 0), _MOST_TEXT)
    if size == 0:
        return ""
    return printable(bytes(gdb.selected_inferior().read_memory(int(value["str"]), size)).decode("utf-8", "replace"))


def struct_at(name, address):
    """The struct of that name at an address, as a Value; None where it can't be."""
    try:
        kind = gdb.lookup_type(_LAYOUT + name)
    except gdb.error:
        return None
    if not readable(address, kind.sizeof):
        return None
    return gdb.Value(address).cast(kind.pointer()).dereference()


def _adapter():
    """Whether GDB's own debug adapter asks (GDB 14 and newer): it asks for the line, then for one level, like nobody else."""
    return "gdb.dap" in sys.modules


def _in_frame():
    """Whether an argument in a line of a backtrace is printed (GDB 13 and newer tell)."""
    return hasattr(gdb, "print_options") and gdb.print_options().get("summary", False)


# Texts by the numbers that stand for them, the latest ones.
_labels = collections.OrderedDict()
_MOST_LABELS = 1 << 16


def label(text):
    """A text as a child. A front end shows a string of Python's as an array of so many characters; so a number of a type
    that every Go program has stands for it, and the printer Label shows the text.
    """
    try:
        kind = gdb.lookup_type("uintptr")
    except gdb.error:
        return text
    number = random.getrandbits(64)
    _labels[number] = text
    if len(_labels) > _MOST_LABELS:
        _labels.popitem(last=False)
    return gdb.Value(number).cast(kind)


class Label:
    """A number that stands for a text."""

    def __init__(self, text):
        self.text = text

    def to_string(self):
        """The text."""
        return self.text


def _labelled(value):
    text = _labels.get(int(value)) if value.address is None else None
    return Label(text) if text is not None else None


def pointer(address):
    """An address as a child."""
    try:
        return gdb.Value(address).cast(gdb.lookup_type("void").pointer())
    except gdb.error:
        return "{:#x}".format(address)


def _safe(method):
    """Make a printer's line say what keeps it from being written."""

    @functools.wraps(method)
    def wrapped(self):
        try:
            return method(self)
        except (Exception, KeyboardInterrupt) as failure:
            return in_words(failure)

    return wrapped


class _Unfolding:
    """A value with a line and children, of which one level is shown at a time.

    While `print` is in the middle of the children of one value, the values below it have none: a heap would fill the
    screen for minutes.
    """

    printing = 0  # values whose children `print` is in the middle of

    def __init__(self, value):
        self.value = value
        self.asked_for_line = False

    def to_string(self):
        """The line."""
        self.asked_for_line = True
        return self.told_line()

    @_safe
    def told_line(self):
        """The line, or what keeps it from being written."""
        return self.line(self.heap)

    def line(self, _heap):
        """The line of this kind of value."""
        return "{:#x}".format(self.address)

    def children(self):
        """(name, value) of each child."""
        if not self.asked_for_line:
            yield "is", label(self.told_line())
            yield from self._checked()
        elif not _Unfolding.printing or _adapter():
            _Unfolding.printing += 1
            try:
                yield from self._checked()
            finally:
                _Unfolding.printing -= 1

    def _checked(self):
        try:
            for name, value in self.unfold():
                yield name, label(value) if isinstance(value, str) else value
        except (Exception, KeyboardInterrupt) as failure:
            yield "problem", label(in_words(failure))

    def unfold(self):
        """The children of this kind of value: texts, or Values."""
        return iter(())

    def __getitem__(self, name):
        """A field: a number, or what else it is as a Value. Only names that fields.py lists can be read."""
        kind = self.value.type.name.rpartition(".")[2]
        if name not in (FIELDS.get(kind) or PROGRAM_FIELDS[kind]).split():
            raise AttributeError("fields.py names no field {} of {}".format(name, kind))
        member = self.value[name]
        return int(member) if member.type.code in (gdb.TYPE_CODE_INT, gdb.TYPE_CODE_PTR) else member

    @property
    def address(self):
        """Where the value lies; 0: nowhere."""
        return int(self.value.address) if self.value.address is not None else 0

    @property
    def heap(self):
        """The heap that the value lies in; None: in none."""
        return heap_at(self.address) if self.address else None


def _fields(value, heap=None):
    """The fields of a struct, addresses of the heap in hexadecimal."""
    for field in value.type.fields():
        if field.name == "_":
            continue
        member = value[field.name]
        if member.type.code == gdb.TYPE_CODE_ARRAY and member.type.target().sizeof == 1:
            yield field.name, _name(member)
        elif heap is not None and member.type.code == gdb.TYPE_CODE_INT and member.type.name == "uint64" and heap.contains(int(member)):
            yield field.name, pointer(int(member))
        else:
            yield field.name, member


def _name(value):
    data = bytes(int(value[i]) for i in range(value.type.range()[1] + 1))
    return '"{}"'.format(printable(data.split(b"\0")[0].decode("utf-8", "replace")))


class Struct(_Unfolding):
    """A struct of the layout: a line, and its fields."""

    def unfold(self):
        """Its fields, then what belongs to it."""
        heap = self.heap
        yield from _fields(self.value, heap)
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
        return "{} of process {} at {:#x}".format(_name(self["Name"]), self["PID"], self["Base"])


class Bin(Struct):
    """Bin: a size class, and its slabs."""

    def line(self, _heap):
        """Number, size, slabs."""
        return "bin {}: {} B, {} of {}".format(self["ID"], self["Size"], count(self["SlabCount"], "slab"), count(self["Capacity"], "block"))

    def belongings(self, heap):
        """Its slabs."""
        for page, address, _ in heap.slabs(bin=self["ID"]):
            yield from _child("slab{}".format(page), "Slab", address)


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
            yield from _child("slab{}".format(page), "Slab", address)
        for page, address, _ in heap.spans(arena=number):
            yield from _child("span{}".format(page), "Span", address)


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
                yield "block{}".format(block.index), _block(heap, block)
        virgin = [block for block in found if block.place == "virgin"]
        if virgin:
            yield "virgin", "{} from {:#x} on, never handed out".format(count(len(virgin), "block"), virgin[0].address)


def _block(heap, block):
    """A block as a child: its seal, which the printer of seals shows as the whole block; in a plain heap a text."""
    seal = struct_at("Seal", block.seal_address) if heap.sealed else None
    return seal if seal is not None else str(block)


class Span(Struct):
    """Span: one large allocation."""

    def line(self, heap):
        """State, size, pages."""
        state = str(self["State"]) if heap is None else words.word(heap.layout, "SpanState", self["State"])
        return "span: {}, {} in {} at {:#x}".format(state, count(self["Requested"], "byte"), count(self["Pages"], "page"), self["Base"])

    def belongings(self, heap):
        """The block that it is."""
        for page, address, span in heap.spans():
            if address == self.address:
                yield "block", _block(heap, blocks.of_span(heap, page, address, span))


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
        for name, member in _fields(self.value, self.heap):
            if name != "Blocks":
                yield name, member
        for i in range(self._count()):
            yield "block{}".format(i), pointer(int(self["Blocks"][i]))


class Heap(_Unfolding):
    """allocator.Heap: the whole heap, from the program's side."""

    @property
    def heap(self):
        """The heap itself."""
        return heap_at(self["base"])

    def line(self, heap):
        """Name, mode, size."""
        return heap.describe() if heap is not None else "a heap that is closed, or was not made yet"

    def unfold(self):
        """The header, arenas, bins with slabs, spans, caches."""
        found = self.heap
        if found is None:
            return
        yield "base", pointer(found.base)
        yield from _child("header", "Header", found.base)
        for i, (address, _) in enumerate(found.entries("Arenas", "Arena", found.header.ArenasUsed)):
            yield from _child("arena{}".format(i), "Arena", address)
        for i, (address, bin) in enumerate(found.entries("Bins", "Bin", found.identity.BinCount)):
            if bin.SlabCount:
                yield from _child("bin{}".format(i), "Bin", address)
        for page, address, _ in found.spans():
            yield from _child("span{}".format(page), "Span", address)
        for i, (address, _) in enumerate(found.entries("Caches", "Cache", found.header.CachesReady)):
            yield from _child("cache{}".format(i), "Cache", address)


def _child(name, kind, address):
    value = struct_at(kind, address)
    if value is None:
        yield name, "{} at {:#x}, which can't be read".format(kind, address)
    else:
        yield name, value


class Violation(_Unfolding):
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


class Word:
    """A packed word or an enumeration: a line."""

    def __init__(self, value):
        self.value = value

    @property
    def heap(self):
        """The heap that the word lies in, or any: they explain their words alike."""
        address = int(self.value.address) if self.value.address is not None else 0
        return heap_at(address) or any_heap()

    @_safe
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
        name = self.value.type.name.removeprefix(_LAYOUT)
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


class Ref(_Unfolding):
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
        name = self.value.type.name.partition("[")[2].removesuffix("]").removeprefix(_LAYOUT)
        if number and heap_at(number) is not None and name in _STRUCTS:
            yield from _child(name, name, number)


class Pointer(_Unfolding):
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
        target = None if _in_frame() else self._target()
        return "{:#x}".format(int(self.value)) + (" " + target.told_line() if target is not None else "")

    def unfold(self):
        """What the struct unfolds to, when nobody has asked for the line."""
        target = self._target()
        if target is not None and not self.asked_by_print:
            yield from target.unfold()

    def children(self):
        """Like the struct's."""
        self.asked_by_print = self.asked_for_line and not _adapter()
        return super().children()


_STRUCTS = {
    "Header": Header,
    "Identity": Identity,
    "Bin": Bin,
    "Cache": Cache,
    "Magazine": Magazine,
    "Arena": Arena,
    "Slab": Slab,
    "Span": Span,
}
_WORDS = {"PageEntry": PageEntryWord, "Lock": LockWord, "Tally": TallyWord, "Link": LinkWord, "Seal": SealWord}


class Printers(gdb.printing.RegexpCollectionPrettyPrinter):
    """The collection: by the full names of types, and for pointers to the structs."""

    def __init__(self):
        super().__init__(_COLLECTION)
        self.pointers = {}
        for name, printer in {**_STRUCTS, **_WORDS, **dict.fromkeys(words.ENUMERATIONS, Enumeration)}.items():
            self.add_printer(name, _exactly(_LAYOUT + name), printer)
        self.add_printer("Ref", "^" + re.escape(_LAYOUT) + r"Ref\[", Ref)
        self.add_printer("Heap", _exactly(_ALLOCATOR + "Heap"), Heap)
        self.add_printer("Violation", _exactly(_ALLOCATOR + "Violation"), Violation)
        self.add_printer("text", "^uintptr$", _labelled)
        for name, printer in _STRUCTS.items():
            self.pointers[_LAYOUT + name] = printer
        self.pointers.update({_ALLOCATOR + "Heap": Heap, _ALLOCATOR + "Violation": Violation})

    def __call__(self, value):
        if value.type.code == gdb.TYPE_CODE_PTR:
            printer = self.pointers.get(value.type.target().name)
            return Pointer(value, printer) if printer is not None and self.enabled else None
        return super().__call__(value)


def _exactly(name):
    return "^" + re.escape(name) + "$"


def load():
    """Register the printers."""
    gdb.printing.register_pretty_printer(None, Printers(), True)


def unload():
    """Undo load."""
    gdb.pretty_printers[:] = [printer for printer in gdb.pretty_printers if getattr(printer, "name", "") != _COLLECTION]
