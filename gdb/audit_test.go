package gdb

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/internal/debugging"
)

// shownStructs shows the structs of audit mode as values of their own, each with some of its children.
const shownStructs = `python from glassheap_gdb import finding, unfolding; found = finding.choose(); slab = list(found.slabs())[2]
python print(unfolding.struct_at("Records", slab[2].Records).format_string(max_elements=6))
python print(unfolding.struct_at("Record", slab[2].Records + 16).format_string())
python print(unfolding.struct_at("Record", slab[2].Records + 16 + 2 * 40).format_string())
python print(unfolding.struct_at("Stack", found.identity.Stacks + found.layout["StackTable"].bytes).format_string())
python print(unfolding.struct_at("Journal", found.identity.Journals).format_string())
set max-value-size unlimited
python print(unfolding.struct_at("StackTable", found.identity.Stacks).format_string())
python print(unfolding.struct_at("Journal", found.identity.Journals).format_string(max_elements=12))`

// TestAuditedHeap looks at a heap in audit mode, in which somebody has written to a block after it was freed.
func TestAuditedHeap(t *testing.T) {
	t.Parallel()
	needGDB(t)
	transcript := play(t, "break main.ready\nrun audit\ncontinue\nset print pretty on\nset print elements 400\n"+
		"glassheap check\nprint $gh_whatis(b.array)\nprint $gh_whatis(b.array + 192)\nprint $gh_block(b.array + 7) == $gh_block(b.array)\nprint *h\n"+shownStructs, unoptimisedVictim(t))
	golden(t, "audit", sameInEveryBuild(debugging.NormalGDB(transcript)))
}

// sameInEveryBuild hides what depends on where the compiler has put the code.
func sameInEveryBuild(transcript string) string {
	for _, rule := range []struct{ pattern, with string }{
		{`Hash = \d+`, "Hash = 4711"},
		{`((?:Alloc|Free)Stack = )0x[0-9a-f]+`, "${1}0xc0000a2e0008"},
		{`goroutine \d\d+`, "goroutine 11"},
		{`FreeGoroutine = \d\d+`, "FreeGoroutine = 11"},
		{`(frame\d+ = )0x[0-9a-f]+`, "${1}0x4d0a2e"},
		{`(alloc|proc)\.go:\d+`, "$1.go:16"},
		{`asm_\w+\.s:\d+`, "asm.s:16"},
	} {
		transcript = regexp.MustCompile(rule.pattern).ReplaceAllString(transcript, rule.with)
	}
	return transcript
}

// TestWhoWroteAfterTheFree: what is known of the block is the same in the process, in a core of it, and for the command line.
// A program without symbols is told goroutines and addresses.
func TestWhoWroteAfterTheFree(t *testing.T) {
	t.Parallel()
	needGDB(t)
	type answerOfWhatis struct {
		Block struct {
			Place            string
			Seal             string
			Allocated, Freed struct {
				Goroutine int
				Addresses []string
			}
		}
		Finding struct{ Code, Summary string }
	}
	for name, build := range map[string]func(*testing.T) string{"with symbols": victim, "stripped": strippedVictim} {
		t.Run(name, func(t *testing.T) {
			c := startVictim(t, build(t), "audit small")
			core := gcore(t, c.PID())
			var report struct {
				Findings []struct{ Address, Code string }
			}
			require.NoError(t, json.Unmarshal([]byte(asked(t, c, "check --json")), &report))
			require.Len(t, report.Findings, 1)
			address := report.Findings[0].Address
			require.Equal(t, "write-after-free", report.Findings[0].Code)

			questions := []string{"check --json", "structs --json --all", "whatis --json " + address, "blocks --json " + address}
			who := fmt.Sprintf("print $gh_whatis(%s)", address)
			for door, transcript := range map[string]string{
				"live": play(t, questionsOnly(questions)+who, "-p", c.PID()),
				"core": play(t, questionsOnly(questions)+who, build(t), core),
			} {
				for _, q := range questions {
					require.Equal(t, facts(t, asked(t, c, q)), facts(t, answer(t, transcript, "glassheap "+q)), "%s: %s", door, q)
				}
				var told answerOfWhatis
				require.NoError(t, json.Unmarshal([]byte(answer(t, transcript, "glassheap "+questions[2])), &told))
				require.Equal(t, "quarantined", told.Block.Place)
				require.Equal(t, "poison", told.Block.Seal)
				require.Equal(t, "1 byte written at +5 of a block after it was freed", told.Finding.Summary)
				require.Equal(t, 1, told.Block.Allocated.Goroutine)
				require.Greater(t, told.Block.Freed.Goroutine, 1)
				require.NotEmpty(t, told.Block.Freed.Addresses)
				sentence := answer(t, transcript, who)
				require.Contains(t, sentence, "; allocated by goroutine 1")
				require.Regexp(t, `; freed by goroutine \d+`, sentence)
				if name == "with symbols" {
					require.Regexp(t, `allocated by goroutine 1 in main\.fill \(main\.go:\d+\); freed by goroutine \d+ in main\.drop \(main\.go:\d+\)`, sentence)
				}
			}
		})
	}
}

// TestAFrontEndUnfoldsJournalsAndStacks: they are larger than the values that GDB fetches unless it is told to.
func TestAFrontEndUnfoldsJournalsAndStacks(t *testing.T) {
	mi := startMI(t, victim(t))
	mi.do("-enable-pretty-printing")
	mi.do("-break-insert main.ready")
	mi.do("-exec-arguments audit")
	mi.do("-exec-run")
	mi.until(`^\*stopped,reason="breakpoint-hit"`)
	mi.do("-var-create heap * h")
	require.Contains(t, mi.do("-var-list-children --all-values heap"), `exp="journal0"`)
	journal := mi.do("-var-list-children --all-values heap.journal0")
	require.Regexp(t, `exp="is",numchild="0",value="0x[0-9a-f]+ journal 0: \d+ events, 100 blocks held back with [\d,]+ bytes"`, journal)
	require.Regexp(t, `exp="held99",numchild="0",value="0x[0-9a-f]+  quarantined, `, journal)
	require.Regexp(t, `exp="held98",numchild="0",value="0x[0-9a-f]+  quarantined, .*; freed by goroutine 1 in main\.fill \(main\.go:\d+\)"`, journal)
	require.Contains(t, journal, `exp="event400"`)
	require.Contains(t, mi.do("-var-list-children --all-values heap.journal0.event400"), `exp="Stack"`)
	stacks := mi.do("-var-list-children --all-values heap.stacks")
	require.Contains(t, stacks, `exp="stack0"`)
	require.Regexp(t, `exp="frame[\d.]+",numchild="0",value="0x[0-9a-f]+  main\.fill \(main\.go:\d+\)"`, mi.do("-var-list-children --all-values heap.stacks.stack0"))
	mi.do("-exec-continue")
}

// questionsOnly is each question as a command of gdb.
func questionsOnly(questions []string) (commands string) {
	for _, q := range questions {
		commands += "glassheap " + q + "\n"
	}
	return commands
}

// asked is what the command line answers about the process.
func asked(t *testing.T, c *debugging.Process, question string) string {
	return debugging.Ask(t, slices.Insert(strings.Fields(question), 1, c.PID())...)
}
