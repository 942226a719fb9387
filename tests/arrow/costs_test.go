//go:build modules && linux

package arrow

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/internal/upstream"
)

var (
	costRounds = flag.Int("rounds", 5, "in how many rounds TestCosts runs each benchmark with each allocator")
	costTime   = flag.Duration("benchmark", 10*time.Millisecond, "how long TestCosts runs each benchmark at a time")
)

// benchmarks are those of each package that TestCosts runs: all of ipc; of compute those that are prepared quickly. The others are
// BenchmarkRunEndKernels, TakeChunkedBinary, ListElement, CumulativeSum, TemporalRounding, Casting, Compare and the like, which
// take minutes to build what they work on.
var benchmarks = []struct{ name, pattern string }{
	{"arrow/compute", `^Benchmark(TakeRecord.*|TakeTable.*|TakeArray.*|FilterRecordBatch.*|PropagateNulls.*|DictionaryEncodeNumeric|IsInBinary|NumericToBoolCast|BinaryViewToBinaryMaterialization)$`},
	{"arrow/ipc", `.`},
}

// contenders are what is compared: the allocator, and what GLASSHEAP says. The first is what the others are divided by.
var contenders = []struct{ name, allocator, glassheap string }{
	{"Go", "go", ""},
	{"sealed", "glassheap", "mode=sealed"},
	{"audit", "glassheap", "mode=audit"},
	{"C", "c", ""},
}

// withChoice lets the environment say which allocator the module's default one is: one program runs them all.
func withChoice(t *testing.T, folder string) {
	t.Helper()
	memory := filepath.Join(folder, "arrow/memory")
	original, err := os.ReadFile(filepath.Join(memory, "go_allocator.go"))
	require.NoError(t, err)
	renamed := strings.ReplaceAll(string(original), "GoAllocator", "originalAllocator")
	require.NoError(t, os.WriteFile(filepath.Join(memory, "original_allocator.go"), []byte(renamed), 0o600))
	for _, name := range []string{"go_allocator.go", "c_allocator.go"} {
		text, err := os.ReadFile(filepath.Join("testdata/benchmarks", name))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(memory, name), text, 0o600))
	}
	importGlassheap(t, folder)
}

var measured = regexp.MustCompile(`(?m)^(Benchmark\S+?)(?:-\d+)?\s+\d+\s+([\d.]+) ns/op`)

// TestCosts measures Arrow's own benchmarks with its default allocator, on glassheap, and with its C allocator, and prints a table:
//
//	go test -tags modules -run TestCosts -timeout 30m -rounds 5 .
//
// It asserts only that all have run. Of each benchmark the medians of the rounds are divided, and of these ratios the geometric mean
// is told.
func TestCosts(t *testing.T) {
	if !flagGiven("rounds") {
		t.Skip("say -rounds N to measure")
	}
	module := upstream.Source(t, arrowVersion)
	withChoice(t, module)
	programs := map[string]string{}
	for _, b := range benchmarks {
		// Without its path the module is the same each time, and is built once only.
		programs[b.name] = upstream.TestProgram(t, module, "./"+b.name, "-vet=off", "-trimpath")
	}
	begun := time.Now()
	times := map[string]map[string][]float64{} // by benchmark and contender
	for round := range *costRounds {
		for _, b := range benchmarks {
			for i := range contenders {
				c := contenders[(round+i)%len(contenders)] // none is always the first
				for _, match := range measured.FindAllStringSubmatch(runBenchmarks(t, programs[b.name], filepath.Join(module, b.name), b.pattern, c.allocator, c.glassheap), -1) {
					ns, err := strconv.ParseFloat(match[2], 64)
					require.NoError(t, err)
					if times[match[1]] == nil {
						times[match[1]] = map[string][]float64{}
					}
					times[match[1]][c.name] = append(times[match[1]][c.name], ns)
				}
			}
		}
	}
	require.NotEmpty(t, times)
	for name, by := range times {
		for _, c := range contenders {
			require.Len(t, by[c.name], *costRounds, "%s, %s", name, c.name)
		}
	}
	fmt.Print(costTable(times, time.Since(begun)))
}

func flagGiven(name string) (given bool) {
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	return given
}

// runBenchmarks runs those of a package once, and returns what they print.
func runBenchmarks(t *testing.T, program, folder, pattern, allocator, glassheap string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), mostTime)
	defer cancel()
	c := exec.CommandContext(ctx, program, "-test.run", "^$", "-test.bench", pattern, "-test.benchtime", costTime.String())
	c.Dir = folder
	c.Env = append(os.Environ(), "ARROW_BENCHMARK_ALLOCATOR="+allocator, "GLASSHEAP="+glassheap)
	said, err := c.CombinedOutput()
	require.NoError(t, err, "%s: %s", allocator, end(string(said)))
	return string(said)
}

// costTable is a table in Markdown, and where and how it came to be.
func costTable(times map[string]map[string][]float64, took time.Duration) string {
	groups := map[string][]string{} // benchmarks, by the function that runs them
	for name := range times {
		function, _, _ := strings.Cut(name, "/")
		groups[function] = append(groups[function], name)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%s, %s, %d processors, %s, %s, %d rounds of %v, %v: go test -tags modules -run TestCosts -timeout 30m -rounds %d .\n\n",
		processor(), runtime.Version(), runtime.NumCPU(), arrowVersion, time.Now().Format(time.DateOnly), *costRounds, *costTime, took.Round(time.Second), *costRounds)
	text.WriteString("| benchmark | of them | Go, ns | sealed | audit | C | sealed to C |\n|---|---|---|---|---|---|---|\n")
	for _, function := range slices.Sorted(maps.Keys(groups)) {
		costRow(&text, strings.TrimPrefix(function, "Benchmark"), groups[function], times)
	}
	costRow(&text, "all", slices.Collect(maps.Keys(times)), times)
	return text.String()
}

func costRow(text *strings.Builder, title string, names []string, times map[string]map[string][]float64) {
	ratio := func(a, b string) float64 {
		return mean(names, func(name string) float64 { return median(times[name][a]) / median(times[name][b]) })
	}
	ns := mean(names, func(name string) float64 { return median(times[name]["Go"]) })
	fmt.Fprintf(text, "| %s | %d | %.0f | %.2f | %.2f | %.2f | %.2f |\n",
		title, len(names), ns, ratio("sealed", "Go"), ratio("audit", "Go"), ratio("C", "Go"), ratio("sealed", "C"))
}

// mean is the geometric one.
func mean(names []string, of func(string) float64) float64 {
	sum := 0.0
	for _, name := range names {
		sum += math.Log(of(name))
	}
	return math.Exp(sum / float64(len(names)))
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// processor is what Linux calls it.
func processor() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	if match := regexp.MustCompile(`(?m)^model name\s*: (.*)`).FindSubmatch(info); match != nil {
		return string(match[1])
	}
	return runtime.GOARCH
}

// TestMedian: the middle one, or the mean of the two in the middle; and the mean of ratios is their product's root.
func TestMedian(t *testing.T) {
	require.Equal(t, 3.0, median([]float64{9, 3, 1}))
	require.Equal(t, 2.5, median([]float64{4, 1, 2, 3}))
	require.InDelta(t, 2, mean([]string{"a", "bbbb"}, func(name string) float64 { return float64(len(name)) }), 1e-9)
}
