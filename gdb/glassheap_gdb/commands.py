"""The command `glassheap` and those of its subcommands that ask the glassheap program."""

import os
import re
import textwrap

import gdb

from . import expressions, finding, heap, image, moment, needs, program
from .problem import Problem, told
from .questions import COMMON, QUESTIONS, STRUCTS

STATUS = "gh_status"  # the convenience variable with the last answer's exit status


class Prefix(gdb.Command):
    """Question the off-heap memory of this program: `glassheap help` says how."""

    def __init__(self):
        super().__init__("glassheap", gdb.COMMAND_DATA, gdb.COMPLETE_NONE, True)

    @told
    def invoke(self, argument, _from_tty):
        """Without a subcommand: show what there is."""
        if argument:
            raise Problem("there is no command `glassheap {}`: `glassheap help` lists the commands".format(argument.split()[0]))
        gdb.write(OVERVIEW)


class Help(gdb.Command):
    """What you can ask of a heap, on one screen."""

    def __init__(self):
        super().__init__("glassheap help", gdb.COMMAND_DATA)

    @told
    def invoke(self, argument, _from_tty):
        """Show the overview, or the help of one command."""
        name = argument.strip()
        if not name:
            gdb.write(OVERVIEW)
        elif re.fullmatch(r"[a-z]+", name):
            gdb.execute("help glassheap " + name)
        else:
            raise Problem("there is no command {!r}: `glassheap help` lists the commands".format(name))

    def complete(self, text, word):
        """The names of the commands."""
        return _fitting([*QUESTIONS, "watch", "break"], text, word)


class Ask(gdb.Command):
    """A question to the glassheap program."""

    def __init__(self, question):
        self.question = question
        self.__doc__ = _help_of(question)
        super().__init__("glassheap " + question.name, gdb.COMMAND_DATA)

    @told
    def invoke(self, argument, _from_tty):
        """Find the heap, hand it to the program, show the answer."""
        q = self.question
        options, words = split(q.name, argument, q.options)
        if q.kind == "address" and q.most == 1 and words:
            words = [" ".join(words)]  # an expression may have blanks
        if not q.least <= len(words) <= q.most:
            raise Problem("{} takes {}: glassheap {}".format(q.name, _takes(q), " ".join(filter(None, [q.name, q.usage]))))
        if q.name == "snapshot":
            self.dont_repeat()
            words[0] = os.path.expanduser(words[0])
        address = None
        if q.kind == "address" and words:
            address = expressions.address_of(words[0])
            words[0] = words[0] if words[0].isdecimal() else "{:#x}".format(address)
        elif q.kind == "struct" and words[0] not in STRUCTS:
            address = expressions.address_of(" ".join(words))
            words = ["{:#x}".format(address)]
        if "address" in options:
            options["address"] = "{:#x}".format(expressions.address_of(options["address"]))
        for name in ("pprof", "learn"):
            if name in options:
                options[name] = os.path.expanduser(options[name])
        wanted = options.pop("heap", "")
        options.setdefault("color", "auto")
        if options["color"] == "auto":
            options["color"] = program.color()
        flags = ["--" + name + ("" if value is True else "=" + value) for name, value in options.items()]
        if q.name == "math" and ("geometry" in options or "mode" in options):
            status, answer = program.ask([q.name] + flags)  # about a heap that the program makes
        else:
            chosen = finding.choose(wanted, address)
            copy = image.of(chosen, q.needs(options, words, address))
            _warn_of_loss(chosen)
            status, answer = program.ask([q.name] + flags + ["--"] * bool(words) + words, copy, wanted)
        gdb.set_convenience_variable(STATUS, status)
        gdb.write(answer)

    def complete(self, text, word):
        """Options, their values, and what the command takes."""
        parts = text.split()
        current = "" if not text or text[-1].isspace() else parts.pop()
        for option in self.question.options + COMMON:
            if parts and parts[-1] == "--" + option.name and option.takes:
                return _fitting(_heap_names() if option.name == "heap" else option.choices, text, word)
        if current.startswith("-"):
            return _fitting(["--" + option.name for option in self.question.options + COMMON], text, word)
        kind = self.question.kind
        if kind == "struct" and not parts:
            return _fitting(STRUCTS, text, word)
        if kind == "address":
            return gdb.COMPLETE_EXPRESSION
        return gdb.COMPLETE_FILENAME if kind == "file" else gdb.COMPLETE_NONE


def _warn_of_loss(chosen):
    if not moment.is_core(moment.program()):
        return
    lost = moment.kept(("lost", chosen.base), lambda: needs.lost_arenas(chosen))
    if lost:
        gdb.write(
            "glassheap: the core has lost the memory of {} ({}): do not believe what is said of blocks there. gcore stops at a\n"
            "guard page, which each large allocation has; the kernel's own cores and `glassheap snapshot` are whole.\n".format(
                heap.count(len(lost), "arena"), ", ".join(map(str, lost[:8])) + (", …" if len(lost) > 8 else "")
            ),
            gdb.STDERR,
        )


def split(name, argument, options):
    """The options and the words of a command line."""
    known = {option.name: option for option in options + COMMON}
    found, words = {}, []
    left = gdb.string_to_argv(argument)
    while left:
        word = left.pop(0)
        if word == "--":
            words += left
            break
        if not re.match(r"--?[A-Za-z]", word):
            words.append(word)
            continue
        option, equals, value = word.lstrip("-").partition("=")
        if not word.startswith("--") or option not in known:
            raise Problem("{} has no flag {}: `help glassheap {}` lists them".format(name, word, name))
        if known[option].takes and not equals:
            if not left:
                raise Problem("--{}: a value is wanted: {}".format(option, known[option].help))
            value = left.pop(0)
        elif equals and not known[option].takes:
            raise Problem("--{} takes no value".format(option))
        found[option] = value if known[option].takes else True
    return found, words


def _takes(q):
    return {
        "address": {1: "an address", 2: "an address and at most a number of bytes"}[q.most] if q.least else "at most one address",
        "number": "at most one bin",
        "struct": "a struct",
        "file": "a file",
        "": "no argument",
    }[q.kind] if q.name != "blocks" else "a slab"


def _heap_names():
    try:
        return [h.name for h in finding.heaps()]
    except (Problem, gdb.error):
        return []


def _fitting(candidates, text, word):
    """Those of the candidates that go on from what was typed. GDB calls only the end of it `word`."""
    typed = text.rsplit(None, 1)[-1] if text and not text[-1].isspace() else ""
    skip = len(typed) - len(word or "")
    return [candidate[max(skip, 0) :] for candidate in candidates if candidate.startswith(typed)]


_WIDTH = 80


def _row(head, column, text):
    """A line of help: what it is about, and the text beside it, in as many lines as it takes."""
    indent = " " * (column + 4)
    lines = textwrap.wrap(text, _WIDTH - len(indent)) or [""]
    first = "  {:<{}}  {}".format(head, column, lines[0]).rstrip()
    return "".join(line + "\n" for line in [first] + [indent + line for line in lines[1:]])


def _help_of(q):
    text = q.short[0].upper() + q.short[1:]
    text += ("" if text.endswith("?") else ".") + "\nUsage: glassheap " + " ".join(filter(None, [q.name, q.usage, "[OPTION…]"])) + "\n\n"
    if q.kind == "address":
        text += "Where an address is wanted, any expression will do: a pointer, a register, a\nslice.{}\n\n".format(" Quote one that has blanks." if q.most > 1 else "")
    for option in q.options + COMMON:
        text += _row("--{} {}".format(option.name, option.takes).strip(), 15, option.help)
    if q.example:
        text += "\nExample: glassheap {} {}".format(q.name, q.example)
    return text.rstrip("\n")


def _overview():
    def row(head, text):
        """One line; of a text that is too long for it, the first part."""
        room = _WIDTH - 27
        if len(text) > room:
            text = text[: text.find("?") + 1] or text[: text.rfind(", ", 0, room)]
        return "  {:<23}  {}\n".format(head, text)

    def rows(*names):
        return "".join(row("{} {}".format(name, QUESTIONS[name].usage).strip(), QUESTIONS[name].short) for name in names)

    return (
        "Question the off-heap memory of this program, as it is now: glassheap COMMAND\n\nQuestions:\n"
        + rows("check", "structs", "math", "whatis", "leaks", "history")
        + "\nLooking around:\n"
        + rows("stats", "bins", "slabs", "blocks", "map", "dump", "hexdump", "log")
        + "\nDoing:\n"
        + row("watch ADDRESS", "stop at the instruction that overruns this block")
        + row("break MOMENT", "stop at: init (structs are made), violation, leak")
        + rows("snapshot")
        + "\nIn expressions:\n"
        + row("$gh_whatis(ADDRESS)", "what is there, in a sentence")
        + row("$gh_block(ADDRESS)", "the start of the block that it is in; 0: none")
        + row("$gh_status", "1: the last answer found something; 0: it did not")
        + "\nWhere an address is wanted, any expression will do: glassheap whatis b.array\n"
        + "print *slab shows a struct unfolded; help glassheap check says more of check.\n"
    )


OVERVIEW = _overview()


def load():
    """Define the commands."""
    Prefix()
    Help()
    for question in QUESTIONS.values():
        Ask(question)
    gdb.set_convenience_variable(STATUS, None)


