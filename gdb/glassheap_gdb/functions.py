"""Functions for expressions: `print $gh_whatis(p)`, `break main.go:81 if $gh_block(p) == 0`."""

import gdb

from . import blocks, expressions, finding, image, needs, program, stacks
from .problem import Problem, in_words


def _address(value):
    return expressions._address(value, "the argument") & (1 << 64) - 1


class Whatis(gdb.Function):
    """$gh_whatis(ADDRESS): what the address belongs to, in a sentence; in audit mode who had the block, too."""

    def __init__(self):
        super().__init__("gh_whatis")

    def invoke(self, address):
        """The sentence; or why there is none."""
        try:
            address = _address(address)
            found = finding.heap_at(address)
            if found is None:
                return "{:#x} lies in no heap".format(address)
            answer = program.ask_json(["whatis", "{:#x}".format(address)], image.of(found, needs.around(address)))
            who = answer.get("block") or {}
            return answer["sentence"] + stacks.told(*(stacks.from_answer(who.get(name)) for name in ("allocated", "freed")))
        except (Exception, KeyboardInterrupt) as failure:
            return in_words(failure)


class Block(gdb.Function):
    """$gh_block(ADDRESS): the start of the block that the address belongs to; 0: it belongs to none."""

    def __init__(self):
        super().__init__("gh_block")

    def invoke(self, address):
        """The block's address."""
        try:
            address = _address(address)
            found = finding.heap_at(address)
            block = blocks.at(found, address) if found is not None else None
        except (Problem, gdb.error):
            block = None
        return gdb.Value(0 if block is None else block.address)


def load():
    """Define the functions."""
    Whatis()
    Block()
