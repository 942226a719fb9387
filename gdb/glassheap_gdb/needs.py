"""What a question needs of a heap's memory, beside the tables: functions from the heap to ranges (start, size)."""

import re


def tables(heap):
    """Nothing but the tables, and the header with its schema."""
    yield heap.base, heap.layout("HeaderBytes")
    if heap.sound:
        yield from heap.table_ranges().values()


def every_seal(heap):
    """The pages of the slabs, and the ends of the spans: a span has its seal, and what may be damaged before it, there."""
    yield from _page_runs(heap, "PageSlab")
    page_bytes, tail = heap.page_bytes, 2 * heap.page_bytes
    for page, span in _readable_spans(heap):
        start = heap.page_address(page)
        told = start + min(span.Pages * page_bytes, heap.end - start)
        yield max(told - tail, start), min(tail, told - start)
        if span.Guarded == heap.layout("SpanGuarded"):
            yield start, page_bytes  # nothing may be written before it either
    yield from _guarded(heap)


def _guarded(heap):
    """The pages of the live guarded blocks: those of freed ones are inaccessible."""
    for i, _, slot in heap.guard_slots():
        if slot.State == heap.layout("GuardLive"):
            yield heap.guard_page(i), heap.page_bytes


def _readable_spans(heap):
    """The spans whose memory is there: that of a quarantined one is given up."""
    for page, _, span in heap.spans():
        if span.State != heap.layout("SpanQuarantined"):
            yield page, span


def everything(heap):
    """Every page that is in use."""
    yield from _page_runs(heap, "PageSlab")
    yield from _page_runs(heap, "PageSpan")
    for i, (_, arena) in enumerate(heap.entries("Arenas", "Arena", heap.header.ArenasUsed)):
        if arena.State in (heap.layout("ArenaHuge"), heap.layout("ArenaHugeTail")):
            yield heap.page_address(i * heap.pages_per_arena), heap.layout("ArenaBytes")
    yield from _guarded(heap)


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
        for page, bytes_ in _guarded(heap):
            if page < address + size and address < page + bytes_:
                yield page, bytes_
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
                if span.Guarded == heap.layout("SpanGuarded"):
                    yield start, heap.page_bytes

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
    for page, span in _readable_spans(heap):
        # One that is guarded has no seal, and where it fills its pages may end in zeros.
        if 0 < span.Pages <= heap.pages_per_arena and span.Guarded != heap.layout("SpanGuarded"):
            seals.setdefault(page // heap.pages_per_arena, []).append(heap.page_address(page + span.Pages))
    size = heap.identity.SealBytes
    return [arena for arena, ends in sorted(seals.items()) if not any(any(heap.read(end - size, size)) for end in ends)]
