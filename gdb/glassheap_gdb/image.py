"""A copy of a heap as a heap file, for the glassheap program to look at.

The file has no name: it is open in this GDB and in the program that is started, nowhere else, and is gone with them,
whatever happens. It is sparse, and holds what a question needs: always the tables, and of the blocks' pages those that
are asked for. While the program stands still, it is filled as questions come.
"""

import os
import resource
import shutil
import tempfile
import time

import gdb

from . import moment
from .memory import PIECE, read
from .needs import tables
from .problem import Problem

_HOLE = 4096  # bytes of zeros that are not worth being written
_QUIET = 1.0  # seconds until progress is shown
_SPARE = 64 << 20  # bytes that stay free on the disk


class Image:
    """The heap file of one heap."""

    def __init__(self, heap):
        self.heap = heap
        self.file = tempfile.TemporaryFile(prefix="glassheap-")
        self.size = heap.end - heap.base
        self.have = []  # ranges (start, end) that were copied
        try:
            _check_room(self.size, 0)
            self.file.truncate(self.size)
        except OSError as failure:
            self.close()
            raise _no_room(failure, self.size) from None

    def close(self):
        """Let go of the file; it is then gone."""
        self.file.close()

    def path(self):
        """A path by which a child that inherits the file can open it."""
        return "/dev/fd/{}".format(self.file.fileno())

    def fill(self, ranges):
        """Copy ranges (start, size), as far as they can be read and were not copied yet."""
        parts = []
        for start, size in ranges:
            for part in self.heap.clip(start, size):
                parts += self._missing(*part)
        total = sum(end - start for start, end in parts)
        if not total:
            return
        _check_room(self.size, total)
        progress = _Progress(total)
        try:
            for start, end in _joined(parts):
                for at in range(start, end, PIECE):
                    self._write(at, read(at, min(PIECE, end - at)))
                    progress.add(PIECE)
                self.have.append((start, end))
            self.file.flush()
        except OSError as failure:
            raise _no_room(failure, total) from None
        finally:
            progress.end()
        self.have = _joined(self.have)

    def _missing(self, start, end):
        for s, e in self.have:
            if e <= start or s >= end:
                continue
            if s > start:
                yield start, s
            start = e
            if start >= end:
                return
        yield start, end

    def _write(self, address, data):
        if data.count(0) == len(data):
            return  # a hole reads as zeros
        for at in range(0, len(data), 16 * _HOLE):
            piece = data[at : at + 16 * _HOLE]
            if piece.count(0) != len(piece):
                os.pwrite(self.file.fileno(), piece, address - self.heap.base + at)


def _joined(ranges):
    """Ranges in order, neighbours as one."""
    found = []
    for start, end in sorted(ranges):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _check_room(size, more):
    """A Problem when the file can't become as large: better than a disk that is full, or a signal."""
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    if limit != resource.RLIM_INFINITY and size > limit:
        raise Problem("a copy of the heap does not fit under the limit for files, which is {} MiB: raise it with `ulimit -f`".format(limit >> 20))
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if more + _SPARE > free:
        raise _no_room(None, more)


def _no_room(failure, size):
    why = "" if failure is None else ": {}".format(failure.strerror)
    return Problem("there is no room for a copy of the heap in {} ({} MiB){}; name another folder by TMPDIR".format(tempfile.gettempdir(), -(-size >> 20), why))


class _Progress:
    """Shows on a terminal how far the copying has come, once it has taken a second."""

    def __init__(self, total):
        self.total, self.done, self.started, self.shown = total, 0, time.monotonic(), 0.0

    def add(self, size):
        """Some more is done."""
        self.done = min(self.done + size, self.total)
        now = time.monotonic()
        if now - self.started > _QUIET and now - self.shown > 0.2 and os.isatty(2):
            self.shown = now
            gdb.write("\rreading the heap: {:3.0f} % of {} MiB".format(100 * self.done / self.total, self.total >> 20), gdb.STDERR)
            gdb.flush(gdb.STDERR)

    def end(self):
        """Wipe the line."""
        if self.shown:
            gdb.write("\r\x1b[K", gdb.STDERR)


def of(heap, needs):
    """The image of a heap, with what a question needs in it."""
    image = moment.kept(("image", heap.base), lambda: Image(heap))
    image.fill(tables(heap))
    if heap.sound:
        image.fill(needs(heap))
    return image
