//go:build go1.25

package reliable_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/status-im/sds-rs/go-bindings/internal/lossy"
	"github.com/status-im/sds-rs/go-bindings/internal/memnet"
	"github.com/status-im/sds-rs/go-bindings/reliable"
	"github.com/status-im/sds-rs/go-bindings/sds"
)

// These tests run whole clients, goroutines and all, in bubbles in which time passes when everybody waits.

const topic = "/test/1/room/proto"

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, node reliable.Node, config reliable.Config) *reliable.Client {
	t.Helper()
	client, err := reliable.Open(node, config)
	check(t, err)
	return client
}

func create(t testing.TB, client *reliable.Client, id string, options reliable.ChannelOptions) *reliable.Channel {
	t.Helper()
	channel, err := client.CreateReliableChannel(id, topic, options)
	check(t, err)
	return channel
}

// reader is an application that reads a channel until it is closed.
type reader struct {
	mu     sync.Mutex
	shown  map[reliable.RequestID]reliable.Incoming
	names  map[string]int
	done   chan struct{}
	status reliable.SyncStatus
}

func read(channel *reliable.Channel) *reader {
	r := &reader{
		shown: make(map[reliable.RequestID]reliable.Incoming), names: make(map[string]int), done: make(chan struct{}),
	}
	go func() {
		defer close(r.done)
		for event := range channel.Events() {
			r.mu.Lock()
			r.names[event.Name()]++
			switch e := event.(type) {
			case reliable.Received:
				r.shown[e.MessageID] = e.Incoming
			case reliable.SyncStatus:
				r.status = e
			}
			r.mu.Unlock()
		}
	}()
	return r
}

func (r *reader) count(name string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.names[name]
}

func (r *reader) ids() []reliable.RequestID {
	r.mu.Lock()
	defer r.mu.Unlock()
	var ids []reliable.RequestID
	for id := range r.shown {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// eventually lets time pass until something is so.
func eventually(t testing.TB, limit time.Duration, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !done(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not %s after %v", what, limit)
		}
	}
}

// Several members in two channels each, over a network that loses a fifth, with a store that is down half of the time.
func TestClientsEndWithEqualLogs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New(3, lossy.Options{
			Loss: 0.2, Duplicate: 0.05, Reorder: 0.1, MinDelay: 10 * time.Millisecond, MaxDelay: 60 * time.Millisecond,
			HeldUp: time.Second,
		})
		const members, rounds = 4, 12
		rooms := []string{"kitchen", "garden"}
		type place struct {
			channel *reliable.Channel
			reader  *reader
			sent    []reliable.RequestID
		}
		var places [members][2]place
		for i := range members {
			name := fmt.Sprint("member ", i)
			client := open(t, network.Node(name), reliable.DefaultConfig(sds.ParticipantID(name)))
			defer client.Close()
			for j, room := range rooms {
				channel := create(t, client, room, reliable.ChannelOptions{Segmentation: &reliable.Segmentation{SegmentBytes: 2_000}})
				places[i][j] = place{channel: channel, reader: read(channel)}
			}
		}
		for round := range rounds {
			network.SetStoreDown(round%4 < 2)
			for i := range members {
				time.Sleep(time.Duration(500+97*i) * time.Millisecond)
				for j := range rooms {
					payload := fmt.Appendf(nil, "%d %d %d", round, i, j)
					if (round+i)%5 == 0 {
						payload = append(payload, make([]byte, 5_000)...)
					}
					id, err := places[i][j].channel.Send(payload)
					check(t, err)
					places[i][j].sent = append(places[i][j].sent, id)
				}
			}
		}
		network.SetStoreDown(false)
		for j, room := range rooms {
			eventually(t, time.Hour, "equal in the "+room, func() bool {
				for i := range members {
					r := places[i][j].reader
					if r.count("delivered") != rounds || len(r.ids()) != rounds*(members-1) {
						return false
					}
				}
				return true
			})
			var everything []reliable.RequestID
			for i := range members {
				everything = append(everything, places[i][j].sent...)
			}
			slices.Sort(everything)
			for i := range members {
				p := places[i][j]
				all := append(p.reader.ids(), p.sent...)
				slices.Sort(all)
				if !slices.Equal(all, everything) {
					t.Errorf("member %d has other messages in the %s", i, room)
				}
				if status, err := p.channel.SyncStatus(); err != nil || !status.Synced || status.Lost != 0 {
					t.Errorf("member %d in the %s: %+v, %v", i, room, status, err)
				}
				if p.reader.count("sent") != rounds || p.reader.count("delivery-error")+p.reader.count("send-error") != 0 {
					t.Errorf("member %d in the %s: %v", i, room, p.reader.names)
				}
			}
		}
		if n := network.Equal(); n != 0 {
			t.Errorf("%d envelopes equalled others", n)
		}
	})
}

// A member that was off the network catches up from one recent message.
func TestCatchUpAfterBeingOffline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New(1, lossy.Options{MinDelay: 10 * time.Millisecond, MaxDelay: 20 * time.Millisecond})
		ada := open(t, network.Node("ada"), reliable.DefaultConfig("ada"))
		defer ada.Close()
		node := network.Node("bo")
		bo := open(t, node, reliable.DefaultConfig("bo"))
		defer bo.Close()
		says, hears := create(t, ada, "room", reliable.ChannelOptions{}), create(t, bo, "room", reliable.ChannelOptions{})
		adas, bos := read(says), read(hears)
		bo.Pause()
		node.SetDown(true)
		for i := range 40 {
			_, err := says.Send(fmt.Append(nil, i))
			check(t, err)
			time.Sleep(5 * time.Second)
		}
		_, err := hears.Send([]byte("written offline"))
		check(t, err)
		time.Sleep(time.Hour)
		if n := bos.count("received") + bos.count("sent"); n != 0 {
			t.Errorf("%d events while paused", n)
		}
		node.SetDown(false)
		bo.Resume()
		_, err = says.Send([]byte("recent"))
		check(t, err)
		eventually(t, 5*time.Second, "caught up", func() bool { return len(bos.ids()) == 41 })
		eventually(t, time.Minute, "delivered", func() bool { return bos.count("delivered") == 1 && adas.count("received") == 1 })
		if bos.count("lost") != 0 {
			t.Errorf("%v", bos.names)
		}
	})
}

// A paused client sets no timer.
func TestAPausedClientSleeps(t *testing.T) {
	clock := &countingClock{}
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New(1, lossy.Options{})
		config := reliable.DefaultConfig("ada")
		config.Clock = clock
		client := open(t, network.Node("ada"), config)
		defer client.Close()
		channel := create(t, client, "room", reliable.ChannelOptions{})
		_, err := channel.Send([]byte("hello"))
		check(t, err)
		client.Pause()
		synctest.Wait()
		before := clock.timers()
		time.Sleep(24 * time.Hour)
		if n := clock.timers() - before; n != 0 {
			t.Errorf("%d timers in a day of pause", n)
		}
		client.Resume()
		time.Sleep(time.Minute)
		if clock.timers() == before {
			t.Error("and none afterwards")
		}
	})
}

type countingClock struct {
	mu sync.Mutex
	n  int
}

func (c *countingClock) timers() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

func (c *countingClock) Now() time.Time { return time.Now() }

func (c *countingClock) After(d time.Duration) (<-chan time.Time, func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	timer := time.NewTimer(d)
	return timer.C, func() { timer.Stop() }
}

// stuck publishes and fetches until the context ends.
type stuck struct{ *memnet.Node }

func (stuck) Publish(ctx context.Context, _ string, _ []byte, _ time.Time) ([]byte, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// Close ends what is under way, waits for it, closes the events, and may be called again and by several.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New(1, lossy.Options{})
		client := open(t, stuck{network.Node("ada")}, reliable.DefaultConfig("ada"))
		channel, other := create(t, client, "room", reliable.ChannelOptions{}), create(t, client, "other", reliable.ChannelOptions{})
		_, err := channel.Send([]byte("hello"))
		check(t, err)
		synctest.Wait() // in Publish now
		check(t, other.Close())
		if _, open := <-drained(other); open {
			t.Error("the events of a closed channel are open")
		}
		if _, err := other.Send([]byte("x")); !errors.Is(err, reliable.ErrClosed) {
			t.Error(err)
		}
		var all sync.WaitGroup
		for range 4 {
			all.Add(2)
			go func() { defer all.Done(); check(t, client.Close()) }()
			go func() { defer all.Done(); check(t, channel.Close()) }()
		}
		all.Wait()
		if _, open := <-drained(channel); open {
			t.Error("the events of a closed client are open")
		}
		if _, err := channel.Send([]byte("x")); !errors.Is(err, reliable.ErrClosed) {
			t.Error(err)
		}
		if _, err := client.CreateReliableChannel("third", topic, reliable.ChannelOptions{}); !errors.Is(err, reliable.ErrClosed) {
			t.Error(err)
		}
		client.Pause()
		client.SetOnline(false)
		_ = client.Stats()
	})
}

// drained skips what is in the channel still.
func drained(channel *reliable.Channel) <-chan reliable.Event {
	for range channel.Events() {
	}
	return channel.Events()
}

// A publication that the node never ends is ended, and tried again.
func TestPublishTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := reliable.DefaultConfig("ada")
		config.PublishAttempts = 2
		client := open(t, stuck{memnet.New(1, lossy.Options{}).Node("ada")}, config)
		defer client.Close()
		_, err := mustChannel(t, client, "room").Send([]byte("x"))
		check(t, err)
		time.Sleep(2*config.PublishTimeout + 5*time.Second)
		if s := client.Stats(); s.PublishErrors != 2 || s.SendErrors != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func mustChannel(t *testing.T, client *reliable.Client, id string) *reliable.Channel {
	channel := create(t, client, id, reliable.ChannelOptions{})
	read(channel)
	return channel
}

// A subscription that the node ends is made again.
func TestSubscriptionsAreMadeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New(1, lossy.Options{})
		ada := open(t, network.Node("ada"), reliable.DefaultConfig("ada"))
		defer ada.Close()
		node := network.Node("bo")
		bo := open(t, node, reliable.DefaultConfig("bo"))
		defer bo.Close()
		says := mustChannel(t, ada, "room")
		bos := read(create(t, bo, "room", reliable.ChannelOptions{}))
		node.EndSubscriptions()
		_, err := says.Send([]byte("while nobody listens"))
		check(t, err)
		time.Sleep(2 * time.Second)
		_, err = says.Send([]byte("afterwards"))
		check(t, err)
		eventually(t, time.Minute, "both there", func() bool { return len(bos.ids()) == 2 })
	})
}

// An application that does not read holds nobody else up, and misses nothing.
func TestAnUnreadChannel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New(1, lossy.Options{})
		ada := open(t, network.Node("ada"), reliable.DefaultConfig("ada"))
		defer ada.Close()
		bo := open(t, network.Node("bo"), reliable.DefaultConfig("bo"))
		defer bo.Close()
		says := mustChannel(t, ada, "room")
		unread := create(t, bo, "room", reliable.ChannelOptions{EventLimit: 10})
		other := mustChannel(t, ada, "other")
		others := read(create(t, bo, "other", reliable.ChannelOptions{}))
		for i := range 500 {
			_, err := says.Send(fmt.Append(nil, i))
			check(t, err)
			time.Sleep(100 * time.Millisecond)
		}
		_, err := other.Send([]byte("hello"))
		check(t, err)
		time.Sleep(time.Second)
		if s := bo.Stats(); s.EventsUnread < 10 || s.EventsUnread > 20 || others.count("received") != 1 {
			t.Errorf("%+v", s)
		}
		r := read(unread)
		time.Sleep(10 * time.Millisecond) // what the node holds is taken at once, not when something else happens
		if n := r.count("received"); n < 50 {
			t.Errorf("%d of what the node held", n)
		}
		eventually(t, 30*time.Minute, "all read", func() bool { return len(r.ids()) == 500 })
	})
}

// Everything may be called from anywhere at any time.
func TestConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New(1, lossy.Options{Loss: 0.1, MinDelay: time.Millisecond, MaxDelay: 5 * time.Millisecond})
		config := reliable.DefaultConfig("ada")
		config.StorePath = filepath.Join(t.TempDir(), "ada")
		config.StoreOptions.Synchronous = sds.SynchronousOff
		ada := open(t, network.Node("ada"), config)
		bo := open(t, network.Node("bo"), reliable.DefaultConfig("bo"))
		defer bo.Close()
		hears := mustChannel(t, bo, "room")
		says := mustChannel(t, ada, "room")
		var all sync.WaitGroup
		for worker := range 8 {
			all.Add(1)
			go func() {
				defer all.Done()
				for i := range 20 {
					id, err := says.Send(fmt.Append(nil, worker, i))
					check(t, err)
					_, err = hears.Send(fmt.Append(nil, worker, i))
					check(t, err)
					switch i % 5 {
					case 0:
						_ = says.Retry(id)
					case 1:
						ada.Pause()
						_, _ = says.SyncStatus()
						ada.Resume()
					case 2:
						ada.SetOnline(i%2 == 0)
						_ = ada.Stats()
						ada.SetOnline(true)
					case 3:
						extra := create(t, ada, fmt.Sprint("extra ", worker, i), reliable.ChannelOptions{})
						_, _ = extra.SendEphemeral([]byte("x"))
						check(t, extra.Close())
					case 4:
						_ = says.Cancel(id)
						_, _ = says.MessageStatus(sds.MessageID(id))
						_, _ = says.ReadLog(sds.LogPosition{}, 10)
					}
					time.Sleep(time.Duration(worker) * time.Millisecond)
				}
			}()
		}
		all.Wait()
		check(t, ada.Close())
	})
}

func TestTheOneCallWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New(1, lossy.Options{})
		ada, err := reliable.CreateReliableChannel(network.Node("ada"), "room", topic, "ada", nil)
		check(t, err)
		bo, err := reliable.CreateReliableChannel(network.Node("bo"), "room", topic, "bo", nil)
		check(t, err)
		r := read(bo)
		_, err = ada.Send([]byte("hello"))
		check(t, err)
		eventually(t, time.Second, "received", func() bool { return r.count("received") == 1 })
		check(t, ada.Close())
		check(t, bo.Close())
		<-r.done
	})
}

func TestLogs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.DebugLevel)
		config := reliable.DefaultConfig("ada")
		config.Logger = zap.New(core)
		node := memnet.New(1, lossy.Options{}).Node("ada")
		client := open(t, node, config)
		defer client.Close()
		channel := mustChannel(t, client, "room")
		node.SetDown(true)
		_, err := channel.Send([]byte("hello"))
		check(t, err)
		time.Sleep(time.Minute)
		if logs.FilterMessage("send").Len() != 1 || logs.FilterMessage("problem").Len() != 1 || logs.FilterMessage("send-error").Len() != 1 {
			t.Errorf("%v", logs.All())
		}
	})
}

func TestConfigsThatAreRefused(t *testing.T) {
	node := memnet.New(1, lossy.Options{}).Node("ada")
	if _, err := reliable.Open(nil, reliable.DefaultConfig("ada")); err == nil {
		t.Error("no node")
	}
	for name, change := range map[string]func(*reliable.Config){
		"no id":            func(c *reliable.Config) { c.SDS.ParticipantID = "" },
		"auto open":        func(c *reliable.Config) { c.SDS.AutoOpenChannels = true },
		"two stores":       func(c *reliable.Config) { c.StorePath, c.External = "x", &reliable.External{} },
		"no commit":        func(c *reliable.Config) { c.External = &reliable.External{} },
		"no attempts":      func(c *reliable.Config) { c.PublishAttempts = 0 },
		"no batch":         func(c *reliable.Config) { c.FetchBatch = 0 },
		"no timeout":       func(c *reliable.Config) { c.FetchTimeout = 0 },
		"backwards":        func(c *reliable.Config) { c.PublishBackoffMax = time.Millisecond },
		"no fetch backoff": func(c *reliable.Config) { c.FetchBackoff = 0 },
		"the engine's":     func(c *reliable.Config) { c.SDS.LogMessages = 0 },
	} {
		config := reliable.DefaultConfig("ada")
		change(&config)
		if client, err := reliable.Open(node, config); err == nil {
			_ = client.Close()
			t.Errorf("%s was accepted", name)
		}
	}
}
