"""The commands that ask the glassheap program: their words and options are those of its command line.

commandline.json holds these, as a test writes them from the command line itself. Here is what GDB has to know beside it: what
kind of argument a command takes, and how much of the heap its answer needs.
"""

import collections
import json
import os

from . import needs

# kind: of the argument. needs: from the options, the words and the address that the first one means to what the image must
# hold (see needs.py).
Question = collections.namedtuple("Question", "name short usage options kind least most needs example")

# takes: what the option takes, for the help; "" for a switch. choices: for completion.
Option = collections.namedtuple("Option", "name takes help choices")

with open(os.path.join(os.path.dirname(__file__), "commandline.json"), encoding="utf-8") as _file:
    _LINE = json.load(_file)

# What every command understands.
COMMON = tuple(Option(**option) for option in _LINE["common"])

STRUCTS = ("header", "identity", "twin", "bin", "arena", "slab", "span", "cache", "magazine", "page")


def _tables(_options, _words, _address):
    return needs.tables


def _seals(_options, _words, _address):
    return needs.every_seal


def _everything(_options, _words, _address):
    return needs.everything


def _around(_options, words, address):
    size = int(words[1]) if len(words) > 1 and words[1].isdecimal() else 1 << 12
    return needs.around(address, min(max(size, 1), 1 << 20))


def _slab(number):
    """The slab of that number, or at that address."""

    def ranges(heap):
        page = number < len(heap.page_kinds())
        yield from needs.around(heap.page_address(number) if page else number)(heap)

    return ranges


def _blocks(_options, words, address):
    return _slab(address) if words else needs.every_seal


def _map(options, words, address):
    for name, need in (("bin", needs.bin_of), ("slab", _slab)):
        if name in options:
            # What is no number the program will refuse.
            return need(int(options[name])) if options[name].isdecimal() else needs.tables
    return _around(options, words, address) if words else needs.tables


def _question(name, kind, least, most, need, example=""):
    words = _LINE["commands"][name]
    return Question(name, words["short"], words["usage"], tuple(Option(**option) for option in words["options"]), kind, least, most, need, example)


QUESTIONS = {
    question.name: question
    for question in (
        _question("check", "", 0, 0, _seals),
        _question("structs", "", 0, 0, _tables, "--type Slab --fields"),
        _question("math", "", 0, 0, _tables),
        _question("whatis", "address", 1, 1, _around, "b.array + 18"),
        _question("leaks", "", 0, 0, _seals),
        _question("history", "address", 1, 1, _around, "b.array"),
        _question("stats", "", 0, 0, _tables),
        _question("bins", "", 0, 0, _tables),
        _question("slabs", "number", 0, 1, _tables, "3"),
        _question("blocks", "address", 0, 1, _blocks, "17"),
        _question("map", "address", 0, 1, _map, "--bin 3"),
        _question("dump", "struct", 1, 3, _tables, "slab 17"),
        _question("hexdump", "address", 1, 2, _around, "b.array 512"),
        _question("log", "", 0, 0, _tables, "--last 50"),
        _question("snapshot", "file", 1, 1, _everything, "before.snapshot"),
    )
}
