"""Every name of the memory format that these scripts use, in one place.

Where a field lies and how large it is, is told by the schema that each heap carries (schema.py), or by DWARF. A name that
does not stand here can't be read: Bytes refuses it. A test holds this list against the Go types, so a field that is
renamed there is noticed here.
"""

# The structs of the memory.
FIELDS = {
    "Header": "Identity Twin ArenasUsed ArenasMapped CachesReady DescriptorsTop SpansLive Mode JournalsReady RecordsTop",
    "Identity": "Magic Mode Base Reserve Secret PID Name BinCount ArenasMax SealBytes SchemaHash Bins Caches Arenas"
    " PageMap Descriptors DescriptorsEnd Stacks Journals Records RecordsEnd Guards GuardPages Data Checksum",
    "Bin": "ID Size Stride Capacity Depot SlabCount",
    "Cache": "ID Ready Magazines",
    "Magazine": "Tally Inflow Next Bin Limit Blocks",
    "Arena": "ID State FreePages SlabCount SpanCount",
    "Slab": "Base Records Bin Stride Pages State Capacity Carved FreeCount FreeHead",
    "Span": "Base Pages Requested State Recorded Record Offset Guarded",
    "Record": "AllocSequence FreeSequence AllocGoroutine FreeGoroutine AllocStack FreeStack",
    "Records": "Slab Count",
    "StackTable": "Used Count",
    "Stack": "Hash Depth",
    "Event": "Sequence Address Goroutine Size Stack Kind",
    "Journal": "ID Events QuarantineIn QuarantineOut QuarantineBytes Moving Quarantine Log",
    "GuardPool": "Live Missed Slots",
    "GuardSlot": "Address Requested State Record",
}

# The structs of the program, which only DWARF describes.
PROGRAM_FIELDS = {
    "Heap": "base",
    "Violation": "Kind During Address Block Detail",
}

CONSTANTS = (
    "Magic HeaderBytes PageBytes ArenaBytes DescriptorGrain SealMultiplier SealSizeMultiplier SealHashMask StateLive StateAligned StateFree"
    " StateRecorded StateRecordedAligned StateQuarantined StatePoisoned SpanQuarantined SpanRecorded SpanGuarded PoisonByte"
    " StackGrain MaxStackDepth QuarantineBlocks MaxCaches GuardSlots GuardVirgin GuardLive"
    " SlackByte LockTag TallyFreeStep TallyStepInverse TallyLimit ArenaHuge ArenaHugeTail"
    " PageSlab PageSpan PageGuard LinkVirgin LinkOut LinkEnd LinkWithdrawn NoBlock MagazineBlocks"
)
