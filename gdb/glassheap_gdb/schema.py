"""The description of the memory format that every heap carries behind its header, as JSON.

It is what makes a stripped program readable: where DWARF is, it says the same. It is read from memory that may be damaged,
so every number in it is checked before it is used.
"""

import json
import os

from .fields import CONSTANTS, FIELDS
from .problem import Problem

_START = b'{"version":'
_MOST_STRUCTS = 256
_MOST_STRUCT_BYTES = 1 << 20
_MASK = (1 << 64) - 1


class Field:
    """One field of a struct: where it lies, how large it is, and its kind (see Go's layout.SchemaField)."""

    def __init__(self, text, struct_bytes):
        self.name, self.offset, self.bytes, self.kind = text["name"], text["offset"], text["bytes"], text["kind"]
        whole = isinstance(self.offset, int) and isinstance(self.bytes, int) and isinstance(self.kind, str)
        if not whole or self.bytes <= 0 or self.offset < 0 or self.offset + self.bytes > struct_bytes:
            raise ValueError("the field {} does not lie in its struct".format(self.name))


class Struct:
    """One struct of the format."""

    def __init__(self, layout, text):
        self.layout, self.name, self.bytes = layout, text["name"], text["bytes"]
        if not isinstance(self.bytes, int) or not 0 < self.bytes <= _MOST_STRUCT_BYTES:
            raise ValueError("the struct {} has an impossible size".format(self.name))
        self.fields = {field["name"]: Field(field, self.bytes) for field in text["fields"]}

    def __getitem__(self, name):
        return self.fields[name]

    def of(self, data, offset=0):
        """The struct that lies at an offset of data, as Bytes; those that are missing are zeros."""
        data = data[offset : offset + self.bytes]
        return Bytes(self, bytes(data) + bytes(self.bytes - len(data)))


class Bytes:
    """The bytes of one struct, whose fields are attributes: numbers, bytes, or Bytes."""

    __slots__ = ("struct", "data")

    def __init__(self, struct, data):
        self.struct, self.data = struct, data

    def __getattr__(self, name):
        if name not in FIELDS[self.struct.name].split():
            raise AttributeError("fields.py names no field {} of {}".format(name, self.struct.name))
        field = self.struct[name]
        data = self.data[field.offset : field.offset + field.bytes]
        if field.kind in self.struct.layout.structs:
            return self.struct.layout[field.kind].of(data)
        if field.kind == "text" or field.bytes > 8:
            return data
        return int.from_bytes(data, "little", signed=field.kind == "int")


class Layout:
    """A schema: structs by name, constants by name."""

    def __init__(self, text):
        described = json.loads(text)
        if len(described["structs"]) > _MOST_STRUCTS:
            raise ValueError("it has too many structs")
        self.version = described["version"]
        self.constants = described["constants"]
        self.structs = {}
        for struct in described["structs"]:
            self.structs[struct["name"]] = Struct(self, struct)
        for name, names in FIELDS.items():
            for field in names.split():
                if field not in self.structs[name].fields:
                    raise KeyError("{}.{}".format(name, field))
        for name in CONSTANTS.split():
            if not isinstance(self.constants[name], int):
                raise ValueError("the constant {} is no number".format(name))

    def __getitem__(self, name):
        return self.structs[name]

    def __call__(self, name):
        """A constant."""
        if name not in CONSTANTS.split():
            raise AttributeError("fields.py names no constant " + name)
        return self.constants[name]


def fnv(data):
    """The checksum of the format: FNV-1a, 64 bits."""
    total = 14695981039346656037
    for byte in data:
        total = ((total ^ byte) * 1099511628211) & _MASK
    return total


def layout_of(start):
    """The layout of the heap whose first bytes are start. The heap's own schema is believed when the checksum beside it is
    right; otherwise the one that came with the scripts is taken, if the heap is of its version.
    """
    own = None
    shipped = _shipped()
    at = start.find(_START)
    if at >= 0:
        text = _json_at(start, at)
        own = _parse(text)
        if own is not None and _intact(own, start, at):
            return own
        _refuse_another_version(text, shipped)
    if shipped is not None:
        return shipped
    if own is not None:
        return own
    raise Problem("the schema behind the heap's header is damaged; start GDB by `glassheap gdb`, which brings another")


def _refuse_another_version(text, shipped):
    """A schema that reads as one, and is of another version, lacks something that these scripts need."""
    try:
        described = json.loads(text)
        version = described["version"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return
    if shipped is None or version == shipped.version:
        return
    try:
        Layout(text)
        why = "its schema is damaged"
    except KeyError as missing:
        why = "its schema has no {}".format(missing.args[0])
    except (ValueError, TypeError, AttributeError, RecursionError) as problem:
        why = str(problem)
    raise Problem(
        "the heap's format has version {}, and these scripts need version {}: {}; use the glassheap that the program was"
        " built with, or `glassheap check` on the process, a snapshot or a heap file".format(version, shipped.version, why)
    )


def _json_at(start, at):
    """The JSON text that begins at an index, by its brackets."""
    depth, quoted = 0, False
    for i in range(at, len(start)):
        c = start[i : i + 1]
        if c == b'"':
            quoted = not quoted
        elif not quoted and c in (b"{", b"["):
            depth += 1
        elif not quoted and c in (b"}", b"]"):
            depth -= 1
            if depth == 0:
                return start[at : i + 1]
    return b""


def _parse(text):
    try:
        return Layout(text)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _intact(layout, start, at):
    """Whether one copy of the identity gives the checksum that the schema's bytes have."""
    header = layout["Header"].of(start)
    total = fnv(_json_at(start, at))
    return total in (header.Identity.SchemaHash, header.Twin.SchemaHash)


def _shipped():
    """The schema of the glassheap that wrote these scripts to where they lie; None: they lie in its sources."""
    try:
        with open(os.path.join(os.path.dirname(__file__), "schema.json"), "rb") as file:
            return _parse(file.read())
    except OSError:
        return None
