package inspect

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Crash is what Go's runtime wrote when a program died, taken apart.
type Crash struct {
	Kind      CauseKind `json:"kind"`      // CausePanic, CauseFault, CauseFatal or CauseSignal
	Summary   string    `json:"summary"`   // its first line, or the two that tell most
	Addresses []Address `json:"addresses"` // that it names: of the fault, and of the block of a heap's violation
	Stack     string    `json:"stack"`     // of the goroutine that it is about
}

var (
	faultAddress   = regexp.MustCompile(`(?m)^unexpected fault address (0x[0-9a-f]+)`)
	signalAddress  = regexp.MustCompile(`(?m)^\[signal \w+: .*\baddr=(0x[0-9a-f]+)`)
	violationBlock = regexp.MustCompile(`glassheap: [a-z-]+ during [a-z ]+ of (0x[0-9a-f]+) in heap`)
	signalled      = regexp.MustCompile(`(?m)^SIG[A-Z0-9]+: `)
)

// mostSummary bounds what is taken out of a crash's text, in bytes.
const mostSummary = 500

// fatalFrames are functions that come between the one that made a mistake and the runtime's last words.
var fatalFrames = regexp.MustCompile(`^(runtime|sync|internal/[a-z/]+)\.`)

// whereFatal says who a fatal error of the runtime was called by: for what it was, which the runtime writes to standard error
// only (Go 1.26: the copy for debug.SetCrashOutput begins behind it), the functions are all that there is.
func whereFatal(stack string) string {
	first := ""
	for line := range strings.Lines(stack) {
		function, _, call := strings.Cut(strings.TrimSpace(line), "(")
		if !call || strings.HasPrefix(line, "\t") || strings.HasPrefix(line, "goroutine ") {
			continue
		}
		if first == "" {
			first = " in " + function
		}
		if !fatalFrames.MatchString(function) {
			return first + ", called by " + function + " (its name is on standard error)"
		}
	}
	return first
}

// ParseCrash takes the text of a crash apart. Whatever the text is, there is an answer.
func ParseCrash(text string) Crash {
	head, stack := text, ""
	if i := strings.Index("\n"+text, "\ngoroutine "); i >= 0 {
		head, stack = text[:max(i-1, 0)], text[i:]
		if end := strings.Index(stack, "\n\n"); end >= 0 {
			stack = stack[:end+1]
		}
	}
	c := Crash{Kind: CauseFatal, Stack: stack}
	for line := range strings.Lines(head) {
		if line = strings.TrimSpace(line); line != "" {
			c.Summary = line
			break
		}
	}
	fault := signalAddress.FindStringSubmatch(head)
	switch {
	case strings.HasPrefix(c.Summary, "unexpected fault address"):
		c.Kind = CauseFault
	case strings.HasPrefix(c.Summary, "[signal ") && fault != nil:
		c.Kind = CauseFault
		name, _, _ := strings.Cut(strings.TrimPrefix(c.Summary, "[signal "), " code=")
		c.Summary = fmt.Sprintf("a fault at address %s (%s)", fault[1], name)
	case c.Summary == "":
		c.Summary = "a fatal error of the runtime" + whereFatal(stack)
	case strings.HasPrefix(c.Summary, "panic: ") && fault != nil:
		c.Kind = CauseFault
	case strings.HasPrefix(c.Summary, "panic: "):
		c.Kind = CausePanic
	case signalled.MatchString(head):
		c.Kind = CauseSignal
	}
	c.Summary = c.Summary[:min(len(c.Summary), mostSummary)]
	c.Summary = strings.ToValidUTF8(c.Summary, "")
	seen := map[Address]bool{}
	for _, pattern := range []*regexp.Regexp{faultAddress, signalAddress, violationBlock} {
		for _, match := range pattern.FindAllStringSubmatch(head[:min(len(head), 64<<10)], 8) {
			if a, err := strconv.ParseUint(match[1], 0, 64); err == nil && !seen[Address(a)] {
				seen[Address(a)] = true
				c.Addresses = append(c.Addresses, Address(a))
			}
		}
	}
	return c
}
