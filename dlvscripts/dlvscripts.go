// Package dlvscripts holds the Starlark scripts that teach Delve the questions of glassheap: gh_check, gh_structs, gh_whatis
// and their like, asked at a breakpoint.
//
// Delve's Starlark knows no load statement, so the scripts, one file for each subject, are put together into one, in a fixed
// order. They hold no offset and no size of the memory format: these come from the schema that each heap carries. Only where
// a heap's own copy of it is damaged do they use the text that is put beside them here, which is that of the format's Go types.
package dlvscripts

import (
	"embed"
	"fmt"
	"strconv"
	"strings"

	"github.com/glassheap/glassheap/allocator/layout"
)

//go:embed *.star
var files embed.FS

// parts are the scripts in the order in which they are put together. What is worked out when they are loaded comes before
// what uses it then; functions may come in any order.
var parts = []string{
	"names", "text", "json", "memory", "schema", "geometry", "seal", "heap", "judge", "pages", "lists", "journals", "stacks", "guards", "records", "census", "block", "damage", "alike", "arguments",
	"structs", "math", "bins", "slabs", "blocks", "whatis", "hexdump", "map", "check", "caller", "symbols", "log", "history", "leaks", "break", "watch", "glassheap",
}

// Options say how the scripts write.
type Options struct {
	Color bool // in colours
}

// Script is the whole of the scripts as one file for Delve's source command.
func Script(o Options) []byte {
	var b strings.Builder
	b.WriteString("# Generated from the .star files of github.com/glassheap/glassheap/dlvscripts: change those.\n\n")
	fmt.Fprintf(&b, "built_in_schema = %s\n", strconv.Quote(string(layout.SchemaText())))
	for _, name := range parts {
		text, err := files.ReadFile(name + ".star")
		if err != nil {
			panic("dlvscripts: " + err.Error()) // a part that is listed is embedded
		}
		fmt.Fprintf(&b, "\n# %s.star\n\n%s", name, text)
	}
	text := b.String()
	if o.Color {
		text = strings.Replace(text, "\ncolours = False", "\ncolours = True", 1)
	}
	return []byte(text)
}
