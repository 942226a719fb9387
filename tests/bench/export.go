package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// writeFile makes a file of what write writes.
func writeFile(path string, c *Comparison, write func(io.Writer, *Comparison) error) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := file.Close(); err == nil {
			err = closeErr
		}
	}()
	return write(file, c)
}

// writeCSV writes the figure of every round, one a line.
func writeCSV(out io.Writer, c *Comparison) error {
	w := csv.NewWriter(out)
	w.Write([]string{"workload", "size", "name", "round", "ns"})
	for _, figures := range [][]Figure{c.Atomics, c.Figures} {
		for _, f := range figures {
			for round, ns := range f.Rounds {
				w.Write([]string{f.Workload, f.Size, f.Name, fmt.Sprint(round + 1), fmt.Sprintf("%.3f", ns)})
			}
		}
	}
	w.Flush()
	return w.Error()
}

// writeJSON writes the whole comparison.
func writeJSON(out io.Writer, c *Comparison) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(c)
}
