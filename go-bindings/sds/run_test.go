//go:build go1.25

package sds_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

// Run is the one thing here that reads the clock. In a synctest bubble the clock stands still while anybody works, and
// jumps to the next timer when all sleep: nothing waits, and every time is exact.

// told is an output and when it came.
type told struct {
	at     time.Duration
	output sds.Output
}

// start runs a manager in the bubble; stop ends that, and returns what Run returned.
func start(t *testing.T, m *sds.Manager) (events *[]told, stop func() error) {
	t.Helper()
	events = new([]told)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	began := time.Now()
	go func() {
		done <- m.Run(ctx, func(output sds.Output) {
			*events = append(*events, told{time.Since(began), output})
		})
	}()
	synctest.Wait()
	return events, func() error {
		cancel()
		return <-done
	}
}

func TestRunResendsAtTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice := openIn(t, "alice", channel, sds.ChannelOptions{}, libsds, func(c *sds.Config) {
			c.ResendJitterPercent = 0
			c.MaxResends = 2
		})
		events, stop := start(t, alice)
		// Run sleeps without a deadline; only the wrap can wake it.
		time.Sleep(time.Hour)
		wrap(t, alice, "m", time.Now())
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if err := stop(); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		want := []time.Duration{5 * time.Second, 15 * time.Second, 35 * time.Second}
		if len(*events) != len(want) {
			t.Fatalf("%+v", *events)
		}
		for i, event := range *events {
			if event.at != time.Hour+want[i] {
				t.Errorf("%T after %v, not %v", event.output, event.at-time.Hour, want[i])
			}
		}
		if _, ok := (*events)[2].output.(sds.Failed); !ok {
			t.Errorf("%#v", (*events)[2].output)
		}
	})
}

// An output that another call makes is handed over at once, and a nearer deadline counts at once.
func TestRunIsWoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob := pair(t)
		events, stop := start(t, bob)
		wrap(t, alice, "m0", time.Now())
		last := wrap(t, alice, "m1", time.Now())
		for i := range 10 {
			at := time.Now()
			check(t, bob.Reset())
			check(t, bob.OpenChannel(channel, sds.ChannelOptions{}, at))
			unwrap(t, bob, last.Data, at)
			synctest.Wait()
			if len(*events) != i+1 {
				t.Fatalf("round %d: %+v", i, *events)
			}
			if missing, ok := (*events)[i].output.(sds.Missing); !ok || missing.MessageID != "m0" {
				t.Fatalf("round %d: %#v", i, (*events)[i].output)
			}
		}
		_ = stop()
	})
}

// Calls from handle are fine, and what they make is handed over, too.
func TestRunHandleCallsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice := openIn(t, "alice", channel, sds.ChannelOptions{}, libsds, func(c *sds.Config) { c.MaxResends = 0 })
		wrap(t, alice, "m", time.Now())
		failed := 0
		err := alice.Run(t.Context(), func(output sds.Output) {
			switch o := output.(type) {
			case sds.Failed:
				if failed++; failed == 3 {
					check(t, alice.Close())
					return
				}
				check(t, alice.Retry(channel, o.MessageID, time.Now()))
			case sds.Transmit:
			}
		})
		if !errors.Is(err, sds.ErrClosed) || failed != 3 {
			t.Errorf("%v after %d", err, failed)
		}
	})
}

func TestRunEnds(t *testing.T) {
	t.Run("cancelled before", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := open(t, "alice").Run(ctx, func(sds.Output) {}); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	})
	ends := map[string]func(m *sds.Manager) error{
		"closed":   func(m *sds.Manager) error { return m.Close() },
		"shutdown": func(*sds.Manager) error { return sds.Shutdown() },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := open(t, "alice")
				_, stop := start(t, m)
				check(t, end(m))
				synctest.Wait()
				if err := stop(); !errors.Is(err, sds.ErrClosed) {
					t.Errorf("%v", err)
				}
			})
		})
	}
	t.Run("deadline of the context", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if err := open(t, "alice").Run(ctx, func(sds.Output) {}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v", err)
			}
		})
	})
}

func TestRunOnlyOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := open(t, "alice")
		_, stop := start(t, m)
		refused(t, "a second Run", m.Run(t.Context(), func(sds.Output) {}), sds.ErrInvalidArgument)
		_ = stop()
		_, stop = start(t, m) // again after the first is fine
		_ = stop()
	})
}

// More is due than outputs may wait: Run drains and ticks until all is out, without sleeping in between.
func TestRunWithFullOutputs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice := open(t, "alice", libsds, func(c *sds.Config) {
			c.MaxOutputs = 16
			c.ResendJitterPercent = 0
		})
		for i := range 50 {
			id := string(rune('A' + i))
			check(t, alice.OpenChannel(id, sds.ChannelOptions{}, time.Now()))
			must[sds.Wrapped](t)(alice.WrapOutgoing(id, "", []byte("x"), time.Now()))
		}
		events, stop := start(t, alice)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		_ = stop()
		if len(*events) != 50 {
			t.Fatalf("%d outputs", len(*events))
		}
		for _, event := range *events {
			if event.at != 5*time.Second {
				t.Errorf("%T after %v", event.output, event.at)
			}
		}
	})
}

// A network of three that nobody drives but Run.
func TestRunConversation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type member struct {
			*sds.Manager
			air          chan []byte
			acknowledged map[sds.MessageID]bool
		}
		var members []*member
		for _, name := range []sds.ParticipantID{"alice", "bob", "carol"} {
			m := &member{openIn(t, name, channel, sds.ChannelOptions{}), make(chan []byte, 1000), map[sds.MessageID]bool{}}
			members = append(members, m)
		}
		broadcast := func(from *member, data []byte) {
			for _, to := range members {
				if to != from {
					to.air <- data
				}
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		for _, m := range members {
			go func() {
				_ = m.Run(ctx, func(output sds.Output) {
					switch o := output.(type) {
					case sds.Transmit:
						broadcast(m, o.Data)
					case sds.Acknowledged:
						m.acknowledged[o.MessageID] = true
					}
				})
			}()
			go func() {
				for {
					select {
					case data := <-m.air:
						_, _ = m.UnwrapIncoming(data, time.Now())
					case <-ctx.Done():
						return
					}
				}
			}()
		}
		for i := range 30 {
			speaker := members[i%3]
			wrapped := must[sds.Wrapped](t)(speaker.WrapOutgoing(channel, "", []byte("x"), time.Now()))
			if i%4 != 0 { // every fourth is lost, and only a resend brings it
				broadcast(speaker, wrapped.Data)
			}
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(2 * time.Minute)
		cancel()
		synctest.Wait()
		for i, m := range members {
			status := must[sds.ChannelStatus](t)(m.ChannelStatus(channel))
			if status.Sent != 10 || status.Received != 20 || status.Unacknowledged != 0 || len(m.acknowledged) != 10 {
				t.Errorf("%d: %+v, %d acknowledged", i, status, len(m.acknowledged))
			}
		}
	})
}
