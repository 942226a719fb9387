"""The packed words of the memory format, taken apart, and the words for its enumerations.

What the bits mean is said in Go, in package allocator/layout, and said again here: this is the one place. The constants come
from the schema. A test holds each function against its Go original.
"""

_MASK = (1 << 64) - 1
_STACK_PLACE_BITS = 22

# The enumerations: the constants of each begin with this.
ENUMERATIONS = {
    "Mode": "Mode",
    "Backing": "Backing",
    "Geometry": "Geometry",
    "ArenaState": "Arena",
    "PageKind": "Page",
    "SlabState": "Slab",
    "SpanState": "Span",
    "State": "State",
    "EventKind": "Event",
    "GuardState": "Guard",
}

# Constants that merely begin like those of an enumeration.
_NUMBERS = {"ArenaBytes", "PageBytes", "SpanRecorded", "SpanGuarded", "GuardSlots"}

# What outputs call them, where it is not the constant's name.
_WORDS = {
    "ArenaHugeTail": "huge, continued",
    "PageDirty": "free, dirty",
    "StateAligned": "live, aligned",
    "StateRecorded": "live, recorded",
    "StateRecordedAligned": "live, aligned, recorded",
    "StatePoisoned": "free, poisoned",
}


def word(layout, enumeration, value):
    """The word for a value of an enumeration, the same as in every other output."""
    prefix = ENUMERATIONS[enumeration]
    for name, constant in layout.constants.items():
        if constant == value and name.startswith(prefix) and name not in _NUMBERS:
            return _WORDS.get(name, name[len(prefix) :].lower())
    if enumeration == "Geometry":
        return "geometry {}".format(value)
    return "no {}".format({"Mode": "mode", "Backing": "backing", "PageKind": "kind", "EventKind": "event"}.get(enumeration, "state"))


class Seal:
    """The last word of a block: whose it is, how many bytes were asked for, and the block's state."""

    def __init__(self, layout, value):
        self.layout, self.value = layout, value
        self.state = value & 0xF
        self.size = value >> 4 & 0xFFFF

    def live(self):
        """Whether the state is one of a block in the user's hands."""
        layout = self.layout
        return self.state in (layout("StateLive"), layout("StateAligned"), layout("StateRecorded"), layout("StateRecordedAligned"))

    def free(self):
        """Whether the state is that of a block that waits to be handed out."""
        return self.state in (self.layout("StateFree"), self.layout("StatePoisoned"))

    def aligned(self):
        """Whether the user's address lies inside the block, behind a mark."""
        return self.state in (self.layout("StateAligned"), self.layout("StateRecordedAligned"))

    def recorded(self):
        """Whether the block's record says who allocated it."""
        return self.poisoned() or self.state in (self.layout("StateRecorded"), self.layout("StateRecordedAligned"))

    def poisoned(self):
        """Whether all bytes of the block must be poison; its record then says who freed it, too."""
        return self.state in (self.layout("StateQuarantined"), self.layout("StatePoisoned"))

    def belongs(self, address, secret):
        """Whether the seal carries the hash of the block at an address."""
        unfolded = self.value ^ self.size * self.layout("SealSizeMultiplier") & _MASK
        product = (address ^ secret) * self.layout("SealMultiplier")
        return (unfolded ^ product >> 64 ^ product) & self.layout("SealHashMask") == 0

    def marks(self, address, offset, secret):
        """Whether it is the mark before a user's address, which lies so many bytes inside its block."""
        return self.state == self.layout("StateAligned") and self.size == offset and self.belongs(address, secret ^ _MASK)


class StackName:
    """The name of a stack of the stack table: StackRef."""

    def __init__(self, layout, value):
        self.value = value
        self.offset = ((value & (1 << _STACK_PLACE_BITS) - 1) - 1) * layout("StackGrain")  # bytes behind the table

    def names(self, hash):
        """Whether it is the name of the stack with this hash at its place."""
        told = self.value & (1 << _STACK_PLACE_BITS) - 1 | hash >> 32 << _STACK_PLACE_BITS & (1 << 31) - 1
        return self.value == told | bin(told).count("1") % 2 << 31


class PageEntry:
    """What one page is part of."""

    def __init__(self, layout, value):
        self.kind = value & 0xFF
        self.bin = value >> 8 & 0xFF
        self.before = value >> 16 & 0xFFFF  # pages of the run that come before this one
        self.descriptor = (value >> 32) * layout("DescriptorGrain")  # place of the slab or span, from Identity.Descriptors


def link_in_words(layout, value):
    """What the link of a block says."""
    names = {
        layout("LinkVirgin"): "virgin",
        layout("LinkOut"): "out: live or in a magazine",
        layout("LinkEnd"): "free, the last of the list",
        layout("LinkWithdrawn"): "withdrawn",
    }
    return names.get(value, "free, then block {}".format(value - 1))


def lock_in_words(layout, value):
    """What a lock word says."""
    if value == 0:
        return "free"
    if value >> 32 << 32 == layout("LockTag"):
        return "held by {}".format(value & 0xFFFFFFFF)
    return "damaged: {:#x} is no lock word".format(value)


def tally_count(value):
    """How many blocks are in the magazine."""
    return value & 0xFF


def tally_totals(layout, value, inflow):
    """How many blocks were taken from a magazine and given to it; None when no history leads to this word."""
    mask = (1 << 56) - 1
    surplus = tally_count(value) - inflow & _MASK
    allocs = ((value >> 8) - layout("TallyFreeStep") * surplus) * layout("TallyStepInverse") & mask
    frees = allocs + surplus & _MASK
    if allocs < layout("TallyLimit") and frees < layout("TallyLimit"):
        return allocs, frees
    return None
