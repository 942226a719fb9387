package target

import (
	"errors"

	"golang.org/x/sys/unix"
)

// smallExtent is one that is read as it is, holes and all: the file system finds the next hole by walking there, page by page,
// for tens of milliseconds in a large heap.
const smallExtent = 1 << 20

// data asks the file system for the holes. It moves the file's position, which nobody here uses.
func (f memoryFile) data(within Extent) ([]Extent, error) {
	if within.Bytes <= smallExtent {
		return []Extent{within}, nil
	}
	var parts []Extent
	for at := within.Offset; at < within.end(); {
		start, err := f.file.Seek(at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) || err == nil && start >= within.end() {
			break // a hole up to the end
		}
		if err != nil {
			return nil, err
		}
		end, err := f.file.Seek(start, unix.SEEK_HOLE)
		if err != nil {
			return nil, err
		}
		if end <= start {
			break // the file was cut meanwhile
		}
		if last := len(parts) - 1; last >= 0 && start-parts[last].end() <= smallGap {
			parts[last].Bytes = end - parts[last].Offset
		} else {
			parts = append(parts, Extent{start, end - start})
		}
		at = end
	}
	return parts, nil
}
