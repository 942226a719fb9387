package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// Machine is where and when something was measured. Figures of two machines are not to be compared.
type Machine struct {
	CPU        string `json:"cpu"`
	OS         string `json:"os"`
	Go         string `json:"go"`
	GOMAXPROCS int    `json:"gomaxprocs"`
	Date       string `json:"date"`
}

func thisMachine() Machine {
	return Machine{
		CPU:        cpuModel(),
		OS:         system(),
		Go:         runtime.Version(),
		GOMAXPROCS: runtime.GOMAXPROCS(0),
		Date:       time.Now().Format(time.DateOnly),
	}
}

// String is the machine in one line.
func (m Machine) String() string {
	return fmt.Sprintf("%s, %s, %s, GOMAXPROCS %d, %s", m.CPU, m.OS, m.Go, m.GOMAXPROCS, m.Date)
}

// cpuModel is what Linux calls the processor; elsewhere only its architecture.
func cpuModel() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if key, model, _ := strings.Cut(line, ":"); strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(model) + " (" + runtime.GOARCH + ")"
		}
	}
	return runtime.GOARCH
}

// system is the operating system, with the kernel's release number where that is easily had.
func system() string {
	release, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	number, _, _ := strings.Cut(strings.TrimSpace(string(release)), "-")
	return strings.TrimSpace(runtime.GOOS + " " + number)
}
