package main

import (
	"strconv"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// originColumn is a column of strings, NAME:LINE for each row: where it is from. Its two buffers are laid out by hand, exactly as
// large as they have to be.
func originColumn(mem memory.Allocator, name string, lines []int) arrow.Array {
	offsets := mem.Allocate((len(lines) + 1) * arrow.Int32SizeBytes)
	text := mem.Allocate(len(lines)*(len(name)+1) + digits(lines))
	end := len(text)
	for i := len(lines) - 1; i >= 0; i-- { // from the end: so are the digits
		putOffset(offsets, i+1, end)
		end = putNumber(text, end, lines[i])
		end = putText(text, end, ":")
		end = putText(text, end, name)
	}
	putOffset(offsets, 0, end)
	return stringArray(len(lines), buffer(mem, offsets), buffer(mem, text))
}

// stringArray is an array without nulls over offsets and text, which are its from here on.
func stringArray(rows int, offsets, text *memory.Buffer) arrow.Array {
	data := array.NewData(arrow.BinaryTypes.String, rows, []*memory.Buffer{nil, offsets, text}, nil, 0, 0)
	offsets.Release()
	text.Release()
	defer data.Release()
	return array.NewStringData(data)
}

// buffer is a block as Arrow counts who uses it.
func buffer(mem memory.Allocator, block []byte) *memory.Buffer {
	return memory.NewBufferWithAllocator(block, mem)
}

// digits is how many digits the lines' numbers have, together.
func digits(lines []int) (n int) {
	for _, line := range lines {
		n += len(strconv.Itoa(line))
	}
	return n
}

// putOffset writes the i-th offset.
func putOffset(offsets []byte, i, offset int) {
	*(*int32)(at(offsets, i*arrow.Int32SizeBytes)) = int32(offset)
}

// putNumber writes the digits of a number that end before end, and returns where they begin.
func putNumber(text []byte, end, number int) int {
	for {
		end--
		*(*byte)(at(text, end)) = byte('0' + number%10)
		if number /= 10; number == 0 {
			return end
		}
	}
}

// putText writes a text that ends before end, and returns where it begins.
func putText(text []byte, end int, s string) int {
	end -= len(s)
	copy(unsafe.Slice((*byte)(at(text, end)), len(s)), s)
	return end
}

// at is an address in a block. As in any code that lays out memory by hand, nothing verifies that it is.
func at(block []byte, offset int) unsafe.Pointer {
	return unsafe.Add(unsafe.Pointer(unsafe.SliceData(block)), offset)
}
