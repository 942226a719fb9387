package tutorial

import (
	"flag"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/internal/debugging"
)

var update = flag.Bool("update", false, "rewrite the transcripts of docs/tutorial.md")

const document = "../../docs/tutorial.md"

// doors are the ways to ask, each with how its session is played.
var doors = []struct {
	name string
	play func(t *testing.T, lesson string) string
}{{"delve", playDelve}, {"gdb", playGDB}, {"shell", playShell}}

// finds is what has to be in the answers to each lesson's question, whatever else they say.
var finds = map[string]string{
	"delve bintable":     `Bin +0 +WRONG, expected 3 \(the page map's bin\)(?s:.*)OnSlabReady(?s:.*)1 wrong\n`,
	"gdb bintable":       `Bin 0 WRONG, expected 3 \(the page map's bin\)(?s:.*)OnSlabReady(?s:.*)1 wrong\n`,
	"shell bintable":     `Bin +0 +WRONG, expected 3 \(the page map's bin\)`,
	"delve arithmetic":   `bin 2: Capacity is 103, derived 102 \(slab bytes / stride\)`,
	"gdb arithmetic":     `7 wrong figures`,
	"shell arithmetic":   `note 102 reads (?s:.*)7 wrong figures(?s:.*)panic: glassheap: overflow`,
	"delve overflow":     `(?s)overflow by 1 byte.*written by   main\.overwrite .*seal broken`,
	"gdb overflow":       `(?s)byte \+8 was written, of 8 asked for.*#0  main\.overwrite.*#1 .*rename.*overflow by 1 byte`,
	"shell overflow":     `(?s)overflow by 1 byte.*a live block of 8 bytes.*\^\^ damage.*panic: glassheap: overflow`,
	"delve doublefree":   `(?s)noticed in   main\.\(\*book\)\.accept .*freed by     main\.\(\*book\)\.enter `,
	"gdb doublefree":     `(?s)double-free during free.*main\.\(\*book\)\.accept`,
	"shell doublefree":   `(?s)glassheap: double-free during free.*healthy\.`,
	"delve useafterfree": `(?s)1 byte written at \+0 of a block after it was freed.*allocated by.*freed by.*evict.*The logs remember`,
	"gdb useafterfree":   `(?s)after it was freed.*freed by.*evict.*#0 .*main\.count`,
	"shell useafterfree": `(?s)its count is 1\n.*healthy.*its count is 0\n.*write-after-free.*allocated by.*freed by.*evict`,
	"delve leak":         `(?s)from a stack that leaked in an earlier run\nallocated by main\.\(\*desk\)\.token .*login.*9 live blocks`,
	"gdb leak":           `(?s)from a stack that leaked in an earlier run\nallocated by main\.\(\*desk\)\.token .*login.*9 live blocks`,
	"shell leak":         `(?s)9 live blocks.*3 blocks are unreachable, 38 bytes.*flat%.*login`,
	"fastest path":       `(?s)written by   main\.overwrite`,
}

// TestTheTutorialIsTrue plays the sessions of the document and holds it against what came out.
func TestTheTutorialIsTrue(t *testing.T) {
	var scenes []debugging.Scene
	session := func(name, lesson string, play func(*testing.T, string) string) {
		require.Contains(t, finds, name)
		scenes = append(scenes, debugging.Scene{Name: name, Finds: finds[name], Play: func(t *testing.T) string { return play(t, lesson) }})
	}
	for _, l := range Lessons {
		for _, door := range doors {
			session(door.name+" "+l.Name, l.Name, door.play)
		}
	}
	session("fastest path", "overflow", playFastPath)
	debugging.Document(t, document, *update, scenes)
}
