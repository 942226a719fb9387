package main

import (
	"fmt"
	"os/exec"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// theLeaker builds the program that keeps blocks and loses others (inspect/testdata/leaker), and one that is compiled in
// another way, which makes it another program.
var theLeaker = sync.OnceValues(func() (folder string, err error) {
	folder = leakerFolder
	for name, arguments := range map[string][]string{"leaker": nil, "other": {"-gcflags=-l"}} {
		command := exec.Command("go", append(append([]string{"build", "-o", folder + "/" + name}, arguments...), "../../inspect/testdata/leaker")...)
		if out, err := command.CombinedOutput(); err != nil {
			return "", fmt.Errorf("the leaker can't be built: %w\n%s", err, out)
		}
	}
	return folder, nil
})

// leakerFolder is where they lie, as long as the scripts run.
var leakerFolder string

// leaker gives a script $LEAKER, the path of the program, and $OTHER, that of another one.
func leaker(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 0, "leaker")
	folder, err := theLeaker()
	ts.Check(err)
	ts.Setenv("LEAKER", folder+"/leaker")
	ts.Setenv("OTHER", folder+"/other")
	// go tool builds pprof when there is none yet: not once for each script.
	cache, err := exec.Command("go", "env", "GOCACHE").Output()
	ts.Check(err)
	ts.Setenv("GOCACHE", strings.TrimSpace(string(cache)))
	ts.Setenv("PPROF_TMPDIR", ts.Getenv("WORK"))
}
