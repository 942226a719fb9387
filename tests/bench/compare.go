package main

import (
	"fmt"
	"path/filepath"

	"github.com/glassheap/glassheap/tests/bench/peers"
)

// compare measures everything once in each round: what slows the machine down for a while then slows every peer down, in
// one round, and the median drops it.
func compare(p plan, progress *progress) (*Comparison, error) {
	c := &Comparison{Machine: thisMachine(), Command: p.command(), Rounds: p.rounds, Absent: peers.Absent()}
	workloads, err := p.workloads()
	if err != nil {
		return nil, err
	}
	subjects := choose(p, workloads)
	if len(subjects) == 0 {
		return nil, fmt.Errorf("-run '%s' matches nothing: names are workload/size/peer, such as pair/64/%s", p.only, peers.Sealed)
	}
	for _, a := range peers.Atomics() {
		c.Atomics = append(c.Atomics, Figure{Name: a.Name})
	}
	for _, s := range subjects {
		c.Figures = append(c.Figures, Figure{Workload: s.workload.Name, Size: s.workload.Size, Name: s.peer.Name})
	}
	progress.begin(p.rounds * len(subjects))
	defer progress.end()
	for round := range p.rounds {
		for i, a := range peers.Atomics() {
			c.Atomics[i].add(measure(a.Run, p.time))
		}
		for i, s := range subjects {
			progress.step("round %d of %d   %s", round+1, p.rounds, s)
			figure, err := s.measure(p)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s, err)
			}
			c.Figures[i].add(figure)
		}
	}
	c.Aims = judge(c)
	return c, nil
}

// subject is one cell of the table.
type subject struct {
	workload peers.Workload
	peer     peers.Peer
}

func (s subject) String() string { return s.workload.String() + "/" + s.peer.Name }

// workloads are the built-in ones and the recordings in the folder that the user names.
func (p plan) workloads() ([]peers.Workload, error) {
	all := peers.Workloads()
	if p.traces == "" {
		return all, nil
	}
	paths, err := filepath.Glob(filepath.Join(p.traces, "*.mtrace*"))
	if err != nil || len(paths) == 0 {
		return nil, fmt.Errorf("-traces %s: there is no *.mtrace, *.mtrace.gz or *.mtrace.zst in that folder", p.traces)
	}
	for _, path := range paths {
		w, err := peers.ReadTrace(path)
		if err != nil {
			return nil, err
		}
		all = append(all, w)
	}
	return all, nil
}

// choose lists the subjects in the order in which they are measured. The loop of the mix goes with each peer's mix.
func choose(p plan, workloads []peers.Workload) []subject {
	var chosen []subject
	for _, w := range workloads {
		before := len(chosen)
		for _, peer := range peers.All() {
			if s := (subject{w, peer}); peer.Can(w) && p.only.MatchString(s.String()) {
				chosen = append(chosen, s)
			}
		}
		if w.Name == peers.Mix && len(chosen) > before {
			for _, loop := range peers.Loops() {
				chosen = append(chosen, subject{w, loop})
			}
		}
	}
	return chosen
}

// measure uses a heap of its own, so that no workload finds what another left.
func (s subject) measure(p plan) (float64, error) {
	trial, err := s.peer.Prepare(s.workload)
	if err != nil {
		return 0, err
	}
	figure := measure(trial.Run, p.time)
	return figure, trial.Close()
}
