package debugging

import (
	"fmt"
	"os"
	"strings"
)

// CoresElsewhere says why the kernel's cores do not land in the working folder of the program that died, and what to do; empty:
// they do.
func CoresElsewhere() string { return coresElsewhere("/proc/sys/kernel/core_pattern") }

func coresElsewhere(path string) string {
	pattern, err := os.ReadFile(path)
	switch {
	case err != nil:
		return fmt.Sprintf("nobody can tell where cores land: %v", err)
	case strings.ContainsAny(string(pattern), "|/"):
		return fmt.Sprintf("cores do not land in the working folder: as root, write core to %s, which holds %q", path, strings.TrimSpace(string(pattern)))
	}
	return ""
}
