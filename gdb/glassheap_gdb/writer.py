"""Who did what the program has stopped for: the frames of the program itself, above those of the heap and of the runtime."""

import os

import gdb

_MOST = 3  # frames
_NOT_THE_PROGRAM = ("github.com/glassheap/glassheap/allocator.", "github.com/glassheap/glassheap/offheap.", "runtime.")


def lines():
    """The innermost frame, with the line that wrote, and the program's own above it: as text."""
    frame = gdb.newest_frame()
    # The processor stops behind the instruction that wrote, and that is often in the next line.
    writer = [(_name(frame), _place(gdb.find_pc_line(frame.pc() - 1)))]
    return _table("written by", writer + _above(frame, _MOST - int(_is_program(frame))))


def callers(label):
    """The program's own frames above the innermost: as text."""
    return _table(label, _above(gdb.newest_frame(), _MOST))


def callers_within(label, text):
    """The program's own frames above the innermost, up to the first whose function's name contains a text; empty when there is none."""
    frame, names, found = gdb.newest_frame().older(), [], False
    while frame is not None and not found:
        if _is_program(frame):
            names.append(frame)
            found = text in _name(frame)
        frame = frame.older()
    return _table(label, [(_name(frame), _place(frame.find_sal())) for frame in names]) if found else ""


def _above(frame, most):
    frames = []
    while len(frames) < most:
        frame = frame.older()
        if frame is None:
            break
        if _is_program(frame):
            frames.append((_name(frame), _place(frame.find_sal())))
    return frames


def _table(label, frames):
    widest = max((len(name) for name, _ in frames), default=0)
    text = ""
    for name, place in frames:
        text += "{:13}{:{}}  {}".format(label, name, widest, place).rstrip() + "\n"
        label = ""
    return text


def _name(frame):
    return frame.name() or "{:#x}".format(frame.pc())


def _is_program(frame):
    return bool(frame.name()) and not frame.name().startswith(_NOT_THE_PROGRAM)


def _place(at):
    """File and line; of a program without DWARF nothing."""
    return "{}:{}".format(os.path.basename(at.symtab.filename), at.line) if at.symtab else ""
