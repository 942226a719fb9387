// Command sqlite measures what SQLite takes longer on glassheap: it builds package workload twice, with modernc.org/memory as it
// is and with the drop-in, and runs them in turns, the drop-in sealed and in audit mode.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "sqlite:", err)
		os.Exit(2)
	}
}

// contender is one way to run the workload.
type contender struct {
	Name         string    `json:"name"`
	Milliseconds []float64 `json:"milliseconds"` // of each round
	Median       float64   `json:"median_milliseconds"`
	Ratio        float64   `json:"ratio"`          // the median of what each round took as a part of the original's in that round
	Most         float64   `json:"most,omitempty"` // that the ratio should be

	program, environment string
}

func run(ctx context.Context, out io.Writer) error {
	rounds := flag.Int("rounds", 7, "the `number` of turns")
	rows := flag.Int("rows", 50000, "how many `rows` the workload's table has")
	asJSON := flag.Bool("json", false, "print JSON instead of a table")
	flag.Parse()
	if *rounds < 1 {
		return fmt.Errorf("-rounds is %d: at least one is needed", *rounds)
	}
	folder, err := os.MkdirTemp("", "glassheap-sqlite-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	original, dropIn := filepath.Join(folder, "original"), filepath.Join(folder, "drop-in")
	if err := buildOriginal(ctx, folder, original); err != nil {
		return err
	}
	if err := command(ctx, "go", "build", "-o", dropIn, "./workload"); err != nil {
		return err
	}
	contenders := []*contender{
		{Name: "original", program: original},
		{Name: "sealed", Most: 1.10, program: dropIn, environment: "mode=sealed"},
		{Name: "audit", Most: 1.5, program: dropIn, environment: "mode=audit"},
	}
	for range *rounds {
		for _, c := range contenders {
			if err := c.measure(ctx, *rows); err != nil {
				return err
			}
		}
	}
	for _, c := range contenders {
		c.judge(contenders[0])
	}
	if *asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(contenders)
	}
	return write(out, contenders)
}

// buildOriginal builds the workload without the replacement of modernc.org/memory.
func buildOriginal(ctx context.Context, folder, program string) error {
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("%w: run this command in its folder, tests/sqlite", err)
		}
		if name == "go.mod" { // whose relative paths must hold from elsewhere
			here, err := os.Getwd()
			if err != nil {
				return err
			}
			text = []byte(strings.ReplaceAll(string(text), "=> ../..\n", "=> "+filepath.Dir(filepath.Dir(here))+"\n"))
		}
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
			return err
		}
	}
	modFile := filepath.Join(folder, "go.mod")
	if err := command(ctx, "go", "mod", "edit", "-dropreplace=modernc.org/memory", modFile); err != nil {
		return err
	}
	return command(ctx, "go", "build", "-mod=mod", "-modfile="+modFile, "-o", program, "./workload")
}

func command(ctx context.Context, name string, arguments ...string) error {
	c := exec.CommandContext(ctx, name, arguments...)
	if said, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", c, err, said)
	}
	return nil
}

// measure runs the workload once.
func (c *contender) measure(ctx context.Context, rows int) error {
	run := exec.CommandContext(ctx, c.program, "-rows", strconv.Itoa(rows))
	run.Env = append(os.Environ(), "GLASSHEAP="+c.environment)
	run.Stderr = os.Stderr
	said, err := run.Output()
	if err != nil {
		return fmt.Errorf("%s: %w", c.Name, err)
	}
	took, err := strconv.ParseInt(strings.TrimSpace(string(said)), 10, 64)
	if err != nil {
		return fmt.Errorf("%s: it should say how many nanoseconds it took: %w", c.Name, err)
	}
	c.Milliseconds = append(c.Milliseconds, float64(took)/float64(time.Millisecond))
	return nil
}

func (c *contender) judge(original *contender) {
	ratios := make([]float64, len(c.Milliseconds))
	for i, took := range c.Milliseconds {
		ratios[i] = took / original.Milliseconds[i]
	}
	c.Median, c.Ratio = median(c.Milliseconds), median(ratios)
}

func median(figures []float64) float64 {
	sorted := slices.Sorted(slices.Values(figures))
	if len(sorted) == 0 {
		return 0
	}
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

func write(out io.Writer, contenders []*contender) error {
	t := table.NewWriter()
	t.SetStyle(table.StyleDefault)
	t.Style().Options = table.OptionsNoBordersAndSeparators
	t.AppendHeader(table.Row{"", "median ms", "least", "most", "ratio", "aim", ""})
	for _, c := range contenders {
		row := table.Row{c.Name, fmt.Sprintf("%.0f", c.Median), fmt.Sprintf("%.0f", slices.Min(c.Milliseconds)), fmt.Sprintf("%.0f", slices.Max(c.Milliseconds)), fmt.Sprintf("%.2f", c.Ratio)}
		if c.Most > 0 {
			verdict := "met"
			if c.Ratio > c.Most {
				verdict = "missed"
			}
			row = append(row, fmt.Sprintf("at most %.2f", c.Most), verdict)
		}
		t.AppendRow(row)
	}
	_, err := fmt.Fprintln(out, t.Render())
	return err
}
