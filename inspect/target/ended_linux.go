package target

import (
	"os"

	"github.com/glassheap/glassheap/inspect/symbols"
)

// OfEnded is the heap of a process that has ended, of which somebody still holds the memory file. The Header was at base; origin and
// the path executable say which program it ran, as far as that is known. The target owns the file from now on. Nothing changes in it any more, and what looks half done stays so for ever.
func OfEnded(file *os.File, base uint64, pid int, program, heap, executable string, origin symbols.Origin) Target {
	return &endedTarget{
		memoryFile: memoryFile{file: file, view: newView(file)}, base: base, executable: executable, origin: origin,
		description: Description{Kind: KindEnded, PID: pid, Program: printable(program), Heap: printable(heap), Door: doorMemfd},
	}
}

type endedTarget struct {
	memoryFile
	base        uint64
	description Description
	executable  string
	origin      symbols.Origin
}

func (t *endedTarget) Base() uint64             { return t.base }
func (t *endedTarget) Description() Description { return t.description }

func (t *endedTarget) executableOfEnded() string { return t.executable }

func (t *endedTarget) originOfEnded() (symbols.Origin, error) {
	if t.origin.BuildID == "" {
		return symbols.Origin{}, ErrNoOrigin
	}
	return t.origin, nil
}
