package sds_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

// Hundreds of goroutines use one manager, each its own channel and all of them one channel together.
func TestManyGoroutines(t *testing.T) {
	const goroutines, rounds = 300, 20
	alice, bob := open(t, "alice"), open(t, "bob")
	check(t, alice.OpenChannel(channel, sds.ChannelOptions{}, epoch))
	check(t, bob.OpenChannel(channel, sds.ChannelOptions{}, epoch))
	var shown, drained atomic.Int64
	drain := func() {
		for _, output := range must[[]sds.Output](t)(bob.Drain()) {
			if o, ok := output.(sds.Delivered); ok && o.ChannelID == channel {
				shown.Add(1)
			}
			drained.Add(1)
		}
	}
	var group sync.WaitGroup
	for g := range goroutines {
		group.Add(1)
		go func() {
			defer group.Done()
			own := fmt.Sprintf("channel %d", g)
			for _, m := range []*sds.Manager{alice, bob} {
				if err := m.OpenChannel(own, sds.ChannelOptions{}, epoch); err != nil {
					t.Error(err)
					return
				}
			}
			for i := range rounds {
				now := after(time.Duration(i) * time.Millisecond)
				content := fmt.Appendf(nil, "%d of %d", i, g)
				for _, id := range []string{own, channel} {
					wrapped, err := alice.WrapOutgoing(id, "", content, now)
					if err != nil {
						t.Error(err)
						return
					}
					u, err := bob.UnwrapIncoming(wrapped.Data, now)
					if err != nil || string(u.Content) != string(content) || u.ChannelID != id || u.MessageID != wrapped.MessageID {
						t.Errorf("%+v, %v", u, err)
						return
					}
					if u.Disposition == sds.DispositionDelivered && id == channel {
						shown.Add(1)
					} else if id == own && u.Disposition != sds.DispositionDelivered {
						t.Errorf("%s: %v", id, u.Disposition)
					}
				}
				if i%5 == 0 {
					drain()
					_, _, _ = bob.NextDeadline()
					_, _ = bob.ChannelStatus(channel)
					_ = alice.Cancel(own, "?", now)
				}
			}
		}()
	}
	group.Wait()
	drain()
	if shown.Load() != goroutines*rounds {
		t.Errorf("%d of %d shown in the common channel", shown.Load(), goroutines*rounds)
	}
	if status := must[sds.ChannelStatus](t)(bob.ChannelStatus(channel)); status.Waiting+status.Missing != 0 || status.Received != goroutines*rounds {
		t.Errorf("%+v", status)
	}
}

// 64 goroutines are inside calls when the manager is closed, from four places at once: each gets a result or ErrClosed.
func TestCloseDuringCalls(t *testing.T) {
	for range 20 {
		m := must[*sds.Manager](t)(sds.Open(sds.DefaultConfig()))
		check(t, m.OpenChannel(channel, sds.ChannelOptions{}, epoch))
		var group, inside sync.WaitGroup
		for g := range 64 {
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
						_, err = m.WrapOutgoing(channel, sds.MessageID(fmt.Sprintf("%d of %d", i, g)), make([]byte, 1000), epoch)
					case 1:
						_, err = m.UnwrapIncoming(message, epoch)
					case 2:
						_, err = m.Drain()
					case 3:
						err = m.Tick(epoch)
					}
					if i == 4 {
						arrived()
					}
					switch {
					case errors.Is(err, sds.ErrClosed):
						return
					case errors.Is(err, sds.ErrTooManyUnacknowledged): // nobody acknowledges here
					case err != nil:
						t.Error(err)
						return
					}
				}
			}()
		}
		inside.Wait()
		for range 4 {
			group.Add(1)
			go func() {
				defer group.Done()
				if err := m.Close(); err != nil {
					t.Error(err)
				}
				if _, err := m.Channels(); !errors.Is(err, sds.ErrClosed) {
					t.Errorf("after Close: %v", err)
				}
			}()
		}
		group.Wait()
	}
}

func TestShutdown(t *testing.T) {
	var managers []*sds.Manager
	for range 100 {
		managers = append(managers, open(t, "alice"))
	}
	check(t, sds.Shutdown())
	for _, m := range managers {
		if _, err := m.Drain(); !errors.Is(err, sds.ErrClosed) {
			t.Fatal(err)
		}
		check(t, m.Close())
	}
	check(t, sds.Shutdown())
	wrap(t, openIn(t, "alice", channel, sds.ChannelOptions{}), "a new one works", epoch)
}

// Managers are made and closed by the thousand; their places are used again, and old ones stay closed.
func TestOpenAndCloseOften(t *testing.T) {
	var old []*sds.Manager
	for range 2000 {
		m := must[*sds.Manager](t)(sds.Open(sds.DefaultConfig()))
		check(t, m.OpenChannel(channel, sds.ChannelOptions{}, epoch))
		check(t, m.Close())
		old = append(old, m)
	}
	open(t, "alice")
	for _, m := range old {
		if _, err := m.Channels(); !errors.Is(err, sds.ErrClosed) {
			t.Fatal(err)
		}
	}
}
