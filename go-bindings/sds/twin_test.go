package sds_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// twin is benches/go_twin.rs in a process of its own: the loop of BenchmarkWrap in Rust. It runs a round whenever it is told
// to, so that the rounds of both alternate within milliseconds and see the same machine. Runs one after the other do not:
// where other programs come and go, their ratio swung between 1 and 5.
//
// What is compared is the fastest round of each, which nobody else interrupted. On a busy machine a mean or a median tells
// for how long others had the processor, which is longer for Go: its collector wakes threads and waits for them.
type twin struct {
	b     *testing.B
	tell  io.Writer
	heard *bufio.Scanner
}

// startTwin starts the program that SDS_TWIN names; nil without it.
func startTwin(b *testing.B, gap time.Duration) *twin {
	b.Helper()
	program := os.Getenv("SDS_TWIN")
	if program == "" {
		return nil
	}
	cmd := exec.Command(program, strconv.FormatInt(gap.Milliseconds(), 10))
	cmd.Stderr = os.Stderr
	tell := must[io.WriteCloser](b)(cmd.StdinPipe())
	heard := must[io.ReadCloser](b)(cmd.StdoutPipe())
	check(b, cmd.Start())
	b.Cleanup(func() {
		check(b, tell.Close())
		check(b, cmd.Wait())
	})
	return &twin{b: b, tell: tell, heard: bufio.NewScanner(heard)}
}

// round lets it wrap a round of messages and returns how long that took.
func (t *twin) round() time.Duration {
	must[int](t.b)(fmt.Fprintln(t.tell))
	if !t.heard.Scan() {
		t.b.Fatal("the twin ended early", t.heard.Err())
	}
	ns := must[int64](t.b)(strconv.ParseInt(strings.TrimSpace(t.heard.Text()), 10, 64))
	return time.Duration(ns)
}
