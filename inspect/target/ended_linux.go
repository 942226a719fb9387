package target

import "os"

// OfEnded is the heap of a process that has ended, of which somebody still holds the memory file. The Header was at base. The
// target owns the file from now on. Nothing changes in it any more, and what looks half done stays so for ever.
func OfEnded(file *os.File, base uint64, pid int, program, heap string) Target {
	return &endedTarget{
		memoryFile: memoryFile{file: file, view: newView(file)}, base: base,
		description: Description{Kind: KindEnded, PID: pid, Program: printable(program), Heap: printable(heap), Door: doorMemfd},
	}
}

type endedTarget struct {
	memoryFile
	base        uint64
	description Description
}

func (t *endedTarget) Base() uint64             { return t.base }
func (t *endedTarget) Description() Description { return t.description }
