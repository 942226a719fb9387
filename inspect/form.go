package inspect

import (
	"fmt"

	"github.com/glassheap/glassheap/allocator/layout"
)

// form is where the fields of a T lie in the memory of a heap. The zero form is that of a struct that the heap's format does not
// have.
type form[T any] struct {
	bytes uint64 // of a T there
	moves []move // nil: a T lies there as it lies here
}

// move is bytes of a struct that lie together both there and here.
type move struct{ from, to, bytes uint64 }

// get copies the T at address out of the region; ok is false when it does not lie inside.
func (f *form[T]) get(r region, address uint64) (value T, ok bool) {
	ok = f.into(&value, r, address)
	return value, ok
}

// into is get for a value that has a place already; it is zero before.
func (f *form[T]) into(value *T, r region, address uint64) bool {
	offset := address - r.start
	if f.bytes == 0 || offset > uint64(len(r.bytes)) || uint64(len(r.bytes))-offset < f.bytes {
		return false
	}
	f.fill(value, r.bytes[offset:offset+f.bytes])
	return true
}

// fill copies the T that memory holds; value is zero before. What its format does not have stays zero.
func (f *form[T]) fill(value *T, memory []byte) {
	to := layout.Bytes(value)
	if f.moves == nil {
		copy(to, memory)
		return
	}
	for _, m := range f.moves {
		copy(to[m.to:m.to+m.bytes], memory[m.from:])
	}
}

// array is where the elements of an array lie in a struct of a heap's memory. Sizes are in bytes.
type array struct{ offset, stride, count uint64 }

// at is where an element lies, from the start of the struct.
func (a array) at(i int) uint64 { return a.offset + uint64(i)*a.stride }

// element is which element lies at an offset of the struct, and how far inside it that is.
func (a array) element(offset uint64) (i, inside uint64, ok bool) {
	if a.stride == 0 || offset < a.offset || offset-a.offset >= a.stride*a.count {
		return 0, 0, false
	}
	return (offset - a.offset) / a.stride, (offset - a.offset) % a.stride, true
}

// drafter draws up the forms of a heap's structs: theirs, by what its schema says, and ours.
type drafter struct {
	theirs, ours layout.Schema
	without      map[string]bool            // "Span.Record": what belongs to a part that the heap's format does not have
	lacks        map[string]map[string]bool // by struct: its fields that the format does not have
	gaps         map[string][][2]uintptr    // by struct: the bytes that no field has, where Go's own type doesn't tell
	problem      error                      // the first
}

// draft is the form of T, which the schemas call by a name. A field apart, the last one, is not part of it.
func draft[T any](d *drafter, name, apart string) (f form[T]) {
	theirs, ok := d.theirs.Struct(name)
	if d.without[name] || d.problem != nil {
		return f
	}
	if !ok {
		d.fail("there is no struct %s", name)
		return f
	}
	ours, _ := d.ours.Struct(name)
	f.bytes = theirs.Bytes
	for _, m := range d.moves(name, apart) {
		last := len(f.moves) - 1
		if last >= 0 && f.moves[last].from+f.moves[last].bytes == m.from && f.moves[last].to+f.moves[last].bytes == m.to {
			f.moves[last].bytes += m.bytes
		} else {
			f.moves = append(f.moves, m)
		}
	}
	if d.alike(theirs, ours) {
		f.moves = nil
		if last, ok := ours.Field(apart); ok {
			f.moves = []move{{0, 0, last.Offset}}
		}
		return f
	}
	d.gaps[name] = theirs.Gaps()
	return f
}

// alike reports whether a struct is the same in both schemas, with the structs inside it.
func (d *drafter) alike(theirs, ours layout.SchemaStruct) bool {
	if theirs.Bytes != ours.Bytes || len(theirs.Fields) != len(ours.Fields) {
		return false
	}
	for i, f := range ours.Fields {
		if theirs.Fields[i] != f {
			return false
		}
		kind := f.Kind
		if element, _, ok := f.Array(); ok {
			kind = element
		}
		if inner, ok := d.ours.Struct(kind); ok {
			if other, _ := d.theirs.Struct(kind); !d.alike(other, inner) {
				return false
			}
		}
	}
	return true
}

// moves are what takes a struct from the heap's memory to the Go type.
func (d *drafter) moves(name, apart string) (moves []move) {
	theirs, _ := d.theirs.Struct(name)
	ours, _ := d.ours.Struct(name)
	for _, f := range ours.Fields {
		if f.Name == apart {
			continue
		}
		from, ok := theirs.Field(f.Name)
		if !ok || d.without[name+"."+f.Name] {
			if !d.without[name+"."+f.Name] && f.Role != roleStatistic {
				d.fail("struct %s has no field %s", name, f.Name)
			}
			if d.lacks[name] == nil {
				d.lacks[name] = map[string]bool{}
			}
			d.lacks[name][f.Name] = true
			continue
		}
		for _, m := range d.field(name, from, f) {
			moves = append(moves, move{from.Offset + m.from, f.Offset + m.to, m.bytes})
		}
	}
	return moves
}

// roleStatistic is the role of fields on which nothing depends.
const roleStatistic = "statistic"

// field is what takes one field over, counted from where it begins.
func (d *drafter) field(name string, theirs, ours layout.SchemaField) (moves []move) {
	element, count, isArray := ours.Array()
	theirElement, theirCount, theyHaveArray := theirs.Array()
	switch _, isStruct := d.ours.Struct(ours.Kind); {
	case isArray && theyHaveArray && theirElement == element:
		if theirCount > count {
			d.fail("%s.%s has %d entries, and this glassheap knows %d", name, ours.Name, theirCount, count)
			return nil
		}
		return d.elements(name, theirs, ours, element, theirCount, theirs.Bytes/theirCount, ours.Bytes/count)
	case theirs.Kind != ours.Kind:
		d.fail("%s.%s is of the kind %s, and for this glassheap of the kind %s", name, ours.Name, theirs.Kind, ours.Kind)
		return nil
	case isStruct:
		return d.moves(ours.Kind, "")
	case theirs.Bytes > ours.Bytes, theirs.Bytes < ours.Bytes && ours.Kind == "int":
		d.fail("%s.%s has %d bytes, and for this glassheap %d", name, ours.Name, theirs.Bytes, ours.Bytes)
		return nil
	}
	return []move{{0, 0, theirs.Bytes}} // the bytes that a shorter one lacks are its highest
}

func (d *drafter) elements(name string, theirs, ours layout.SchemaField, element string, count, theirBytes, ourBytes uint64) (moves []move) {
	inner := d.field(name, layout.SchemaField{Name: theirs.Name, Bytes: theirBytes, Kind: element}, layout.SchemaField{Name: ours.Name, Bytes: ourBytes, Kind: element})
	for i := range count {
		for _, m := range inner {
			moves = append(moves, move{i*theirBytes + m.from, i*ourBytes + m.to, m.bytes})
		}
	}
	return moves
}

// array is where the elements of an array of structs lie.
func (d *drafter) array(name, field string) (a array) {
	t, _ := d.theirs.Struct(name)
	f, ok := t.Field(field)
	ours, _ := d.ours.Struct(name)
	want, _ := ours.Field(field)
	element, _, _ := want.Array()
	if d.without[name] || d.problem != nil {
		return a
	}
	found, count, isArray := f.Array()
	if !ok || !isArray || found != element {
		d.fail("struct %s has no array %s of %s", name, field, element)
		return a
	}
	return array{f.Offset, f.Bytes / count, count}
}

// offset is where a field lies.
func (d *drafter) offset(name, field string) uint64 {
	t, _ := d.theirs.Struct(name)
	f, ok := t.Field(field)
	if !ok && !d.without[name] {
		d.fail("struct %s has no field %s", name, field)
	}
	return f.Offset
}

func (d *drafter) fail(format string, arguments ...any) {
	if d.problem == nil {
		d.problem = fmt.Errorf(format, arguments...)
	}
}
