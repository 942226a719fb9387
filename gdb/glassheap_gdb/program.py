"""The glassheap program, which has the answers: what is right and what is wrong is defined there, once."""

import json
import os
import re
import shutil
import subprocess

import gdb

from . import moment
from .heap import printable
from .problem import Problem

_VARIABLE = "GLASSHEAP_BINARY"  # set by `glassheap gdb`; not GLASSHEAP, which sets options of heaps


def find():
    """The path of the program."""
    named = os.environ.get(_VARIABLE, "")
    if named and not os.access(named, os.X_OK):
        raise Problem("the environment's {} is {}, which is no program".format(_VARIABLE, named))
    path = named or shutil.which("glassheap")
    if not path:
        raise Problem("the program glassheap is not in PATH: `go install github.com/glassheap/glassheap/cmd/glassheap@latest`, or start GDB by `glassheap gdb`")
    return path


def owner():
    """Whose memory is looked at, in words, and what is known of the process."""
    inferior = moment.program()
    program = printable(os.path.basename(inferior.progspace.filename or ""))
    process = "process {}".format(inferior.pid) + (" ({})".format(program) if program else "")
    text = "a core of {}, in gdb" if moment.is_core(inferior) else "{}, stopped in gdb"
    return {"text": text.format(process), "pid": inferior.pid, "program": program}


def run(arguments, image=None, heap=""):
    """Run a command of the program, on an image. Returns its exit status, its answer, and what it complained of."""
    command, inherited = [find(), arguments[0]], ()
    if image is not None:
        door = dict(owner(), base="{:#x}".format(image.heap.base))
        command += ["--file", image.path(), "--door", json.dumps(door)]
        inherited = (image.file.fileno(),)
        if heap:
            command += ["--heap", heap]
    command += arguments[1:]
    try:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=inherited)
    except OSError as failure:
        raise Problem("{} can't be started: {}".format(command[0], failure.strerror)) from None
    try:
        answer, complaint = child.communicate()
    except BaseException:  # Ctrl-C: the child has got it too, unless it was started without a terminal
        child.kill()
        child.wait()
        raise
    return child.returncode, answer.decode("utf-8", "replace"), complaint.decode("utf-8", "replace")


def ask(arguments, image=None, heap=""):
    """Like run, but there must be an answer: a Problem says why there is none."""
    status, answer, complaint = run(arguments, image, heap)
    if status not in (0, 1):
        text = re.sub("^glassheap: *", "", complaint.strip()) or "the glassheap program ended with status {}".format(status)
        if "unknown flag" in text and "door" in text or "no flag --door" in text:
            text = "{} is of another version than these scripts: start GDB by `glassheap gdb`".format(find())
        raise Problem(re.sub(r"`(glassheap \w+) +`", r"`\1`", text))
    return status, answer


def ask_json(arguments, image, heap=""):
    """An answer as data."""
    _, answer = ask(arguments + ["--json"], image, heap)
    try:
        return json.loads(answer)
    except ValueError:
        raise Problem("{} gave an answer that is no JSON".format(find())) from None


def color():
    """Whether answers are coloured: as GDB's own are, on a terminal."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") in (None, "", "dumb")
    return "always" if not plain and os.isatty(1) and gdb.parameter("style enabled") else "never"
