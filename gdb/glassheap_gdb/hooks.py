"""`glassheap break`: stops at the moments that the allocator names for debuggers (allocator/hooks.go)."""

import gdb

from . import finding, heap, image, moment, needs, program, structs, writer
from .problem import Problem, in_words, told

_PACKAGE = "github.com/glassheap/glassheap/allocator."
_WIDTH = 80
_STACKS = ("(*Heap).malloc", "(*Heap).free")  # every request for a block, every free of one
_MOMENTS = {"init": ("OnArenaReady", "OnSlabReady"), "violation": ("OnViolation",), "leak": ("OnAlloc",)}


class Break(gdb.Command):
    """Stop at moments of the allocator.
Usage: glassheap break init|violation|leak|stack TEXT [free]

  init       look at each arena and each slab as it is made: every field with
             its verdict. The program goes on, unless a field is not what it
             should be.
  violation  stop when the allocator finds that a rule was broken: a double
             free, an overflow, …
  leak       stop when a block is allocated where an earlier run leaked one:
             `glassheap leaks PID --unreachable --learn leaks.txt` in that run,
             `set environment GLASSHEAP break=leaks.txt` before this one.
  stack TEXT stop when a block is asked for in a call of a function whose name,
             with its package, contains TEXT; with "free" behind TEXT: when one
             is freed there. The program is stopped at every allocation, to look
             at the stack: about ten thousand a second go by. Where that is too
             slow, stop in the function first.

Example: glassheap break init
         glassheap break stack main.load"""

    def __init__(self):
        super().__init__("glassheap break", gdb.COMMAND_BREAKPOINTS)

    @told
    def invoke(self, argument, _from_tty):
        """Set the breakpoints."""
        self.dont_repeat()
        which, *rest = argument.split() or [""]
        if which == "stack" and len(rest) in (1, 2) and rest[1:] in ([], ["free"]):
            _expect(_STACKS[len(rest) - 1])
            Stack(_STACKS[len(rest) - 1], rest[0])
            return
        if which not in _MOMENTS or rest:
            raise Problem("break takes init, violation, leak or stack TEXT: glassheap break init|violation|leak|stack TEXT [free]")
        for function in _MOMENTS[which]:
            if gdb.current_progspace().filename:
                _expect(function)  # with no program yet, the breakpoint waits for one
        for function in _MOMENTS[which]:
            _HOOKS[which](function)

    def complete(self, text, word):
        """The moments."""
        return [name for name in (*_MOMENTS, "stack") if name.startswith(word or "")] if len(text.split()) < 2 else []


def _expect(function):
    try:
        gdb.decode_line("'{}'".format(_PACKAGE + function))
    except gdb.error:
        raise Problem("the program has no function {}{}: it is stripped, or has no glassheap heap".format(_PACKAGE, function)) from None


class Hook(gdb.Breakpoint):
    """A breakpoint on one of the allocator's functions for debuggers."""

    def __init__(self, function):
        self.function = function
        self.shown = ""  # last: a signal that arrives at the breakpoint makes the program come by again
        super().__init__("'{}'".format(_PACKAGE + function))

    def arguments(self):
        """The arguments of the function: words."""
        frame = gdb.newest_frame()
        found = [frame.read_var(symbol) for symbol in frame.block() if symbol.is_argument]
        if not found:
            raise Problem("{} has no argument here: the program has no DWARF".format(self.function))
        return found

    def stop(self):
        """Whether to stop, after something was shown."""
        with moment.stopping():
            try:
                return self.look()
            except (Exception, KeyboardInterrupt) as failure:
                gdb.write(in_words(failure) + "\n", gdb.STDERR)
                return True


class Init(Hook):
    """Looks at a struct that was made just now."""

    def look(self):
        """Show the struct with its verdicts; stop when one is wrong."""
        argument = self.arguments()[0]
        address, kind = int(argument), self.function[len("On") : -len("Ready")]
        found = finding.heap_at(address)
        if found is None:
            raise Problem("{} was called with {:#x}, which lies in no heap".format(self.function, address))
        answer = program.ask_json(["structs", "--type", kind], image.of(found, needs.tables))
        struct = next((struct for struct in answer["structs"] if int(struct["address"], 16) == address), None)
        if struct is None:
            gdb.write("{} {:#x}  the heap's tables do not lead to it\n".format(kind, address))
            return True
        text, wrong = judged(struct)
        if text != self.shown:
            gdb.write(text)
        self.shown = text
        return wrong


def judged(struct):
    """A struct with its verdicts, as many to a line as fit, and whether one is wrong."""
    verdicts = struct["verdicts"]
    wrong = [v for v in verdicts if not v["ok"] and not v.get("under_way")]
    lines = ["{}  {}  {}, {}".format(struct["name"], struct["address"], heap.count(len(verdicts), "check"), "{} WRONG".format(len(wrong)) if wrong else "ok")]
    line = "   "
    told = set()
    for verdict in verdicts:
        if verdict["ok"] and verdict["field"] in told:
            continue  # a field may be judged by several rules
        told.add(verdict["field"])
        found = "" if verdict["ok"] and verdict["found"].endswith("on it") else " " + verdict["found"]
        text = " {}{} {}".format(verdict["field"], found, _word(verdict))
        if not verdict["ok"]:
            text += ", expected {} ({})".format(verdict["expected"], verdict.get("why", ""))
        if len(line) + len(text) > _WIDTH and line.strip():
            lines.append(line)
            line = "   "
        line += text + ";"
    return "\n".join(lines + [line.rstrip(";")]) + "\n", bool(wrong)


def _word(verdict):
    if verdict["ok"]:
        return "ok"
    return "changing" if verdict.get("under_way") else "WRONG"


class Violation(Hook):
    """Stops when a rule of the heap was broken."""

    def look(self):
        """Say what happened."""
        argument = self.arguments()[0]
        if str(argument) == self.shown:
            return False
        self.shown = str(argument)
        violation = structs.Violation(argument.dereference())
        gdb.write("\nglassheap: {}\n".format(violation.to_string()))
        gdb.write("next  glassheap whatis {:#x}\n".format(violation["Block"] or violation["Address"]))
        return True


class Leak(Hook):
    """Stops when a block was allocated from a stack that leaked."""

    def look(self):
        """Say which block, and where its caller is."""
        address, size = (int(argument) for argument in self.arguments())
        gdb.write("\nglassheap: {} at {:#x}, from a stack that leaked in an earlier run\n".format(heap.count(size, "byte"), address))
        gdb.write(writer.callers("allocated by"))
        return True


class Stack(Hook):
    """Stops where a function whose name contains a text is on the stack."""

    def __init__(self, function, text):
        self.text = text
        super().__init__(function)

    def look(self):
        """Look for the function, and show the calls down to it."""
        shown = writer.callers_within("freed by" if self.function.endswith("free") else "asked for by", self.text)
        gdb.write("\n" + shown if shown else "")
        return bool(shown)


_HOOKS = {"init": Init, "violation": Violation, "leak": Leak}


def load():
    """Define the command."""
    Break()
