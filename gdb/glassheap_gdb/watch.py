"""`glassheap watch`: stop at the instruction that runs over the end of a block.

The processor watches the first bytes behind what was asked for, and the seal. The allocator writes there too, when the
block is freed or allocated again: a write after which everything is as it should be is no reason to stop.
"""

import gdb

from . import blocks, expressions, finding, moment, writer
from .problem import Problem, in_words, told

_SEAL_BYTES = 8  # a watched word
_REGISTERS = 4  # that x86 and arm64 processors have for this


class Watch(gdb.Command):
    """Stop at the instruction that overruns a block.
Usage: glassheap watch ADDRESS

ADDRESS is any address inside the block; an expression will do. The hardware
watches the bytes behind those that were asked for, as far as it can, and the
seal. Freeing the block and allocating it again does not stop the program, only
damage does; should the block be allocated again with another size, it is the
seal that counts. Delete the watchpoint like any other.

Example: glassheap watch b.array"""

    def __init__(self):
        super().__init__("glassheap watch", gdb.COMMAND_BREAKPOINTS, gdb.COMPLETE_EXPRESSION)

    @told
    def invoke(self, argument, _from_tty):
        """Find the block and watch its end."""
        self.dont_repeat()
        if not argument.strip():
            raise Problem("watch takes an address: glassheap watch ADDRESS")
        address = expressions.address_of(argument.strip())
        if moment.is_core(moment.program()):
            raise Problem("nothing can be watched in a core: it does not run. Start the program in GDB, or attach to it")
        found = finding.choose("", address)
        block = blocks.at(found, address)
        if not found.sealed:
            raise Problem("the heap is plain: its blocks have no seals to watch")
        if block is None:
            raise Problem("{:#x} lies in no block: `glassheap whatis {:#x}` says what is there".format(address, address))
        if block.guarded:
            raise Problem("the block is guarded: whoever reads or writes behind it stops at the instruction without a watch")
        gdb.write("{}\n".format(block))
        for point in [Seal(block, start, size) for start, size in ends(block)]:
            if point.type != gdb.BP_HARDWARE_WATCHPOINT:
                _delete_all()
                raise Problem("this target has no hardware watchpoints; without, each instruction would be a stop")


def ends(block):
    """What is watched of a block, as (address, bytes): the bytes behind what was asked for, the seal; as one where they
    meet and the processor has room for it.
    """
    seal, end = block.seal_address, block.seal_address + _SEAL_BYTES
    first = block.address + block.requested if block.requested >= 0 else seal
    first = max(first, block.address)
    if first >= seal:
        return [(seal, _SEAL_BYTES)]
    if _words(first, end) <= _REGISTERS:
        return [(first, end - first)]
    return [(first, (first // 8 + 1) * 8 - first), (seal, _SEAL_BYTES)]


def _words(start, end):
    """How many registers it takes to watch a range: each covers 1, 2, 4 or 8 bytes that are aligned so."""
    count = 0
    while start < end:
        size = 8
        while start % size or start + size > end:
            size //= 2
        start, count = start + size, count + 1
    return count


class Seal(gdb.Breakpoint):
    """A hardware watchpoint on the end of a block."""

    def __init__(self, block, start, size):
        self.block = block.address
        self.pid = gdb.selected_inferior().pid
        self.before = block
        language = gdb.parameter("language")
        # GDB's Go has no casts to pointers.
        gdb.execute("set language c", False, True)
        try:
            super().__init__("*(unsigned char (*)[{}]) {:#x}".format(size, start), gdb.BP_WATCHPOINT, gdb.WP_WRITE)
        finally:
            gdb.execute("set language {}".format(language), False, True)

    def stop(self):
        """Whether the write that was seen did damage."""
        if gdb.selected_inferior().pid != self.pid:
            return False  # another run, other blocks
        with moment.stopping():
            try:
                found = finding.heap_at(self.block)
                now = blocks.at(found, self.block) if found is not None else None
                if now is None:
                    return False  # the heap is gone, or the page is something else now
                before, self.before = self.before, now
                if now.seal in ("broken", "slack"):
                    gdb.write("\n" + damage(found, before, now))
                    return True
                return False
            except (Exception, KeyboardInterrupt) as failure:
                gdb.write(in_words(failure) + "\n", gdb.STDERR)
                return True


def damage(found, before, now):
    """What was done to a block."""
    text = "glassheap: the block at {:#x} was run over".format(now.address)
    if before.requested >= 0:
        slack = found.read(now.address + before.requested, max(now.size - before.requested, 0))
        pattern = found.layout("SlackByte")
        written = next((i for i, byte in enumerate(slack) if byte != pattern), len(slack) if now.seal == "broken" else None)
        if written is not None:
            text += ": byte +{} was written, of {} asked for".format(before.requested + written, before.requested)
    return text + "\n" + writer.lines() + "next  glassheap whatis {:#x}\n".format(now.address)


def _watching():
    """The watchpoints that this module has made."""
    return [point for point in gdb.breakpoints() if isinstance(point, Seal)]


def _delete_all(_event=None):
    for point in _watching():
        point.delete()


def load():
    """Define the command."""
    Watch()
    gdb.events.exited.connect(_delete_all)  # the addresses mean nothing in the next run
    gdb.events.gdb_exiting.connect(_delete_all)  # GDB 13 crashes when it ends with a watchpoint of ours


def unload():
    """Undo load."""
    gdb.events.exited.disconnect(_delete_all)
    gdb.events.gdb_exiting.disconnect(_delete_all)
