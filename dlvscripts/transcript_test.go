package dlvscripts

import (
	"flag"
	"path/filepath"
	"testing"

	"github.com/glassheap/glassheap/internal/debugging"
)

var update = flag.Bool("update", false, "rewrite the transcripts in testdata and in docs")

// golden holds a transcript against its file.
func golden(t *testing.T, r *debugging.Transcript, name string) {
	debugging.Golden(t, filepath.Join("testdata", "transcripts", name+".txt"), r.Text.String(), *update)
}

func TestTranscripts(t *testing.T) {
	for _, scene := range []struct {
		name     string
		scenes   []string
		commands []string
	}{
		{"questions", []string{"nothing", "shop"}, []string{
			"gh", "gh_check", "continue", "gh", "gh_check", "gh_structs", "gh_structs --type Arena --fields", "gh_bins", "gh_slabs 34", "gh_blocks 72", "gh_slab block",
			"gh_whatis block", "gh_whatis &h", "gh_hexdump block", "gh_map", "gh_map 34", "gh_check 34", "gh_check block",
		}},
		{"several", []string{"several", "notes"}, []string{"gh_check", "gh_check heap=users", "gh_bins #1", "gh_whatis block", "gh_blocks block", "gh_bins heap=nobody", "continue", "gh_math heap=notes"}},
		{"audit", []string{"audited"}, []string{
			"gh_check", "gh_bins", "gh_slabs 34", "gh_blocks 72", "gh_map 34", "gh_structs --type Journal --fields", "gh_structs --type StackTable --fields",
			"gh_whatis block", "gh_log", "gh_log block", "gh_log 0x10", "gh_history block", "gh_history 0x10", "gh_log --kind free --last 2", "gh_leaks --top 2",
		}},
		{"guarded", []string{"guarded"}, []string{
			"gh_check", "gh_whatis block", "gh_history block", "gh_structs --type GuardPool --fields", "gh_structs --type GuardSlot", "gh_map", "gh_leaks",
		}},
		{"switched", []string{"switched"}, []string{"gh_check", "gh_log", "gh_history block"}},
		{"stale", []string{"stale"}, []string{"gh_check", "gh_whatis block", "gh_hexdump block", "gh_history block"}},
		{"mistyped", []string{"shop"}, []string{
			"gh_bins --frob", "gh_slabs 99", "gh_slabs 1 2", "gh_blocks 7000", "gh_whatis", "gh_whatis 0x10", "gh_hexdump 0x10", "gh_hexdump block none", "gh_check slab", "gh_check 99", "gh_structs --type Apple",
			"gh_map 99", "gh_break", "gh_break alloc", "gh_break alloc many", "gh_break init now", "gh_watch 0x10", "gh_watch", "gh_slab 7000", "gh_whatis nosuchname", "gh_log", "gh_log block", "gh_history block", "gh_history", "gh_log --frob",
		}},
	} {
		t.Run(scene.name, func(t *testing.T) {
			t.Parallel()
			golden(t, debugging.Record(startHeaps(t, scene.scenes...).Delve).Typed(scene.commands...), scene.name)
		})
	}
}
