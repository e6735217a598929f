package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
)

// screen keeps what a session writes, and tells when a text is on it.
type screen struct {
	mutex   sync.Mutex
	changed *sync.Cond
	text    bytes.Buffer
}

func newScreen() *screen {
	s := &screen{}
	s.changed = sync.NewCond(&s.mutex)
	return s
}

func (s *screen) Write(p []byte) (int, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.changed.Broadcast()
	return s.text.Write(p)
}

// await returns once the text is there. If it never comes, the test runs into its time limit, which prints where.
func (s *screen) await(text string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for !strings.Contains(s.text.String(), text) {
		s.changed.Wait()
	}
}

func TestTwoTerminalsTalk(t *testing.T) {
	room := fmt.Sprintf("test-%d", os.Getpid())
	type terminal struct {
		keys *io.PipeWriter
		out  *screen
		done chan error
	}
	start := func(name string) terminal {
		in, keys := io.Pipe()
		it := terminal{keys, newScreen(), make(chan error, 1)}
		go func() {
			it.done <- run(context.Background(), []string{"-plain", "-name", name, "-room", room}, in, it.out, it.out)
		}()
		return it
	}
	alice, bob := start("alice"), start("bob")
	// Each sees that the other is there before anything is said.
	alice.out.await("bob")
	bob.out.await("alice")
	fmt.Fprintln(alice.keys, "is anybody there?")
	bob.out.await("is anybody there?")
	fmt.Fprintln(bob.keys, "it is me")
	alice.out.await("it is me")
	for _, it := range []terminal{alice, bob} {
		fmt.Fprintln(it.keys, "/quit")
		if err := <-it.done; err != nil {
			t.Error(err)
		}
	}
}
