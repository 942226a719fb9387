package mtrace

import (
	"bufio"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// mostWindowBytes is the largest zstd window that is accepted, the limit of the zstd command itself. It bounds the memory that
// a recording can make the decoder take.
const mostWindowBytes = 128 << 20

// decompress gives the plain text of in, whose first bytes tell how it is packed. close frees the decoder.
func decompress(in *bufio.Reader) (plain io.Reader, packed bool, close func(), err error) {
	magic, _ := in.Peek(4) // shorter input is plain
	switch {
	case isGzip(magic):
		d, err := gzip.NewReader(in)
		if err != nil {
			return nil, true, nil, err
		}
		return d, true, func() {}, nil
	case isZstd(magic):
		// One decoder that runs on the reader's own goroutine: it is quick enough and leaves the cores to the replay.
		d, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(mostWindowBytes), zstd.WithDecoderMaxMemory(mostWindowBytes))
		if err != nil {
			return nil, true, nil, err
		}
		return d, true, d.Close, nil
	}
	return in, false, func() {}, nil
}

func isGzip(magic []byte) bool { return len(magic) >= 2 && magic[0] == 0x1f && magic[1] == 0x8b }

// isZstd also knows the skippable frame that some tools put first.
func isZstd(magic []byte) bool {
	return len(magic) == 4 && (string(magic) == "\x28\xb5\x2f\xfd" || magic[0]&0xf0 == 0x50 && string(magic[1:]) == "\x2a\x4d\x18")
}
