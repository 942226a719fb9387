package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect/target"
)

// armPatience is how long a program is given to do what arm wants.
const armPatience = 5 * time.Second

func newArm(t *terminal) *cobra.Command {
	var heap, guard string
	c := &cobra.Command{
		Use:   "arm PID [MODE]",
		Short: "change the mode or the guard rate of a running heap",
		Long: `arm has a running program audit its heap, or guard some of its blocks, from now
on: MODE is sealed or audit. The program must allow it: allocator.Options.Armable.
One word of the heap's header is written for that, and nothing else.`,
		Example: "  glassheap arm 4711 audit\n  glassheap arm 4711 --guard 1/1000\n  glassheap arm 4711 sealed --guard off",
		Args:    cobra.RangeArgs(1, 2),
	}
	c.Flags().StringVar(&heap, "heap", "", "which heap of the process: its name, or #1, #2, …")
	c.Flags().StringVar(&guard, "guard", "", "guard one of N allocations: 1/N, or off")
	c.RunE = func(c *cobra.Command, args []string) error {
		pid, err := strconv.Atoi(args[0])
		if err != nil || pid < 1 {
			return fmt.Errorf("%q is no process id: only a running process can be armed", args[0])
		}
		mode, rate := layout.Mode(0), -1
		if len(args) > 1 {
			if mode, err = layout.ParseMode(args[1]); err != nil {
				return err
			}
		}
		if guard != "" {
			if rate, err = allocator.ParseRate(guard); err != nil {
				return fmt.Errorf("--guard: %w", err)
			}
		}
		if mode == 0 && rate < 0 {
			return fmt.Errorf("arm wants a mode, --guard, or both: `glassheap help arm` shows examples")
		}
		ctx, cancel := context.WithTimeout(c.Context(), armPatience)
		defer cancel()
		armed, err := target.Arm(ctx, pid, target.Options{Heap: heap}, layout.MakeWish(mode, rate))
		if err != nil {
			return err
		}
		if mode != 0 && armed.Mode != mode {
			return fmt.Errorf("heap %q of process %d stays in mode %s: only sealed and audit can take each other's place", armed.Heap, pid, armed.Mode)
		}
		return t.answer(armed, func(w io.Writer) error {
			guards := "no block is guarded"
			if armed.GuardRate > 0 {
				guards = fmt.Sprintf("one of %d blocks is guarded", armed.GuardRate)
			}
			_, err := fmt.Fprintf(w, "heap %q in process %d: mode %s, %s\n", armed.Heap, pid, armed.Mode, guards)
			return err
		})
	}
	return c
}
