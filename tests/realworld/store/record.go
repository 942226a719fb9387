package main

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// record is a key with what it was set to, or the mark that it was deleted. In the log and in segments it looks the same:
//
//	4 bytes   checksum of the two lengths
//	4 bytes   checksum of the lengths, the key and the value
//	4 bytes   the key's length; the topmost bit: the key was deleted
//	4 bytes   the value's length
//	          key, value
type record struct {
	key, value []byte
	deleted    bool
}

const (
	recordHeader = 16
	deletedBit   = 1 << 31
	mostBytes    = 1 << 30 // of a key or a value
)

// What decode says of bytes that are no record.
var (
	errShort   = errors.New("the record is cut off")
	errLengths = errors.New("the record's lengths are damaged")
	errBody    = errors.New("the record's key or value is damaged")
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (r record) bytes() int { return recordHeader + len(r.key) + len(r.value) }

// header is how the record begins.
func (r record) header() (h [recordHeader]byte) {
	keyBytes := uint32(len(r.key))
	if r.deleted {
		keyBytes |= deletedBit
	}
	binary.LittleEndian.PutUint32(h[8:], keyBytes)
	binary.LittleEndian.PutUint32(h[12:], uint32(len(r.value)))
	sum := crc32.Checksum(h[8:], castagnoli)
	binary.LittleEndian.PutUint32(h[0:], sum)
	binary.LittleEndian.PutUint32(h[4:], r.sum(sum))
	return h
}

// sum is the checksum of all, after that of the lengths.
func (r record) sum(lengths uint32) uint32 {
	return crc32.Update(crc32.Update(lengths, castagnoli, r.key), castagnoli, r.value)
}

// decode reads the record that b begins with. Key and value lie in b. The error is errShort when b is the beginning of a record, as far
// as one can see.
func decode(b []byte) (record, error) {
	if len(b) < recordHeader {
		return record{}, errShort
	}
	keyBytes, valueBytes := binary.LittleEndian.Uint32(b[8:]), binary.LittleEndian.Uint32(b[12:])
	deleted := keyBytes&deletedBit != 0
	keyBytes &^= deletedBit
	lengths := crc32.Checksum(b[8:recordHeader], castagnoli)
	if lengths != binary.LittleEndian.Uint32(b) || keyBytes > mostBytes || valueBytes > mostBytes {
		return record{}, errLengths
	}
	body := b[recordHeader:]
	if uint64(len(body)) < uint64(keyBytes)+uint64(valueBytes) {
		return record{}, errShort
	}
	end := keyBytes + valueBytes
	r := record{body[:keyBytes:keyBytes], body[keyBytes:end:end], deleted}
	if r.sum(lengths) != binary.LittleEndian.Uint32(b[4:]) {
		return record{}, errBody
	}
	return r, nil
}
