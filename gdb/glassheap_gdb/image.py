"""A copy of a heap as a heap file, for the glassheap program to look at.

The file has no name: it is open in this GDB and in the program that is started, nowhere else, and is gone with them,
whatever happens. It is sparse, and holds what a question needs: always the tables, and of the blocks' pages those that
are asked for. While the program stands still, it is filled as questions come.
"""

import os
import re
import resource
import shutil
import tempfile
import time

import gdb

from . import moment
from .memory import PIECE, read
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


# What a question needs of the blocks' pages, beside the tables. Each is a function from the heap to ranges (start, size).


def tables(heap):
    """Nothing but the tables, and the header with its schema."""
    yield heap.base, heap.layout("HeaderBytes")
    if heap.sound:
        yield from heap.table_ranges().values()


def every_seal(heap):
    """The pages of the slabs, and the ends of the spans: a span has its seal, and what may be damaged before it, there."""
    yield from _page_runs(heap, "PageSlab")
    page_bytes, tail = heap.page_bytes, 2 * heap.page_bytes
    for page, _, span in heap.spans():
        start = heap.page_address(page)
        told = start + min(span.Pages * page_bytes, heap.end - start)
        # Where it ends by its struct, and where by the page map: one of the two may be damaged.
        yield max(told - tail, start), min(tail, told - start)
    for start, size in _page_runs(heap, "PageSpan"):
        yield start + max(0, size - tail), min(size, tail)


def everything(heap):
    """Every page that is in use."""
    yield from _page_runs(heap, "PageSlab")
    yield from _page_runs(heap, "PageSpan")
    for i, (_, arena) in enumerate(heap.entries("Arenas", "Arena", heap.header.ArenasUsed)):
        if arena.State in (heap.layout("ArenaHuge"), heap.layout("ArenaHugeTail")):
            yield heap.page_address(i * heap.pages_per_arena), heap.layout("ArenaBytes")


def bin_of(number):
    """The slabs of a bin."""

    def ranges(heap):
        for page, _, slab in heap.slabs(bin=number):
            yield heap.page_address(page), slab.Pages * heap.page_bytes

    return ranges


def around(address, size=1):
    """The slabs that a range of addresses touches, the range itself, and the ends of spans that it touches."""

    def ranges(heap):
        yield address, size
        first, last = heap.page_of(address), heap.page_of(address + size - 1)
        if first is None:
            return
        last = first if last is None else last
        # A slab's pages lie together: from the first page of the first to the last page of the last.
        before = heap.page_entry(first).before if heap.page_entry(first).kind == heap.layout("PageSlab") else 0
        yield heap.page_address(first - before), (last - first + before + 1) * heap.page_bytes
        entry = heap.page_entry(last)
        if entry.kind == heap.layout("PageSlab"):
            slab = heap.descriptor("Slab", heap.identity.Descriptors + entry.descriptor)
            pages = min(slab.Pages, heap.pages_per_arena) if slab is not None else 0
            # The struct may be damaged; bins know too how large their slabs are.
            yield heap.page_address(last - entry.before), max(pages, _most_slab_pages(heap)) * heap.page_bytes
        for page, _, span in heap.spans():
            start, bytes_ = heap.page_address(page), span.Pages * heap.page_bytes
            if start <= address + size and address <= start + bytes_ + heap.page_bytes:
                yield start + max(0, bytes_ - 2 * heap.page_bytes), min(bytes_, 2 * heap.page_bytes)

    return ranges


def _most_slab_pages(heap):
    return max((stride * capacity // heap.page_bytes + 1 for stride, capacity in heap.shapes()), default=1)


def _page_runs(heap, kind):
    """The pages of a kind, neighbours as one range."""
    if heap.sound:
        wanted = b"(?s:" + re.escape(bytes([heap.layout(kind)])) + b")+"
        for run in re.finditer(wanted, heap.page_kinds()):
            yield heap.page_address(run.start()), (run.end() - run.start()) * heap.page_bytes


def lost_arenas(heap):
    """Arenas of which a core holds nothing: blocks were handed out there, and every seal that should be there is zero.
    GDB's gcore gives up on a mapping at the first page that it can't read, and each large allocation ends in such a page.
    """
    if not heap.sound or not heap.sealed:
        return []
    seals = {}
    for page, _, slab in heap.slabs():
        if slab.Carved and slab.Stride > heap.identity.SealBytes:
            seals.setdefault(page // heap.pages_per_arena, []).append(heap.page_address(page) + slab.Stride)
    for page, _, span in heap.spans():
        if 0 < span.Pages <= heap.pages_per_arena:
            seals.setdefault(page // heap.pages_per_arena, []).append(heap.page_address(page + span.Pages))
    size = heap.identity.SealBytes
    return [arena for arena, ends in sorted(seals.items()) if not any(any(heap.read(end - size, size)) for end in ends)]


def of(heap, needs):
    """The image of a heap, with what a question needs in it."""
    image = moment.kept(("image", heap.base), lambda: Image(heap))
    image.fill(tables(heap))
    if heap.sound:
        image.fill(needs(heap))
    return image
