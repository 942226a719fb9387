package inspect

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/glassheap/glassheap/allocator/layout"
)

// Value is one field of a dumped struct.
type Value struct {
	Field  string `json:"field"`
	Offset uint64 `json:"offset"` // from the struct's start, in bytes
	Bytes  uint64 `json:"bytes"`
	Kind   string `json:"kind"` // see layout.SchemaField
	Value  string `json:"value"`
	Points string `json:"points_to,omitempty"` // for links and addresses: what is there
}

// DumpReport is one struct of the metadata with the values of its fields.
type DumpReport struct {
	Heap    Summary `json:"heap"`
	Name    string  `json:"name"`
	Type    string  `json:"type"`
	Address Address `json:"address"`
	Bytes   uint64  `json:"bytes"`
	Values  []Value `json:"values"`
}

// dumpHint lists what Dump understands.
const dumpHint = "dump takes header, identity, twin, bin N, arena N, slab N, span N, cache N, magazine CACHE.BIN, page N, or the address of a struct"

// Dump shows a struct by its name ("bin 3", "Slab 17", "magazine 0.3") or by an address inside it. The fields come from the
// schema that the heap carries.
func (h *Heap) Dump(name string) (*DumpReport, error) {
	if err := h.usable(); err != nil {
		return nil, err
	}
	kind, label, address, err := h.find(strings.ToLower(strings.TrimSpace(name)))
	if err != nil {
		return nil, err
	}
	schema := h.format.schema
	r := &DumpReport{Heap: h.summary(passCounts{}), Name: label, Type: kind, Address: Address(address)}
	if kind == "PageEntry" {
		return r, h.dumpPageEntry(r)
	}
	t, ok := schema.Struct(kind)
	if !ok {
		return nil, &NoSuchError{"struct type " + kind, dumpHint}
	}
	r.Bytes = t.Bytes
	data := make([]byte, t.Bytes)
	if err := h.read(data, address); err != nil {
		return nil, err
	}
	h.values(r, schema, t, data, "", 0)
	if kind == "Magazine" {
		h.markStale(r, data)
	}
	return r, nil
}

// markStale says of the entries of a magazine that are not in use what they are: what was there once.
func (h *Heap) markStale(r *DumpReport, data []byte) {
	var m layout.Magazine
	h.format.magazine.fill(&m, data)
	for i := range r.Values {
		var n int
		if _, err := fmt.Sscanf(r.Values[i].Field, "Blocks[%d]", &n); err == nil && n >= m.Tally.Count() && r.Values[i].Points != "" {
			r.Values[i].Points = "stale"
		}
	}
}

// find resolves the name of a struct.
func (h *Heap) find(name string) (kind, label string, address uint64, err error) {
	if strings.HasPrefix(name, "0x") {
		return h.findAt(name)
	}
	word, rest, _ := strings.Cut(name, " ")
	first, second, pair := strings.Cut(strings.TrimSpace(rest), ".")
	n, numberErr := strconv.ParseUint(first, 10, 32)
	missing := &NoSuchError{strconv.Quote(name), dumpHint}
	switch word {
	case "header":
		return "Header", "Header", h.id.Base, nil
	case "identity":
		return "Identity", "Header.Identity", h.id.Base, nil
	case "twin":
		return "Identity", "Header.Twin", h.id.Base + h.format.twin, nil
	}
	if numberErr != nil {
		return "", "", 0, missing
	}
	switch i := int(n); word {
	case "bin":
		if i < len(h.bins) {
			return "Bin", h.bins[i].name(), uint64(h.bins[i].Address), nil
		}
	case "arena":
		if i < len(h.arenas) {
			return "Arena", h.arenas[i].name(), uint64(h.arenas[i].address), nil
		}
	case "cache":
		if i < len(h.caches) {
			return "Cache", h.caches[i].name(i), uint64(h.caches[i].address), nil
		}
	case "magazine":
		bin, err := strconv.ParseUint(second, 10, 32)
		if pair && err == nil && i < len(h.caches) && int(bin) < len(h.bins) {
			m := h.caches[i].magazines[bin]
			return "Magazine", m.name, uint64(m.address), nil
		}
	case "page", "pageentry":
		if i < len(h.slabOfPage) {
			return "PageEntry", fmt.Sprintf("PageEntry %d", i), h.capture.pageMap.start + uint64(i)*layout.PageEntryBytes, nil
		}
	case "slab":
		if i < len(h.slabOfPage) && h.slabOfPage[i] != 0 {
			s := h.slabs[h.slabOfPage[i]-1]
			return "Slab", s.name(), uint64(s.Address), nil
		}
	case "span":
		if s := h.spanAt(h.id.Data + uint64(i)*layout.PageBytes); s != nil {
			return "Span", s.name(), uint64(s.Address), nil
		}
	}
	return "", "", 0, missing
}

// findAt finds the struct that holds the byte at an address; for an address among the blocks, its slab or span.
func (h *Heap) findAt(text string) (kind, label string, address uint64, err error) {
	at, err := strconv.ParseUint(text, 0, 64)
	if err != nil {
		return "", "", 0, fmt.Errorf("%q is no address: %w", text, err)
	}
	if s := h.slabAt(at); s != nil {
		return "Slab", s.name(), uint64(s.Address), nil
	}
	if s := h.spanAt(at); s != nil {
		return "Span", s.name(), uint64(s.Address), nil
	}
	for _, p := range h.pieces {
		if at-p.start < p.bytes {
			return p.kind, p.name(), p.start, nil
		}
	}
	w, err := h.Whatis(at)
	if err != nil {
		return "", "", 0, err
	}
	kind, _, _ = strings.Cut(w.Struct, " ")
	if w.Kind != "metadata" || kind == "schema" || kind == "descriptors" {
		return "", "", 0, &NoSuchError{"struct at " + text, w.Sentence}
	}
	return kind, w.Struct, at - uint64(w.Offset), nil
}

// values appends the fields of a struct, those of structs inside it by their path.
func (h *Heap) values(r *DumpReport, schema layout.Schema, t layout.SchemaStruct, data []byte, prefix string, offset uint64) {
	for _, f := range t.Fields {
		field := data[f.Offset : f.Offset+f.Bytes]
		if inner, ok := schema.Struct(f.Kind); ok && inner.Bytes == f.Bytes {
			h.values(r, schema, inner, field, prefix+f.Name+".", offset+f.Offset)
			continue
		}
		element, count, isArray := f.Array()
		if _, ofStructs := schema.Struct(element); isArray && ofStructs {
			r.Values = append(r.Values, Value{Field: prefix + f.Name, Offset: offset + f.Offset, Bytes: f.Bytes, Kind: f.Kind, Value: fmt.Sprintf("%d of %s", count, element)})
			continue
		}
		if isArray {
			size := f.Bytes / count
			for i := range count {
				v := h.value(element, f.Role, field[i*size:(i+1)*size])
				v.Field, v.Offset = fmt.Sprintf("%s%s[%d]", prefix, f.Name, i), offset+f.Offset+i*size
				r.Values = append(r.Values, v)
			}
			continue
		}
		v := h.value(f.Kind, f.Role, field)
		v.Field, v.Offset = prefix+f.Name, offset+f.Offset
		r.Values = append(r.Values, v)
	}
}

// value shows the bytes of one field by its kind.
func (h *Heap) value(kind, role string, data []byte) Value {
	v := Value{Bytes: uint64(len(data)), Kind: kind}
	if kind == "text" {
		text, _, _ := strings.Cut(string(data), "\x00")
		v.Value = strconv.Quote(text)
		return v
	}
	var word [8]byte
	copy(word[:], data)
	n := binary.LittleEndian.Uint64(word[:])
	v.Value = strconv.FormatUint(n, 10)
	switch {
	case strings.HasPrefix(kind, "ref:") || role == "address":
		v.Value = layout.Hex(n)
		if n != 0 {
			v.Points = h.pointsTo(n)
		}
	case kind == "int" && len(data) == 8:
		v.Value = strconv.FormatInt(int64(n), 10)
	case kind == "int":
		v.Value = strconv.FormatInt(int64(int32(n)), 10)
	case kind == "Lock":
		v.Value = "free"
		if n != 0 {
			v.Value = fmt.Sprintf("%s (held by %d)", layout.Hex(n), uint32(n))
		}
	case kind == "Tally":
		v.Value = fmt.Sprintf("%s (%d blocks)", layout.Hex(n), layout.Tally(n).Count())
	case kind == "uint" && n >= 1<<32:
		v.Value = layout.Hex(n)
	default:
		if word := enumeration(kind, n); word != "" {
			v.Value = fmt.Sprintf("%d (%s)", n, word)
		}
	}
	return v
}

// enumeration is the word for a value of an enumeration's kind; "": the kind is none.
func enumeration(kind string, n uint64) string {
	switch kind {
	case "Mode":
		return layout.Mode(n).String()
	case "Backing":
		return layout.Backing(n).String()
	case "Geometry":
		return layout.Geometry(n).String()
	case "ArenaState":
		return layout.ArenaState(n).String()
	case "SlabState":
		return layout.SlabState(n).String()
	case "SpanState":
		return layout.SpanState(n).String()
	case "GuardState":
		return layout.GuardState(n).String()
	case "EventKind":
		return layout.EventKind(n).String()
	}
	return ""
}

// pointsTo says shortly what is at an address.
func (h *Heap) pointsTo(address uint64) string {
	w, err := h.Whatis(address)
	switch {
	case err != nil || w.Kind == "outside":
		return "outside of the heap"
	case w.Block != nil && w.Block.Bin >= 0:
		return fmt.Sprintf("slab %d, block %d, %s", w.Block.Slab, w.Block.Index, w.Block.Place)
	case w.Struct != "":
		return w.Struct
	}
	return w.Kind
}

// dumpPageEntry takes a page entry apart, whose parts are bits.
func (h *Heap) dumpPageEntry(r *DumpReport) error {
	r.Bytes = layout.PageEntryBytes
	data := make([]byte, layout.PageEntryBytes)
	if err := h.read(data, uint64(r.Address)); err != nil {
		return err
	}
	e := layout.PageEntry(binary.LittleEndian.Uint64(data))
	r.Values = []Value{
		{Field: "Kind", Bytes: 1, Kind: "PageKind", Value: fmt.Sprintf("%d (%s)", uint8(e.Kind()), e.Kind())},
		{Field: "Bin", Offset: 1, Bytes: 1, Kind: "uint", Value: fmt.Sprint(e.Bin())},
		{Field: "Before", Offset: 2, Bytes: 2, Kind: "uint", Value: fmt.Sprint(e.Before())},
		{Field: "Descriptor", Offset: 4, Bytes: 4, Kind: "uint", Value: fmt.Sprintf("+%#x", e.Descriptor())},
	}
	if k := e.Kind(); k == layout.PageSlab || k == layout.PageSpan || k == layout.PageGuard {
		r.Values[3].Points = h.pointsTo(h.id.Descriptors + e.Descriptor())
	}
	return nil
}
