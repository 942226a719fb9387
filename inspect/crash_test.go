package inspect_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect"
)

func TestParseCrash(t *testing.T) {
	const stack = "goroutine 7 [running]:\nmain.work(0x1)\n\t/src/main.go:9 +0x1c\n"
	for _, c := range []struct {
		text      string
		kind      inspect.CauseKind
		summary   string
		addresses []inspect.Address
	}{
		{"panic: boom\n\n", inspect.CausePanic, "panic: boom", nil},
		{"panic: runtime error: invalid memory address or nil pointer dereference\n[signal SIGSEGV: segmentation violation code=0x1 addr=0x18 pc=0x47]\n\n",
			inspect.CauseFault, "panic: runtime error: invalid memory address or nil pointer dereference", []inspect.Address{0x18}},
		{"[signal SIGSEGV: segmentation violation code=0x2 addr=0x7f10 pc=0x47]\n\n", inspect.CauseFault, "a fault at address 0x7f10 (SIGSEGV: segmentation violation)", []inspect.Address{0x7f10}},
		{"unexpected fault address 0x7f10\nfatal error: fault\n[signal SIGBUS: bus error code=0x2 addr=0x7f10 pc=0x47]\n\n", inspect.CauseFault, "unexpected fault address 0x7f10", []inspect.Address{0x7f10}},
		{"panic: glassheap: double-free during free of 0x7f20 in heap \"a\": …\n\n", inspect.CausePanic, "panic: glassheap: double-free during free of 0x7f20 in heap \"a\": …", []inspect.Address{0x7f20}},
		{"SIGQUIT: quit\nPC=0x47 m=0 sigcode=0\n\n", inspect.CauseSignal, "SIGQUIT: quit", nil},
		{"\n", inspect.CauseFatal, "a fatal error of the runtime in main.work, called by main.work (its name is on standard error)", nil},
	} {
		got := inspect.ParseCrash(c.text + stack + "\ngoroutine 1 [select]:\nmain.main()\n")
		require.Equal(t, inspect.Crash{Kind: c.kind, Summary: c.summary, Addresses: c.addresses, Stack: stack}, got, c.text)
	}
	fatal := inspect.ParseCrash("\ngoroutine 1 [running]:\ninternal/sync.fatal({0x1?, 0x2?})\n\t/go/panic.go:1 +0x1\nsync.(*Mutex).Unlock(...)\n\t/go/mutex.go:65\nmain.main()\n\t/src/main.go:3\n")
	require.Equal(t, "a fatal error of the runtime in internal/sync.fatal, called by main.main (its name is on standard error)", fatal.Summary)
	for _, strange := range []string{"", "\n\n\n", "goroutine ", strings.Repeat("panic: ", 100_000), "\xff\xfe\ngoroutine \n\n"} {
		require.LessOrEqual(t, len(inspect.ParseCrash(strange).Summary), 500)
	}
}
