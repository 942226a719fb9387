package target

import "io"

// FromBytes is a target whose heap is a slice. It copies nothing: the caller must not write to the slice while it is read.
func FromBytes(heap []byte) Target { return memory(heap) }

type memory []byte

func (m memory) ReadAt(p []byte, offset int64) (int, error) {
	if offset < 0 {
		return 0, errNegativeOffset
	}
	if offset >= int64(len(m)) {
		if len(p) == 0 {
			return 0, nil
		}
		return 0, io.EOF
	}
	n := copy(p, m[offset:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (m memory) Base() uint64             { return 0 }
func (m memory) Size() int64              { return int64(len(m)) }
func (m memory) Description() Description { return Description{Kind: KindMemory} }
func (m memory) Close() error             { return nil }
