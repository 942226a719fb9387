"""Who wrote what a watchpoint has seen: the frames of the program itself, above those of the heap and of the runtime."""

import os

import gdb

_MOST = 3  # frames
_NOT_THE_PROGRAM = ("github.com/glassheap/glassheap/allocator.", "runtime.")


def lines():
    """The innermost frame, with the line that wrote, and the program's own above it: as text."""
    frame = gdb.newest_frame()
    # The processor stops behind the instruction that wrote, and that is often in the next line.
    frames, shown = [(_name(frame), _place(gdb.find_pc_line(frame.pc() - 1)))], int(_is_program(frame))
    while shown < _MOST:
        frame = frame.older()
        if frame is None:
            break
        if _is_program(frame):
            frames.append((_name(frame), _place(frame.find_sal())))
            shown += 1
    widest = max(len(name) for name, _ in frames)
    text, label = "", "written by"
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
