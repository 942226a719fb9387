package allocator

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/glassheap/glassheap/allocator/layout"
)

// Environment is the name of the environment variable that overrides Options of every heap that a program makes:
// keys and values, separated by commas, such as GLASSHEAP=mode=audit,guard=1/1000,policy=report. New fails when it holds a
// key or a value that does not exist.
const Environment = "GLASSHEAP"

// EnvironmentKey is one thing that Environment can say.
type EnvironmentKey struct {
	Key     string
	Accepts string // its values
	Meaning string
	Example string // a value that it accepts
	set     func(*Options, string) error
}

// EnvironmentKeys are all of them.
func EnvironmentKeys() []EnvironmentKey {
	return []EnvironmentKey{
		{"mode", "plain, sealed, audit", "how much is written and verified with each block; sealed is the default", "audit", setMode},
		{"guard", "1/N, off", "put one of N allocations of at most a page on a page of its own before a guard page", "1/1000", setGuard},
		{"profile", "1/N, off", "record who makes one of N allocations in sealed mode, for a profile of what is live", "1/1000", setProfile},
		{"limit", "a size such as 64KiB or 4GiB, off", "how much memory the heap's arenas may take", "4GiB", setLimit},
		{"scavenge", "a time such as 500ms or 1m, off", "how long memory must be idle before it is given back in the background", "1m", setScavenge},
		{"hugepages", "yes, no", "put the arenas of slabs on huge pages where the system grants them", "yes", setHugePages},
		{"quarantine", "a size such as 4096, 64KiB or 16MiB", "how much freed memory audit mode holds back from reuse", "64MiB", setQuarantine},
		{"stack-depth", fmt.Sprintf("1 to %d", layout.MaxStackDepth), "how many frames of a call stack audit mode keeps", "8", setStackDepth},
		{"break", "a file that glassheap leaks --learn wrote", "call OnAlloc, for a debugger to stop in, with each allocation from one of its stacks; turns audit on", "leaks.txt", setBreak},
		{"armable", "yes, no", "let `glassheap arm` change the mode and the guard rate while the program runs", "yes", setArmable},
		{"policy", "panic, report", "what a violation does: panic, or write a report to standard error and go on", "report", setPolicy},
	}
}

// override applies what the environment says to the options.
func (o Options) override(environment string) (Options, error) {
	for _, part := range strings.Split(environment, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		key, value, _ := strings.Cut(part, "=")
		known := false
		for _, k := range EnvironmentKeys() {
			if k.Key != strings.TrimSpace(key) {
				continue
			}
			known = true
			if err := k.set(&o, strings.TrimSpace(value)); err != nil {
				return o, fmt.Errorf("glassheap: %s=%s: %s accepts %s, not %q", Environment, environment, k.Key, k.Accepts, value)
			}
		}
		if !known {
			return o, fmt.Errorf("glassheap: %s=%s: there is no key %q: choose %s", Environment, environment, key, keyNames())
		}
	}
	return o, nil
}

func keyNames() string {
	var names []string
	for _, k := range EnvironmentKeys() {
		names = append(names, k.Key)
	}
	return strings.Join(names, ", ")
}

func fromEnvironment(o Options) (Options, error) { return o.override(os.Getenv(Environment)) }

func setMode(o *Options, value string) (err error) {
	o.Mode, err = layout.ParseMode(value)
	return err
}

func setGuard(o *Options, value string) (err error) {
	o.GuardRate, err = ParseRate(value)
	return err
}

func setProfile(o *Options, value string) (err error) {
	o.ProfileRate, err = ParseRate(value)
	return err
}

// parseRate reads 1/N, or off.
func ParseRate(value string) (int, error) {
	if value == "off" {
		return 0, nil
	}
	rate, ok := strings.CutPrefix(value, "1/")
	n, err := strconv.Atoi(rate)
	if !ok || err != nil || n < 1 || n > mostRate {
		return 0, fmt.Errorf("%q is no rate: write 1/N, or off", value)
	}
	return n, nil
}

func setLimit(o *Options, value string) error {
	if value == "off" {
		o.LimitBytes = 0
		return nil
	}
	n, err := parseSize(value)
	if err != nil || n < layout.PageBytes {
		return errValue
	}
	o.LimitBytes = n
	return nil
}

func setScavenge(o *Options, value string) error {
	if value == "off" {
		o.ScavengeAfter = -1
		return nil
	}
	after, err := time.ParseDuration(value)
	if err != nil || after <= 0 {
		return errValue
	}
	o.ScavengeAfter = after
	return nil
}

func setQuarantine(o *Options, value string) error {
	n, err := parseSize(value)
	if err != nil || n > mostQuarantine {
		return errValue
	}
	o.QuarantineBytes = n
	return nil
}

func setStackDepth(o *Options, value string) error {
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > layout.MaxStackDepth {
		return errValue
	}
	o.StackDepth = n
	return nil
}

func setBreak(o *Options, value string) error {
	if value == "" {
		return errValue
	}
	o.BreakFile = value
	return nil
}

func setArmable(o *Options, value string) (err error) {
	o.Armable, err = parseYes(value)
	return err
}

func setHugePages(o *Options, value string) (err error) {
	o.HugePages, err = parseYes(value)
	return err
}

func parseYes(value string) (bool, error) {
	switch value {
	case "yes":
		return true, nil
	case "no":
		return false, nil
	}
	return false, errValue
}

func setPolicy(o *Options, value string) error {
	switch value {
	case "panic":
		o.Policy = PolicyPanic
	case "report":
		o.Policy = PolicyReport
	default:
		return errValue
	}
	return nil
}

var errValue = fmt.Errorf("not a value of this key")

// parseSize reads a number of bytes, with or without a binary unit.
func parseSize(text string) (int64, error) {
	units := []struct {
		suffix string
		shift  uint
	}{{"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}, {"B", 0}}
	shift := uint(0)
	for _, u := range units {
		if number, ok := strings.CutSuffix(text, u.suffix); ok {
			text, shift = strings.TrimSpace(number), u.shift
			break
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 || n > math.MaxInt64>>shift {
		return 0, errValue
	}
	return n << shift, nil
}
