//go:build soak

package mutants

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// stages are the tests that a mutant is put to, the quickest first. It is caught by the first that fails.
var stages = [][]string{
	{"./allocator/..."},
	{"./tests/model", "-rapid.shrinktime=0s"},
	{"./tests/cases"},
	{"./inspect", "-flips=300"},
}

const (
	testTimeout = 120 * time.Second // a test that takes longer hangs
	killTimeout = 150 * time.Second // one that does not even notice is killed: a loop may hold a processor for ever
)

var (
	budget = flag.Duration("budget", 0, "begin no trial after this time; 0: try every mutation")
	seed   = flag.Uint64("seed", uint64(time.Now().UnixNano()), "with a budget: the order of the trials")
)

// TestEveryMutantIsCaught tries every mutation, or as many as the budget allows, drawn by lot so that in the long run all of
// them are. One that passes all tests fails this one.
func TestEveryMutantIsCaught(t *testing.T) {
	all := mutations()
	if *budget != 0 {
		t.Logf("at most %v, -seed %d", *budget, *seed)
		rand.New(rand.NewPCG(*seed, 0)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	}
	if out, err := goTest(t, "", nil); err != nil {
		t.Fatalf("the tests fail without any mutation: %s", out)
	}
	var results results
	begun := time.Now()
	t.Run("mutants", func(t *testing.T) {
		for _, m := range all {
			t.Run(strings.ReplaceAll(m.name, " ", "_"), func(t *testing.T) {
				t.Parallel() // as many at a time as go test's -parallel says: one for each processor
				if *budget != 0 && time.Since(begun) > *budget {
					results.leaveOut()
					return
				}
				started := time.Now()
				caught := try(t, m)
				results.add(result{m, caught, time.Since(started)})
				if caught == "" {
					t.Errorf("no test notices: %s\n%s: %s", m.why, m.file, m.old)
				}
			})
		}
	})
	t.Log("\n" + results.table())
}

// try builds the mutant and has it tested. It returns what caught it; empty: nothing did.
func try(t *testing.T, m mutation) string {
	t.Helper()
	directory := t.TempDir()
	mutant := filepath.Join(directory, filepath.Base(m.file))
	require.NoError(t, os.WriteFile(mutant, []byte(m.apply(t)), 0o600))
	source, err := filepath.Abs(m.source())
	require.NoError(t, err)
	text, err := json.Marshal(map[string]map[string]string{"Replace": {source: mutant}})
	require.NoError(t, err)
	overlay := filepath.Join(directory, "overlay.json")
	require.NoError(t, os.WriteFile(overlay, text, 0o600))
	for _, stage := range stages {
		out, err := goTest(t, overlay, stage)
		if err != nil {
			require.NotRegexp(t, `\[(build|setup) failed\]`, out, "%s is no program: %s", m.name, out)
			return catcher(stage[0], out, err)
		}
	}
	return ""
}

// goTest runs one stage, or all stages one after the other, over an overlay.
func goTest(t *testing.T, overlay string, stage []string) (string, error) {
	t.Helper()
	if stage == nil {
		for _, s := range stages {
			if out, err := goTest(t, overlay, s); err != nil {
				return out, err
			}
		}
		return "", nil
	}
	ctx, cancel := context.WithTimeout(t.Context(), killTimeout)
	defer cancel()
	// No vet: what is wrong on purpose may look wrong too.
	arguments := append([]string{"test", "-count=1", "-failfast", "-vet=off", "-timeout=" + testTimeout.String(), "-overlay=" + overlay}, stage...)
	command := exec.CommandContext(ctx, "go", arguments...)
	command.Dir = root
	// The tests run as children of go: all of them have to end.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	command.WaitDelay = 10 * time.Second
	out, err := command.CombinedOutput()
	if ctx.Err() != nil {
		err = errors.Join(errHung, err)
	}
	return string(out), err
}

var errHung = errors.New("it hung")

var (
	failedTest  = regexp.MustCompile(`(?m)^ *--- FAIL: (\S+)`)
	crashedTest = regexp.MustCompile(`\.(Test[A-Z]\w*)[.(]`)
	runningTest = regexp.MustCompile(`running tests:\s+(\S+)`)
)

// catcher tells from a failed stage's output which test has failed, and how.
func catcher(stage, out string, err error) string {
	where := strings.TrimSuffix(strings.TrimPrefix(stage, "./"), "/...") + " "
	switch {
	case errors.Is(err, errHung):
		return where + "(hangs)"
	case runningTest.MatchString(out):
		return where + runningTest.FindStringSubmatch(out)[1] + " (hangs)"
	case strings.Contains(out, "fatal error: ") || strings.Contains(out, "panic: "):
		if crashed := crashedTest.FindStringSubmatch(out); crashed != nil {
			return where + crashed[1] + " (crashes)"
		}
		return where + "(crashes)"
	}
	failed := failedTest.FindAllStringSubmatch(out, -1)
	if len(failed) == 0 {
		return where + strings.TrimSpace(out[max(0, len(out)-200):])
	}
	name := failed[0][1]
	for _, f := range failed[1:] { // the subtest tells more
		if strings.HasPrefix(f[1], name+"/") {
			name = f[1]
		}
	}
	return where + name
}

// result is what became of one mutant.
type result struct {
	mutation
	caught string
	took   time.Duration
}

// results collects them.
type results struct {
	lock    sync.Mutex
	list    []result
	leftOut int // for want of time
}

func (r *results) leaveOut() {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.leftOut++
}

func (r *results) add(one result) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.list = append(r.list, one)
}
