package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/render"
	"github.com/glassheap/glassheap/inspect/target"
)

func newPostmortem(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "postmortem [DIRECTORY|FILE|CORE]",
		Short: "what did it die of? what the recorder wrote",
		Long: `postmortem lists the post-mortems of a directory, the newest first, or shows
one: what the program died of, the address that its crash was about, and the
check of each of its heaps as they lay there. FILE is any file of it; of a CORE
one is made.

A program that calls recorder.Start has them written when it dies; where, it
says itself. Without an argument it is the directory that is used when the
program named none.`,
		Example: "  glassheap postmortem\n  glassheap postmortem glassheap-4711-20261124T210000Z.txt\n  glassheap postmortem core.4711",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return errors.New("postmortem takes one directory or file: glassheap postmortem [DIRECTORY|FILE|CORE]")
			}
			return nil
		},
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		path := inspect.PostMortemDirectory()
		if len(args) > 0 {
			path = args[0]
		}
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist) && len(args) == 0:
			return listPostMortems(t, nil, path) // nothing has died yet
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("there is no directory and no file %s", path)
		case err != nil:
			return err
		case info.IsDir():
			found, err := inspect.PostMortems(path)
			if err != nil {
				return err
			}
			return listPostMortems(t, found, path)
		}
		p, err := t.postMortem(c.Context(), path)
		if err != nil {
			return err
		}
		err = t.answer(p, func(w io.Writer) error { return render.PostMortem(w, p, t.style(filepath.Dir(path))) })
		if err == nil && p.Findings > 0 {
			err = errFound
		}
		return err
	}
	return c
}

// postMortem reads the one that the recorder wrote, or makes one of a core.
func (t *terminal) postMortem(ctx context.Context, path string) (*inspect.PostMortem, error) {
	if !target.IsCore(path) {
		return inspect.ReadPostMortem(path)
	}
	update, end := t.showProgress("unpacking the core")
	defer end()
	return inspect.PostMortemOfCore(ctx, path, target.Options{Unpacking: update})
}

// postMortemOfList is what the list's JSON says of one.
type postMortemOfList struct {
	Path     string         `json:"path"`
	Died     string         `json:"died,omitempty"`
	PID      int            `json:"pid,omitempty"`
	Program  string         `json:"program,omitempty"`
	Cause    *inspect.Cause `json:"cause,omitempty"`
	Heaps    int            `json:"heaps"`
	Findings int            `json:"findings"`
	Problem  string         `json:"problem,omitempty"`
}

// listPostMortems lists them. Without the texts of crashes, even as JSON: those are in the files.
func listPostMortems(t *terminal, found []inspect.PostMortemFile, directory string) error {
	list := []postMortemOfList{}
	for _, f := range found {
		one := postMortemOfList{Path: f.Path, Problem: f.Problem}
		if p := f.PostMortem; p != nil {
			one.Died, one.PID, one.Program, one.Cause, one.Heaps, one.Findings = p.Died.UTC().Format("2006-01-02T15:04:05Z"), p.PID, p.Program, &p.Cause, len(p.Heaps), p.Findings
		}
		list = append(list, one)
	}
	return t.answer(list, func(w io.Writer) error { return render.PostMortems(w, found, directory, t.style("")) })
}
