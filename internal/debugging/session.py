"""Runs the commands of a test as if they had been typed: each is shown behind the prompt, and an error ends nothing.

GLASSHEAP_TEST_SESSION names a file with a command on each line. Beside GDB's own there are

    cli COMMAND …           what the command line answers about the same process
    until-exit A ;; B …     these commands again and again, for as long as there is a process
"""

import itertools
import os
import subprocess

import gdb


class CommandLine(gdb.Command):
    """Ask the glassheap program about the process from outside."""

    def __init__(self):
        super().__init__("cli", gdb.COMMAND_DATA)

    def invoke(self, argument, _from_tty):
        """Run it, the process id behind the command's name."""
        words = argument.split()
        words.insert(1, str(gdb.selected_inferior().pid))
        done = subprocess.run([os.environ["GLASSHEAP_BINARY"]] + words, capture_output=True, text=True, check=False)
        gdb.write(done.stdout + done.stderr)


def run(line):
    """Run one command."""
    gdb.write("(gdb) " + line + "\n")
    gdb.flush()
    try:
        gdb.execute(line, False, False)
    except (gdb.error, gdb.GdbError) as failure:
        gdb.write(str(failure) + "\n")
    gdb.flush()
    remember_heaps()


seen = {}


def remember_heaps():
    """Where heaps lay, for the test to recognise their addresses."""
    from glassheap_gdb import finding, problem

    try:
        seen.update({found.base: found.end for found in finding.heaps()})
    except (gdb.error, problem.Problem):
        pass


def everything():
    """Unfold the heap four levels deep, as a front end does, without going to the same place twice."""
    from glassheap_gdb import printers, unfolding

    printer, level, seen = printers.Printers(), [gdb.parse_and_eval("*h")], set()
    for _ in range(4):
        below = []
        for value in level:
            shown = printer(value)
            place = isinstance(shown, unfolding.Unfolding) and (str(value.type), shown.address)
            if place and place not in seen:
                seen.add(place)
                below += [inner for _, inner in itertools.islice(shown.children(), 20) if isinstance(inner, gdb.Value)]
        level = below


def session():
    """Run the test's commands."""
    CommandLine()
    for setting in ("pagination off", "confirm off", "width 0", "print thread-events off"):
        gdb.execute("set " + setting)
    with open(os.environ["GLASSHEAP_TEST_SESSION"], encoding="utf-8") as file:
        for line in file.read().splitlines():
            if not line.startswith("until-exit "):
                run(line)
                continue
            while gdb.selected_inferior().pid:
                for command in line.removeprefix("until-exit ").split(" ;; "):
                    run(command)
    gdb.write("".join("(heap) {:#x} {:#x}\n".format(*place) for place in seen.items()))


session()
