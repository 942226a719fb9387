package main

import (
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/render"
	"github.com/glassheap/glassheap/leaksignature"
)

func newLeaks(t *terminal) *cobra.Command {
	o := opening{terminal: t}
	var s selection
	var top int
	var unreachable bool
	var profile, learn string
	c := &cobra.Command{
		Use:   "leaks TARGET",
		Short: "who allocated what is live? by stack, the most bytes first",
		Long: `leaks groups the live blocks, large ones and guarded ones too, by the stack that
allocated them, as audit mode recorded it. With profile=1/N it is recorded for
one of N blocks, and for all spans: the numbers of a group are estimates then
("about"), here and in --pprof, scaled up from the samples.

With --unreachable it lists only blocks that nothing refers to. A process is
held still, for two seconds at most, while its writable memory and its registers
are searched for aligned words that are addresses inside live blocks, and then
what these blocks hold. Any such word counts as a reference, so an old one that
was left on a stack hides a leak. A block that no other unreachable block refers
to is a head; what it leads to is counted below it.

Exit status: 1 if --unreachable found some.`,
		Example: `  glassheap leaks 4711
  glassheap leaks 4711 --where 'blocks > 100 && site contains "cache"'
  glassheap leaks 4711 --unreachable --learn leaks.txt
  glassheap leaks 4711 --pprof live.pb.gz && go tool pprof -top live.pb.gz`,
	}
	o.addFlags(c)
	s.addFlags(c, &inspect.LeakColumns, false)
	c.Flags().IntVar(&top, "top", 10, "list this many groups; 0: all")
	c.Flags().BoolVar(&unreachable, "unreachable", false, "only what nothing in the process refers to any more")
	c.Flags().StringVar(&profile, "pprof", "", "also write all groups to this file, for go tool pprof")
	c.Flags().StringVar(&learn, "learn", "", "also write the listed stacks to this file, so that a later run can stop there")
	c.Args = o.arguments(0, 0, "a target and nothing else")
	c.RunE = func(c *cobra.Command, args []string) error {
		q, err := inspect.LeakColumns.Parse(s.Words)
		if err != nil {
			return err
		}
		heap, program, _, name, err := o.withProgram(c.Context(), args)
		if err != nil {
			return err
		}
		defer heap.Close()
		options := inspect.LeakOptions{Top: top, Query: q}
		if profile != "" {
			options.Top = 0
		}
		var r *inspect.LeaksReport
		if unreachable {
			r, err = inspect.Unreachable(c.Context(), heap, program, options)
		} else {
			update, end := t.showProgress("reading slabs")
			options.Progress = func(done, total int) { update(int64(done), int64(total)) }
			var h *inspect.Heap
			if h, err = inspect.Open(c.Context(), heap); err == nil {
				h.SetProgram(program)
				warnOfMissing(h)
				r, err = h.Leaks(c.Context(), options)
			}
			end()
		}
		if err != nil {
			return err
		}
		if profile != "" {
			if err := writeFile(profile, r.Profile); err != nil {
				return err
			}
		}
		r.Cut(top)
		if learn != "" {
			if err := writeFile(learn, func(w io.Writer) error { return leaksignature.Write(w, r.Signatures()) }); err != nil {
				return err
			}
		}
		err = answerOrList(t, q, r.Groups, r.Heap, r.Notes, name, r, func(w io.Writer) error { return render.Leaks(w, r, t.style(name)) })
		if err == nil && unreachable && len(r.Groups) > 0 {
			err = errFound
		}
		return err
	}
	return c
}

// writeFile makes a file of what write writes.
func writeFile(path string, write func(io.Writer) error) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if closed := file.Close(); err == nil {
			err = closed
		}
	}()
	return write(file)
}
