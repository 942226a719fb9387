// Package main is the program of docs/production.md. Its tests build it, have it work and make mistakes, and watch it by the tools
// that watch programs in production.
package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
)

// TestTheDocumentShowsTheProgram: the program in docs/production.md is main.go.
func TestTheDocumentShowsTheProgram(t *testing.T) {
	document, err := os.ReadFile("../../docs/production.md")
	require.NoError(t, err)
	program, err := os.ReadFile("main.go")
	require.NoError(t, err)
	var shown strings.Builder
	for line := range strings.Lines(string(program)) {
		if line != "\n" {
			shown.WriteString("    ")
		}
		shown.WriteString(line)
	}
	require.Contains(t, string(document), "\n\n"+shown.String()+"\n", "docs/production.md does not show main.go as it is")
}

// server is the program, running.
type server struct {
	t       *testing.T
	command *exec.Cmd
	input   io.WriteCloser
	output  *bufio.Reader
	log     *bufio.Reader
	address string
	temp    string
}

// start builds the program and starts it.
func start(t *testing.T, environment ...string) *server {
	t.Helper()
	temp := t.TempDir()
	program := filepath.Join(temp, "server")
	out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	s := &server{t: t, command: exec.Command(program), temp: temp}
	s.command.Env = append(os.Environ(), "DEBUG_PORT=0", "TMPDIR="+temp, "GLASSHEAP=")
	s.command.Env = append(s.command.Env, environment...)
	s.input, err = s.command.StdinPipe()
	require.NoError(t, err)
	stdout, err := s.command.StdoutPipe()
	require.NoError(t, err)
	stderr, err := s.command.StderrPipe()
	require.NoError(t, err)
	s.output, s.log = bufio.NewReader(stdout), bufio.NewReader(stderr)
	require.NoError(t, s.command.Start())
	t.Cleanup(func() { _ = s.command.Process.Kill() })
	s.address = s.record()["address"].(string)
	return s
}

// record is the next record of the log.
func (s *server) record() (r map[string]any) {
	s.t.Helper()
	line, err := s.log.ReadString('\n')
	require.NoError(s.t, err)
	require.NoError(s.t, json.Unmarshal([]byte(line), &r), "%s", line)
	return r
}

// do has the program do something, and returns its answer.
func (s *server) do(what string) string {
	s.t.Helper()
	_, err := io.WriteString(s.input, what+"\n")
	require.NoError(s.t, err)
	answer, err := s.output.ReadString('\n')
	require.NoError(s.t, err)
	return strings.TrimSuffix(answer, "\n")
}

func (s *server) get(path string, status int) string {
	s.t.Helper()
	answer, err := http.Get("http://" + s.address + path)
	require.NoError(s.t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(s.t, err)
	require.Equal(s.t, status, answer.StatusCode, "%s", text)
	return string(text)
}

// metric is one of the heap's, as a scrape tells it.
func (s *server) metric(name string) float64 {
	s.t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(s.get("/metrics", http.StatusOK)))
	require.NoError(s.t, err)
	require.Contains(s.t, families, name)
	m := families[name].GetMetric()
	require.Len(s.t, m, 1)
	require.Equal(s.t, "sessions", m[0].GetLabel()[0].GetValue())
	return m[0].GetGauge().GetValue() + m[0].GetCounter().GetValue()
}

// TestWatching: what the program does is seen, and its mistakes are told and survived.
func TestWatching(t *testing.T) {
	s := start(t)
	require.Equal(t, "done", s.do("allocate"))
	require.EqualValues(t, 20_000, s.metric("glassheap_live_blocks"))
	require.Contains(t, s.get("/debug/vars", http.StatusOK), `"live_blocks":20000,`)
	require.Contains(t, s.get("/debug/glassheap/check", http.StatusOK), "healthy.")
	top := exec.Command("go", "tool", "pprof", "-top", "-sample_index=live_blocks", "http://"+s.address+"/debug/glassheap/profile")
	top.Env = append(os.Environ(), "PPROF_TMPDIR="+s.temp, "NO_PROXY=127.0.0.1")
	out, err := top.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Regexp(t, regexp.MustCompile(`(?m)^\s*(1[4-9]|2[0-5])\d\d\d\s.*main\.session`), string(out), "about 20,000: each processor's magazine records one of 1024")

	require.Equal(t, "double-free", s.do("free twice"))
	r := s.record()
	require.Equal(t, "double-free", r["kind"])
	require.Equal(t, "sessions", r["heap"])
	require.Contains(t, r["now"].(map[string]any)["stack"].([]any)[0], "main.work (work.go:")
	require.Equal(t, "overflow", s.do("overflow"))
	require.Equal(t, "overflow by 1 byte, past a live block of 100", s.record()["detail"])
	require.EqualValues(t, 2, s.metric("glassheap_violations_total"))
	require.EqualValues(t, 1, s.metric("glassheap_withdrawn_blocks"))
	require.Equal(t, "done", s.do("damage"))
	require.Contains(t, s.get("/debug/glassheap/check", http.StatusInternalServerError), "overflow by 1 byte, past a live block of 100")
	require.Equal(t, "done", s.do("allocate"), "it goes on")

	require.NoError(t, s.input.Close())
	rest, err := io.ReadAll(s.log)
	require.NoError(t, err)
	require.Empty(t, string(rest), "a program that ends well leaves nothing behind")
	require.NoError(t, s.command.Wait())
}

// TestGuarded: where GLASSHEAP switches guards on, reading a freed block ends the program, and the post-mortem says of what.
func TestGuarded(t *testing.T) {
	s := start(t, "GLASSHEAP=guard=1/1")
	_, err := io.WriteString(s.input, "read after free\n")
	require.NoError(t, err)
	text, err := io.ReadAll(s.log) // ends with the second process, which has written the post-mortem then
	require.NoError(t, err)
	require.Error(t, s.command.Wait())
	named := regexp.MustCompile(`(?m)^glassheap: process \d+ \(server\) died of a fault .*: see (.*)$`).FindStringSubmatch(string(text))
	require.NotNil(t, named, "%s", text)
	report, err := os.ReadFile(named[1])
	require.NoError(t, err)
	require.Contains(t, string(report), "is the start of a freed guarded block of 100 bytes")
}
