//go:build go1.25

package sds_test

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/waku-org/sds-go-bindings/engine"
	"github.com/waku-org/sds-go-bindings/sds"
)

// calls are all that returns an error.
var calls = map[string]func(*sds.ReliabilityManager) error{
	"WrapOutgoingMessage": func(rm *sds.ReliabilityManager) error {
		_, err := rm.WrapOutgoingMessage(payload(1), id(1), channel)
		return err
	},
	"UnwrapReceivedMessage": func(rm *sds.ReliabilityManager) error {
		_, err := rm.UnwrapReceivedMessage(payload(1))
		return err
	},
	"MarkDependenciesMet": func(rm *sds.ReliabilityManager) error {
		return rm.MarkDependenciesMet([]sds.MessageID{id(1)}, channel)
	},
	"StartPeriodicTasks": (*sds.ReliabilityManager).StartPeriodicTasks,
	"Reset":              (*sds.ReliabilityManager).Reset,
	"Cleanup":            (*sds.ReliabilityManager).Cleanup,
}

func TestNilManager(t *testing.T) {
	for _, rm := range []*sds.ReliabilityManager{nil, new(sds.ReliabilityManager)} {
		rm.RegisterCallbacks(sds.EventCallbacks{})
		for name, call := range calls {
			if err := call(rm); !errors.Is(err, engine.ErrInvalidHandle) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if rm.Engine() != nil {
			t.Error("it has an engine")
		}
	}
}

func TestCallsAfterCleanupFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob := join(t), join(t)
		check(t, bob.StartPeriodicTasks())
		bob.unwrap(alice.wrap(1), 1)
		check(t, bob.Cleanup())
		for name, call := range calls {
			if err := call(bob.ReliabilityManager); !errors.Is(err, engine.ErrClosed) {
				t.Errorf("%s: %v", name, err)
			}
		}
		bob.RegisterCallbacks(sds.EventCallbacks{})
		// A fresh one begins anew.
		fresh := join(t)
		fresh.unwrap(alice.wrap(2), 2)
		fresh.says("missing 1 of 2")
	})
}

// A callback may call Cleanup; none begins afterwards.
func TestCleanupInACallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob := join(t), join(t)
		called := 0
		bob.RegisterCallbacks(sds.EventCallbacks{OnMessageReady: func(sds.MessageID, string) {
			if called++; called > 1 {
				t.Error("called again")
			}
			check(t, bob.Cleanup())
		}})
		first, second := alice.wrap(1), alice.wrap(2)
		bob.unwrap(second, 2) // waits, so that two are ready at once
		bob.unwrap(first, 1)
		synctest.Wait()
		same(t, "called", called, 1)
	})
}

// Everybody may be inside when a manager is cleaned up: each call gets a result or an error.
func TestCleanupDuringCalls(t *testing.T) {
	peer := must[*sds.ReliabilityManager](t)(sds.NewReliabilityManager(nil))
	defer peer.Cleanup()
	var data [][]byte
	for i := range 50 {
		data = append(data, must[[]byte](t)(peer.WrapOutgoingMessage(payload(i), id(i), channel)))
	}
	for range 20 {
		rm := must[*sds.ReliabilityManager](t)(sds.NewReliabilityManager(nil))
		rm.RegisterCallbacks(sds.EventCallbacks{
			OnMessageReady:        func(id sds.MessageID, of string) { _ = rm.MarkDependenciesMet([]sds.MessageID{id}, of) },
			RetrievalHintProvider: func(sds.MessageID) []byte { return []byte("hint") },
		})
		var group, inside sync.WaitGroup
		for g := range 16 {
			group.Add(1)
			inside.Add(1)
			go func() {
				defer group.Done()
				arrived := sync.OnceFunc(inside.Done)
				defer arrived()
				for i := 0; ; i++ {
					var err error
					switch i % 4 {
					case 0:
						_, err = rm.WrapOutgoingMessage(payload(i), id(1_000_000*(g+1)+i), channel)
					case 1:
						_, err = rm.UnwrapReceivedMessage(data[i%len(data)])
					case 2:
						err = rm.StartPeriodicTasks()
					case 3:
						err = rm.MarkDependenciesMet([]sds.MessageID{id(i)}, channel)
						arrived()
					}
					switch {
					case errors.Is(err, engine.ErrClosed):
						return
					case errors.Is(err, engine.ErrTooManyUnacknowledged): // nobody acknowledges here
					case err != nil:
						t.Error(err)
						return
					}
				}
			}()
		}
		inside.Wait()
		cleaned := make(chan error, 3)
		for range 3 {
			go func() { cleaned <- rm.Cleanup() }()
		}
		good := 0
		for range 3 {
			if err := <-cleaned; err == nil {
				good++
			} else if !errors.Is(err, engine.ErrClosed) {
				t.Error(err)
			}
		}
		same(t, "successful cleanups", good, 1)
		group.Wait()
	}
}

// Hundreds of managers in one process, which talk with each other, have neither a thread nor a descriptor of their own, and
// leave nothing. (Go itself starts threads while goroutines are inside C, a few on a busy machine, however many managers.)
func TestHundredsOfManagers(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("/proc is Linux's")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	talk(t, 8) // what Go starts once
	threads, files := count(t, "task"), count(t, "fd")
	const managers = 400
	all := talk(t, managers)
	// With libsds it would be 800 threads and 2,400 descriptors.
	if more := count(t, "task") - threads; more > managers/10 {
		t.Errorf("%d threads more", more)
	}
	if more := count(t, "fd") - files; more > 0 {
		t.Errorf("%d descriptors more", more)
	}
	for _, rm := range all {
		check(t, rm.Cleanup())
	}
	for range 3 { // and again, after cleanup
		for _, rm := range talk(t, 32) {
			check(t, rm.Cleanup())
		}
	}
	if more := count(t, "fd") - files; more > 0 {
		t.Errorf("%d descriptors more after Cleanup", more)
	}
}

// talk makes managers that are all told what the first one says, and waits until each has told so.
func talk(t *testing.T, managers int) (all []*sds.ReliabilityManager) {
	t.Helper()
	var ready sync.WaitGroup
	for range managers {
		rm := must[*sds.ReliabilityManager](t)(sds.NewReliabilityManager(nil))
		rm.RegisterCallbacks(sds.EventCallbacks{OnMessageReady: func(sds.MessageID, string) { ready.Done() }})
		check(t, rm.StartPeriodicTasks())
		all = append(all, rm)
	}
	data := must[[]byte](t)(all[0].WrapOutgoingMessage(payload(1), id(1), channel))
	for _, rm := range all[1:] {
		ready.Add(1)
		must[*sds.UnwrappedMessage](t)(rm.UnwrapReceivedMessage(data))
	}
	ready.Wait() // one callback too many panics
	if managers == 8 {
		for _, rm := range all {
			check(t, rm.Cleanup())
		}
	}
	return all
}

func count(t *testing.T, what string) int {
	t.Helper()
	return len(must[[]os.DirEntry](t)(os.ReadDir(fmt.Sprintf("/proc/self/%s", what))))
}

// A manager of which nothing is expected has nothing to wake up for.
func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob := join(t), join(t)
		bob.unwrap(alice.wrap(1), 1)
		alice.unwrap(bob.wrap(2), 2)
		time.Sleep(time.Hour)
		synctest.Wait()
		if _, due, err := bob.Engine().NextDeadline(); due || err != nil {
			t.Error(due, err)
		}
	})
}
