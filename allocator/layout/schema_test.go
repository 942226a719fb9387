package layout

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestTheFormatIsWhatItWas fails with any change of a field, an offset, a size or a constant. Such a change is a new version
// of the format: raise Version, then rewrite the golden file with -update.
func TestTheFormatIsWhatItWas(t *testing.T) {
	var text bytes.Buffer
	require.NoError(t, json.Indent(&text, SchemaText(), "", " "))
	text.WriteByte('\n')
	const golden = "testdata/schema.golden.json"
	if *update {
		require.NoError(t, os.WriteFile(golden, text.Bytes(), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), text.String(), "the memory format changed: raise layout.Version and rewrite %s with -update", golden)
}

func TestSchemaFitsItsRoomAndReadsBack(t *testing.T) {
	require.LessOrEqual(t, len(SchemaText()), HeaderBytes-SchemaOffset)
	s, err := ParseSchema(SchemaText())
	require.NoError(t, err)
	require.Equal(t, CurrentSchema(), s)
}

// TestStructsHaveNoHolesAndNoPointers: what the compiler would pad is named "_", so that readers in other languages see
// every byte, and nothing is a Go pointer, which the collector would not find here.
func TestStructsHaveNoHolesAndNoPointers(t *testing.T) {
	for _, s := range structs {
		at := uintptr(0)
		for i := range s.NumField() {
			f := s.Field(i)
			require.Equal(t, at, f.Offset, "%s: a hole before %s", s.Name(), f.Name)
			at += f.Type.Size()
			requireNoPointer(t, s.Name()+"."+f.Name, f.Type)
		}
		require.Equal(t, s.Size(), at, "%s: a hole at the end", s.Name())
	}
}

func requireNoPointer(t *testing.T, path string, f reflect.Type) {
	switch f.Kind() {
	case reflect.Array:
		requireNoPointer(t, path+"[]", f.Elem())
	case reflect.Struct:
		for i := range f.NumField() {
			requireNoPointer(t, path+"."+f.Field(i).Name, f.Field(i).Type)
		}
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Int32, reflect.Int64:
	default:
		t.Errorf("%s is a %s: only fixed-size integers belong into the format", path, f)
	}
}

func TestParseSchemaRefusesWhatNoHeapWrote(t *testing.T) {
	for name, text := range map[string]string{
		"no JSON":              `{`,
		"a struct of no size":  `{"structs":[{"name":"X","bytes":0}]}`,
		"a huge struct":        `{"structs":[{"name":"X","bytes":99999999}]}`,
		"a field outside":      `{"structs":[{"name":"X","bytes":8,"fields":[{"name":"F","offset":4,"bytes":8}]}]}`,
		"a field that wraps":   `{"structs":[{"name":"X","bytes":8,"fields":[{"name":"F","offset":8,"bytes":18446744073709551615}]}]}`,
		"a field of no size":   `{"structs":[{"name":"X","bytes":8,"fields":[{"name":"F","offset":0,"bytes":0}]}]}`,
		"two structs":          `{"structs":[{"name":"X","bytes":8},{"name":"X","bytes":8}]}`,
		"two fields":           `{"structs":[{"name":"X","bytes":8,"fields":[{"name":"F","offset":0,"bytes":4},{"name":"F","offset":4,"bytes":4}]}]}`,
		"fields that overlap":  `{"structs":[{"name":"X","bytes":8,"fields":[{"name":"G","offset":3,"bytes":4},{"name":"F","offset":0,"bytes":4}]}]}`,
		"a struct in itself":   `{"structs":[{"name":"X","bytes":8,"fields":[{"name":"F","offset":0,"bytes":8,"kind":"X"}]}]}`,
		"an inner struct":      `{"structs":[{"name":"X","bytes":8,"fields":[{"name":"F","offset":0,"bytes":4,"kind":"Y"}]},{"name":"Y","bytes":6}]}`,
		"half an element":      `{"structs":[{"name":"X","bytes":9,"fields":[{"name":"F","offset":0,"bytes":9,"kind":"array:uint:2"}]}]}`,
		"a huge array":         `{"structs":[{"name":"X","bytes":8,"fields":[{"name":"F","offset":0,"bytes":8,"kind":"array:uint:4294967295"}]}]}`,
		"an offset far beyond": `{"structs":[{"name":"X","bytes":8,"fields":[{"name":"F","offset":18446744073709551615,"bytes":1}]}]}`,
	} {
		_, err := ParseSchema([]byte(text))
		require.Error(t, err, name)
	}
}

func TestGapsOfAStruct(t *testing.T) {
	s := SchemaStruct{Bytes: 16, Fields: []SchemaField{{Name: "B", Offset: 8, Bytes: 4}, {Name: "A", Offset: 2, Bytes: 2}}}
	require.Equal(t, [][2]uintptr{{0, 2}, {4, 8}, {12, 16}}, s.Gaps())
	require.Nil(t, SchemaStruct{Bytes: 4, Fields: []SchemaField{{Name: "A", Bytes: 4}}}.Gaps())
	for _, s := range CurrentSchema().Structs { // what the Go types call blank is what the schema leaves out
		for _, known := range structs {
			if known.Name() == s.Name {
				require.Equal(t, len(padding(known)), len(s.Gaps()), s.Name)
			}
		}
	}
}

func TestArrayKinds(t *testing.T) {
	element, n, ok := SchemaField{Kind: "array:Magazine:95"}.Array()
	require.True(t, ok)
	require.Equal(t, "Magazine", element)
	require.EqualValues(t, 95, n)
	for _, kind := range []string{"uint", "array:", "array:X", "array:X:0", "array:X:-1", "array:X:99999999999"} {
		_, _, ok := SchemaField{Kind: kind}.Array()
		require.False(t, ok, kind)
	}
}

func TestEveryEnumerationHasItsWords(t *testing.T) {
	for _, word := range []string{
		ModePlain.String(), ModeSealed.String(), BackingMemfd.String(), BackingFile.String(), BackingAnonymous.String(), GeometryDefault.String(), GeometryNotes.String(), GeometryAligned.String(),
		StateLive.String(), StateAligned.String(), StateFree.String(), SlabActive.String(), SpanLive.String(), ArenaPages.String(), PageSlab.String(),
	} {
		require.False(t, word == "" || strings.HasPrefix(word, "no "), word)
	}
	require.Equal(t, "no state", SlabState(77).String(), "a value that no heap writes has a word too")
	for _, m := range []Mode{ModePlain, ModeSealed} {
		back, err := ParseMode(m.String())
		require.NoError(t, err)
		require.Equal(t, m, back)
	}
	_, err := ParseMode("loud")
	require.ErrorContains(t, err, "plain, sealed or audit")
	_, err = ParseGeometry("round")
	require.ErrorContains(t, err, "default, notes or aligned")
}
