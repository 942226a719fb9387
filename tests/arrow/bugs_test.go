//go:build modules && linux && amd64

package arrow

import "github.com/glassheap/glassheap/internal/upstream"

// bug is a mistake in Arrow's own code, and how it is found.
type bug struct {
	upstream.Bug
	workload string // reaches the line
	told     []upstream.Told
}

// audited reports and goes on, so that what a bug does later is seen too.
const (
	sealed  = "mode=sealed,policy=report"
	audited = "mode=audit,policy=report"
)

var bugs = []bug{
	{
		// Vector code fills it (with AVX2), which knows no bounds.
		Bug: upstream.Bug{Name: "narrow", Package: "arrow/array", Function: "func (b *BooleanBuilder) init(",
			Right: "b.data.Resize(bytesN)",
			Wrong: "b.data.Resize(bytesN / 2)"},
		workload: "packed",
		told: []upstream.Told{
			upstream.ByViolation.Tells(sealed, "overflow", "", ""),
			upstream.ByViolation.Tells(audited, "overflow", "allocated by", upstream.PlantedLine),
		},
	},
	{
		Bug: upstream.Bug{Name: "cleared", Package: "arrow/array", Function: "func (b *bufferBuilder) resize(",
			Right: "memory.Set(b.bytes[oldCapacity:], 0)",
			Wrong: "memory.Set(unsafe.Slice(&b.bytes[0], 2*b.capacity)[oldCapacity:], 0)"},
		workload: "many",
		told: []upstream.Told{
			upstream.ByFault.Tells(audited, "out-of-bounds", "found by", upstream.PlantedLine),
		},
	},
	{
		Bug: upstream.Bug{Name: "header", Package: "arrow/array", Function: "func (b *bufferBuilder) resize(",
			Right: "b.buffer.ResizeNoShrink(elements)",
			Wrong: "b.buffer.ResizeNoShrink(elements); copy(unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(&b.buffer.Buf()[0]), -4)), 4), \"ARRW\")"},
		workload: "few",
		told: []upstream.Told{
			upstream.ByViolation.Tells(sealed, "underflow", "", ""),
			upstream.ByViolation.Tells(audited, "underflow", "allocated by", upstream.PlantedLine),
		},
	},
	{
		Bug: upstream.Bug{Name: "both", Package: "arrow/memory", Function: "func (b *Buffer) Reserve(",
			Right: "b.buf = b.mem.Reallocate(newCap, b.buf)",
			Wrong: "old := b.buf; b.buf = b.mem.Reallocate(newCap, old); b.mem.Free(old)"},
		workload: "buffer",
		told:     []upstream.Told{upstream.ByViolation.Tells(audited, "double-free", "freed by", upstream.PlantedLine)},
	},
	{
		Bug: upstream.Bug{Name: "wiped", Package: "arrow/memory", Function: "func (b *Buffer) Release(",
			Right: "b.mem.Free(b.buf)",
			Wrong: "b.mem.Free(b.buf); Set(b.buf, 0)"},
		workload: "buffer",
		told: []upstream.Told{
			upstream.ByViolation.Tells(audited, "write-after-free", "freed by", upstream.PlantedLine),
			upstream.ByCheck.Tells(audited, "write-after-free", "freed by", upstream.PlantedLine),
		},
	},
	{
		Bug: upstream.Bug{Name: "part", Package: "arrow/memory", Function: "func (b *Buffer) Release(",
			Right: "b.parent.Release()",
			Wrong: "b.parent.mem.Free(b.buf)"},
		workload: "slice",
		told: []upstream.Told{
			upstream.ByViolation.Tells(sealed, "invalid-free", "", ""),
			upstream.ByViolation.Tells(audited, "invalid-free", "found by", upstream.PlantedLine),
		},
	},
	{
		Bug: upstream.Bug{Name: "empty", Package: "arrow/memory", Function: "func (b *Buffer) resize(",
			Right: "b.mem.Free(b.buf)",
			Wrong: "b.mem.Free(b.buf); b.length = 0; return"},
		workload: "buffer",
		told:     []upstream.Told{upstream.ByViolation.Tells(audited, "use-after-free", "freed by", upstream.PlantedLine)},
	},
	{
		Bug: upstream.Bug{Name: "early", Package: "arrow/array", Function: "func (b *BinaryBuilder) NewBinaryArray(",
			Right: "data.Release()",
			Wrong: "data.Release(); data.Release()"},
		workload: "many",
		told:     []upstream.Told{upstream.ByFault.Tells(audited, "use-after-free", "freed by", upstream.PlantedLine)},
	},
	{
		Bug: upstream.Bug{Name: "again", Package: "arrow/array", Function: "func (b *BooleanBuilder) Resize(",
			Right: "b.data.Resize(arrow.BooleanTraits.BytesRequired(n))",
			Wrong: "b.data = memory.NewResizableBuffer(b.mem); b.data.Resize(arrow.BooleanTraits.BytesRequired(n))"},
		workload: "booleans",
		told:     []upstream.Told{upstream.ByLeaks.Tells(audited, "leak", "allocated by", upstream.PlantedLine)},
	},
	{
		Bug: upstream.Bug{Name: "grown", Package: "arrow/memory", Function: "func (b *Buffer) Reserve(",
			Right: "b.buf = b.mem.Reallocate(newCap, b.buf)",
			Wrong: "grown := b.mem.Allocate(newCap); copy(grown, b.buf); b.buf = grown"},
		workload: "few",
		told:     []upstream.Told{upstream.ByLeaks.Tells(audited, "leak", "allocated by", upstream.PlantedLine)},
	},
	{
		Bug: upstream.Bug{Name: "forgotten", Package: "arrow/array", Function: "func (b *BinaryBuilder) newData(",
			Right: "values.Release()",
			Wrong: "_ = values"},
		workload: "few",
		told:     []upstream.Told{upstream.ByLeaks.Tells(audited, "leak", "allocated by", "array.(*BinaryBuilder).Append")}, // the line is missing: no stack can have it
	},
}
