package gdb

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestGuardedBlocks: their printers, what is known of an address on their pages, and a write behind one, in the process and in
// a snapshot that was made in GDB.
func TestGuardedBlocks(t *testing.T) {
	t.Parallel()
	needGDB(t)
	file := filepath.Join(t.TempDir(), "guarded.snapshot")
	questions := []string{"whatis --json", "hexdump --json", "history --json"}
	const fromOutside = "python [gdb.execute('cli ' + q + ' --json ' + hex(int(gdb.parse_and_eval('b.array')))) for q in ('whatis', 'hexdump', 'history')]"
	commands := "break main.ready\nrun guarded\ncontinue\nset print pretty on\nprint *h\nglassheap snapshot " + file +
		"\nprint $gh_whatis(b.array)\nprint $gh_block(b.array + 3) == $gh_block(b.array)\nglassheap watch b\nglassheap check" +
		"\nshell $GLASSHEAP_BINARY check " + file +
		"\npython from glassheap_gdb import finding, unfolding; found = finding.choose()" +
		"\npython print(unfolding.struct_at(\"GuardPool\", found.identity.Guards).format_string())\n" + fromOutside + "\n"
	for _, q := range questions {
		commands += "glassheap " + q + " b\n"
	}
	transcript := play(t, commands, unoptimisedVictim(t))
	require.Regexp(t, `(?m)^  guards = guard pool: 2 blocks live,?$`, answer(t, transcript, "print *h"))
	require.Regexp(t, `span: live, 50,000 bytes in 13 pages at 0x[0-9a-f]+, guarded: the user's address is 0x[0-9a-f]+`, answer(t, transcript, "print *h"))
	pool := answer(t, transcript, `python print(unfolding.struct_at("GuardPool", found.identity.Guards).format_string())`)
	require.Regexp(t, `slot0 = 0x[0-9a-f]+  live, guarded, 20 of 20 bytes; allocated by goroutine 1 in main\.guarded \(main\.go:\d+\),`, pool)
	require.Regexp(t, `slot1 = 0x[0-9a-f]+  quarantined, guarded, 20 of 20 bytes; allocated by .*; freed by goroutine 1 in main\.guarded`, pool)
	require.NotContains(t, pool, "slot4", "it was never used")
	require.Contains(t, answer(t, transcript, "print $gh_whatis(b.array)"), "the start of a live guarded block of 20 bytes, guard slot 2; allocated by goroutine 1 in main.guarded")
	require.Contains(t, answer(t, transcript, "print $gh_block(b.array + 3) == $gh_block(b.array)"), "= true")
	require.Contains(t, answer(t, transcript, "glassheap watch b"), "the block is guarded")
	for _, door := range []string{"glassheap check", "shell $GLASSHEAP_BINARY check " + file} {
		require.Contains(t, answer(t, transcript, door), "overflow by 1 byte, past a live guarded block of 20", door)
	}
	outside := outsideAnswers(t, answer(t, transcript, fromOutside), len(questions))
	for i, q := range questions {
		require.Equal(t, facts(t, outside[i]), facts(t, answer(t, transcript, "glassheap "+q+" b")), q)
	}
}

// TestLeaksLogAndHistory: who has what, what happened last, and what GDB has that the command line has not: expressions.
func TestLeaksLogAndHistory(t *testing.T) {
	t.Parallel()
	needGDB(t)
	profile := filepath.Join(t.TempDir(), "live.pb.gz")
	transcript := play(t, "break main.ready\nrun audit\ncontinue\nglassheap leaks --pprof "+profile+"\nglassheap leaks --unreachable\nglassheap log --last 3\n"+
		"glassheap log --address b.array --kind free\nglassheap history b", unoptimisedVictim(t))
	leaks := answer(t, transcript, "glassheap leaks --pprof "+profile)
	require.Contains(t, leaks, "main.fillSpan")
	require.Contains(t, leaks, "main.fill ")
	require.FileExists(t, profile)
	require.Contains(t, strings.Join(strings.Fields(answer(t, transcript, "glassheap leaks --unreachable")), " "), "not what refers to it")
	require.Contains(t, answer(t, transcript, "glassheap log --last 3"), "main.keep")
	require.Contains(t, answer(t, transcript, "glassheap log --address b.array --kind free"), "main.drop")
	require.Contains(t, answer(t, transcript, "glassheap history b"), "main.drop")
}
