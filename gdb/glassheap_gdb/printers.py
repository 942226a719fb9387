"""The collection of pretty-printers that GDB knows: which printer is for which type."""

import re

import gdb
import gdb.printing

from . import words
from .audit_structs import AUDIT_STRUCTS, StackRef
from .guard_structs import GUARD_STRUCTS
from .structs import STRUCTS, Heap, Pointer, Ref, Violation
from .unfolding import ALLOCATOR, LAYOUT, labelled
from .word_printers import WORDS, Enumeration

_COLLECTION = "glassheap"


class Printers(gdb.printing.RegexpCollectionPrettyPrinter):
    """The collection: by the full names of types, and for pointers to the structs."""

    def __init__(self):
        super().__init__(_COLLECTION)
        self.pointers = {}
        for name, printer in {**STRUCTS, **AUDIT_STRUCTS, **GUARD_STRUCTS, **WORDS, **dict.fromkeys(words.ENUMERATIONS, Enumeration)}.items():
            self.add_printer(name, _exactly(LAYOUT + name), printer)
        self.add_printer("StackRef", _exactly(LAYOUT + "StackRef"), StackRef)
        self.add_printer("Ref", "^" + re.escape(LAYOUT) + r"Ref\[", Ref)
        self.add_printer("Heap", _exactly(ALLOCATOR + "Heap"), Heap)
        self.add_printer("Violation", _exactly(ALLOCATOR + "Violation"), Violation)
        self.add_printer("text", "^uintptr$", labelled)
        for name, printer in {**STRUCTS, **AUDIT_STRUCTS, **GUARD_STRUCTS}.items():
            self.pointers[LAYOUT + name] = printer
        self.pointers.update({ALLOCATOR + "Heap": Heap, ALLOCATOR + "Violation": Violation})

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
