package debugging

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// heapLine is a line behind a session that tells where a heap lay.
var heapLine = regexp.MustCompile(`(?m)^\(heap\) .*\n`)

// NormalGDB makes a GDB's transcript one that is the same in every run: what differs from run to run, from machine to machine or
// from one compiler to the next becomes a sample of itself.
func NormalGDB(transcript string) string {
	type place struct{ base, end uint64 }
	var heaps []place
	transcript = heapLine.ReplaceAllStringFunc(transcript, func(line string) string {
		var p place
		_, _ = fmt.Sscanf(line, "(heap) %v %v", &p.base, &p.end)
		heaps = append(heaps, p)
		return ""
	})
	transcript = regexp.MustCompile(`0x[0-9a-f]{8,16}`).ReplaceAllStringFunc(transcript, func(text string) string {
		v, _ := strconv.ParseUint(text, 0, 64)
		for i, p := range heaps {
			if v >= p.base && v < p.end { // the addresses of a heap keep their distances from its start
				return fmt.Sprintf("0x%012x", 0x7f6800000000+uint64(i)<<32+v-p.base)
			}
		}
		if strings.HasPrefix(text, "0x0000") {
			return "0x00000000004d0a2e"
		}
		return "0xc0000a2e0008"
	})
	for _, rule := range []struct{ pattern, with string }{
		{`(process|LWP) \d+`, "$1 4711"},
		{`glassheap whatis \d+ `, "glassheap whatis 4711 "},
		{`in [\d.]+ (µs|ms|s)\b`, "in 1 ms"},
		{`at 0x[0-9a-f]{6}:`, "at 0x4d0a2e:"},
		{`(?m)^( {14,})0x[0-9a-f]{6}( 0x[0-9a-f]{6})*$`, "${1}0x4d0a2e …"}, // a call stack
		{`(Old|New) value = .*`, "$1 value = …"},
		{`(?m)^.*Thread \d+ "(\w+)"`, `Thread 1 "$1"`},
		{`(/[^ :]*)/(allocator|gdb)/`, "…/$2/"},
		{`(?:[0-9a-f]{2} ){7}[0-9a-f]{2}  seal`, "00 5a c3 91 0e 77 b4 2d  seal"},
		{`=1\d{14}\b`, "=140149000000000"},
		{`(hooks|alloc|free|policy|magazine|slab|diagnose)\.go(:|, line )\d+`, "$1.go${2}16"},
		{`(?m)^\d+(\tfunc (?:On|\(h \*Heap\)))`, "16$1"},
	} {
		transcript = regexp.MustCompile(rule.pattern).ReplaceAllString(transcript, rule.with)
	}
	return transcript
}
