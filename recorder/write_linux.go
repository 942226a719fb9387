package recorder

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/render"
)

// write writes the text and the JSON of a post-mortem, the text last: who has seen it finds the others. Then the oldest make
// room.
func (c *child) write(p *inspect.PostMortem) error {
	if err := c.makeDirectory(); err != nil {
		return err
	}
	path := filepath.Join(c.Directory, fileName(p))
	if err := writeWhole(path+".json", func(w io.Writer) error { return render.JSON(w, p) }); err != nil {
		return err
	}
	if err := writeWhole(path+".txt", func(w io.Writer) error { return render.PostMortem(w, p, render.Style{Target: c.Directory}) }); err != nil {
		return err
	}
	c.prune()
	return nil
}

// writeWhole writes a file that nobody sees half of: under another name, and renamed when it is whole.
func writeWhole(path string, write func(io.Writer) error) error {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.unfinished") // for its owner only
	if err != nil {
		return err
	}
	err = errors.Join(write(file), file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return err
}

// prune removes the oldest post-mortems, as many as are too many. Other files stay.
func (c *child) prune() {
	if c.Keep < 0 {
		return
	}
	found, err := inspect.PostMortems(c.Directory)
	if err != nil || len(found) <= c.Keep {
		return
	}
	var old []string
	for _, f := range found[c.Keep:] {
		if name, ok := inspect.PostMortemOf(f.Path); ok {
			old = append(old, name)
		}
	}
	entries, err := os.ReadDir(c.Directory)
	if err != nil {
		return
	}
	for _, e := range entries {
		if name, ok := inspect.PostMortemOf(e.Name()); ok && slices.Contains(old, name) {
			_ = os.Remove(filepath.Join(c.Directory, e.Name()))
		}
	}
}
