package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"
)

// load has several clients use a server, each with keys of its own, and verifies that every answer is the right one.
func load(ctx context.Context, out io.Writer, arguments []string) error {
	flags := flag.NewFlagSet("store load", flag.ContinueOnError)
	address := flags.String("address", "127.0.0.1:6379", "the server's `address`")
	clients := flags.Int("clients", 4, "how many clients there are")
	operations := flags.Int("operations", 20_000, "how much they do, together")
	seed := flags.Uint64("seed", 1, "what they do: the same with the same seed, and with another one under other keys")
	slow := flags.Bool("slow", false, "a further client asks for a range first, and reads it last, when all of it has long been replaced")
	path := flags.String("model", "", "the `file` that keeps what was acknowledged. If it is there, the server must have all of that; take another seed")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if flags.NArg() > 0 || *clients < 1 || *operations < 0 {
		return errors.New("store load takes flags only, and at least one client; store load -help lists them")
	}
	start := time.Now()
	known := model{}
	if *path != "" {
		var err error
		if known, err = verify(ctx, *address, *path); err != nil {
			return understood(err)
		}
		if len(known) > 0 {
			fmt.Fprintf(out, "the server has what it has acknowledged: %s keys\n", humanize.Comma(int64(len(known))))
		}
	}
	var straggler *client
	if *slow {
		var err error
		if straggler, err = dawdle(ctx, *address); err != nil {
			return understood(err)
		}
		defer straggler.conn.Close()
	}
	all := make([]*worker, *clients)
	errs := make([]error, *clients)
	var group sync.WaitGroup
	for i := range all {
		all[i] = &worker{name: fmt.Sprintf("load%d.client%d", *seed, i), random: rand.New(rand.NewPCG(*seed, uint64(i))), model: model{}}
		group.Go(func() { errs[i] = all[i].run(ctx, *address, *operations / *clients) })
	}
	group.Wait()
	if straggler != nil {
		errs = append(errs, readSlowly(straggler))
	}
	var sum figures
	for _, w := range all {
		maps.Copy(known, w.model)
		sum.add(w.figures)
	}
	if *path != "" {
		errs = append(errs, known.keep(*path))
	}
	if err := errors.Join(errs...); err != nil {
		return understood(err)
	}
	fmt.Fprintf(out, "%s did %s operations in %v: %s sets, %s deletions, %s gets, %s of them hits, %s ranges with %s keys\n",
		english.Plural(*clients, "client", ""), humanize.Comma(int64(*operations)), time.Since(start).Round(time.Millisecond),
		humanize.Comma(sum.sets), humanize.Comma(sum.deletions), humanize.Comma(sum.gets), humanize.Comma(sum.hits), humanize.Comma(sum.ranges), humanize.Comma(sum.keys))
	fmt.Fprintln(out, "every answer was the right one")
	return nil
}

// figures are what a worker has done.
type figures struct{ sets, deletions, gets, hits, ranges, keys int64 }

func (f *figures) add(more figures) {
	f.sets += more.sets
	f.deletions += more.deletions
	f.gets += more.gets
	f.hits += more.hits
	f.ranges += more.ranges
	f.keys += more.keys
}

// model is what the server has: for each key the number of its value, 0 when it is deleted. What a write that was never answered was
// about has two.
type model map[string][]uint64

// value is what belongs to a key and a number. Most are small.
func value(key string, number uint64) string {
	random := rand.New(rand.NewPCG(hashOf([]byte(key)), number))
	n := random.IntN(500)
	switch size := random.IntN(100); {
	case size == 99:
		n = random.IntN(100 << 10)
	case size > 90:
		n = random.IntN(8 << 10)
	}
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('a' + random.IntN(26))
	}
	return string(b)
}

// verifyKey compares what the server has with the model, which then knows it for sure.
func (m model) verifyKey(c *client, key string) (hit bool, err error) {
	first, err := c.ask("GET", key)
	if err != nil {
		return false, err
	}
	got, ok, err := c.text(first)
	if err != nil {
		return false, err
	}
	numbers := m[key]
	for _, n := range numbers {
		if (n == 0) == !ok && (!ok || got == value(key, n)) {
			m[key] = []uint64{n}
			return ok, nil
		}
	}
	if len(numbers) == 0 && !ok {
		return false, nil
	}
	return ok, fmt.Errorf("%s: the server has not what it has acknowledged last, but %.20q", key, got)
}

// verify reads a model that was kept, and compares the server with it.
func verify(ctx context.Context, address, path string) (model, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return model{}, nil
	}
	if err != nil {
		return nil, err
	}
	var m model
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	c, err := dial(ctx, address)
	if err != nil {
		return nil, err
	}
	defer c.conn.Close()
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if _, err := m.verifyKey(c, key); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m model) keep(path string) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

// worker is a client that works, and the model of its keys.
type worker struct {
	*client
	name   string // how its keys begin
	random *rand.Rand
	model  model
	number uint64 // of the value that was set last
	figures
}

const keysPerWorker = 2000

func (w *worker) run(ctx context.Context, address string, operations int) (err error) {
	if w.client, err = dial(ctx, address); err != nil {
		return err
	}
	defer w.conn.Close()
	for range operations {
		i := w.random.IntN(keysPerWorker)
		switch n := w.random.IntN(100); {
		case n < 48:
			err = w.get(w.key(i))
		case n < 90:
			err = w.set(w.key(i))
		case n < 96:
			err = w.delete(w.key(i))
		default:
			err = w.span(i, i+w.random.IntN(100))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *worker) key(i int) string { return fmt.Sprintf("%s:%04d", w.name, i) }

func (w *worker) get(key string) error {
	hit, err := w.model.verifyKey(w.client, key)
	w.gets++
	if hit {
		w.hits++
	}
	return err
}

// write sends a command that changes a key. Until it is answered, what the key was may still be true.
func (w *worker) write(key string, number uint64, answers []string, words ...string) error {
	before := w.model[key]
	if len(before) == 0 {
		before = []uint64{0}
	}
	w.model[key] = append(slices.Clone(before), number)
	err := w.expect(answers, words...)
	if err == nil {
		w.model[key] = []uint64{number}
	}
	return err
}

func (w *worker) set(key string) error {
	w.number++
	w.sets++
	return w.write(key, w.number, []string{"+OK"}, "SET", key, value(key, w.number))
}

func (w *worker) delete(key string) error {
	answer := ":0"
	if numbers := w.model[key]; len(numbers) > 0 && numbers[0] != 0 {
		answer = ":1"
	}
	w.deletions++
	return w.write(key, 0, []string{answer}, "DEL", key)
}

// span asks for a range, in which all keys have to be, and no others.
func (w *worker) span(from, to int) error {
	var want []string
	for i := from; i < to; i++ {
		if numbers := w.model[w.key(i)]; len(numbers) > 0 && numbers[0] != 0 {
			want = append(want, w.key(i))
		}
	}
	w.ranges++
	w.keys += int64(len(want))
	if err := w.expect([]string{"*" + strconv.Itoa(2*len(want))}, "RANGE", w.key(from), w.key(to)); err != nil {
		return err
	}
	for _, key := range want {
		pair, err := w.pair()
		if err != nil {
			return err
		}
		if pair != [2]string{key, value(key, w.model[key][0])} {
			return fmt.Errorf("%s: RANGE has another key or value: %s, %.20q", key, pair[0], pair[1])
		}
	}
	return nil
}

const (
	slowKeys       = 128
	slowValueBytes = 4000 // together more than the kernel keeps for a client
)

func slowKey(i int) string { return fmt.Sprintf("slow:%03d", i) }

// slowValue is what the slow client has to read, or what it must not.
func slowValue(i int, replaced bool) string {
	return fmt.Sprintf("%*d %-5t", slowValueBytes, i, replaced)
}

// dawdle sets some keys, asks for all of them, and reads the answer's first line; then another client replaces them, and has the memory
// in which they were written to disk.
func dawdle(ctx context.Context, address string) (slow *client, err error) {
	if slow, err = dial(ctx, address); err != nil {
		return nil, err
	}
	other, err := dial(ctx, address)
	if err != nil {
		return nil, err
	}
	defer other.conn.Close()
	for i := range slowKeys {
		if err := slow.expect([]string{"+OK"}, "SET", slowKey(i), slowValue(i, false)); err != nil {
			return nil, err
		}
	}
	if err := slow.expect([]string{"*" + strconv.Itoa(2*slowKeys)}, "RANGE", "slow:", "slow;"); err != nil {
		return nil, err
	}
	for i := slowKeys - 1; i >= 0; i-- { // what is read last first, so that it is still to be read
		if err := other.expect([]string{"+OK"}, "SET", slowKey(i), slowValue(i, true)); err != nil {
			return nil, err
		}
	}
	return slow, other.expect([]string{"+OK"}, "SAVE")
}

// readSlowly reads the rest.
func readSlowly(c *client) error {
	var want strings.Builder
	for i := range slowKeys {
		for _, text := range []string{slowKey(i), slowValue(i, false)} {
			fmt.Fprintf(&want, "$%d"+crlf+"%s"+crlf, len(text), text)
		}
	}
	got := make([]byte, want.Len())
	if _, err := io.ReadFull(c.in, got); err != nil {
		return err
	}
	if string(got) != want.String() {
		return errors.New("the slow client did not get what there was when it asked")
	}
	return nil
}
