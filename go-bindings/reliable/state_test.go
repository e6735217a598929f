package reliable

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

// database keeps the records of an engine, as a host's does.
type database struct {
	records map[string]map[sds.Key][]byte
	failing bool
	commits int
}

func newDatabase() *database { return &database{records: make(map[string]map[sds.Key][]byte)} }

func (d *database) commit(writes []sds.Write) error {
	if d.failing {
		return errDown
	}
	d.commits++
	for _, w := range writes {
		channel := d.records[w.ChannelID]
		switch w.Op {
		case sds.WritePut:
			if channel == nil {
				channel = make(map[sds.Key][]byte)
				d.records[w.ChannelID] = channel
			}
			channel[w.Key] = bytes.Clone(w.Value)
		case sds.WriteDelete:
			delete(channel, w.Key)
		case sds.WriteForget:
			delete(d.records, w.ChannelID)
		case sds.WriteWipe:
			clear(d.records)
		}
	}
	return nil
}

func (d *database) external() *External {
	e := &External{Commit: d.commit}
	for _, channel := range slices.Sorted(maps.Keys(d.records)) {
		for key, value := range d.records[channel] {
			e.Records = append(e.Records, sds.StoredRecord{ChannelID: channel, Key: key, Value: value})
		}
	}
	return e
}

// durable runs a test once with a file and once with a database of the host. Config is that of one more start.
func durable(t *testing.T, test func(t *testing.T, config func(name string) Config)) {
	t.Run("file", func(t *testing.T) {
		folder := t.TempDir()
		test(t, func(name string) Config {
			config := simConfig(name)
			config.StorePath, config.StoreOptions.Synchronous = filepath.Join(folder, name), sds.SynchronousOff
			return config
		})
	})
	t.Run("host", func(t *testing.T) {
		databases := make(map[string]*database)
		test(t, func(name string) Config {
			if databases[name] == nil {
				databases[name] = newDatabase()
			}
			config := simConfig(name)
			config.External = databases[name].external()
			return config
		})
	})
}

// What was sent and not acknowledged goes on after a restart, under the id that Send returned, whether it was dispatched or
// not.
func TestRequestsOutliveTheProcess(t *testing.T) {
	durable(t, func(t *testing.T, config func(string) Config) {
		w := newWorld(t)
		options := segmented(small)
		w.silent = true
		ada := w.join("ada", config("ada"), options)
		dispatched := ada.say("dispatched")
		large, err := ada.trySay(randomBytes(1, 5_000))
		check(t, err)
		w.run(time.Second)
		ada.expect("sent", "sent")
		ada.core.setActive(false, false, w.now)
		undispatched := ada.say("never dispatched")
		ada.leave()

		w.silent = false
		w.now = w.now.Add(time.Hour)
		ada = w.join("ada", config("ada"), options)
		bo := w.join("bo", simConfig("bo"), options)
		w.until(5*time.Minute, "delivered", func() bool { return ada.count("delivered") == 3 })
		var ids []RequestID
		for _, e := range ada.find("delivered") {
			ids = append(ids, e.(Delivered).RequestID)
		}
		for _, id := range []RequestID{dispatched, large, undispatched} {
			if !slices.Contains(ids, id) {
				t.Errorf("%s is not among the delivered %v", id, ids)
			}
		}
		if sent := ada.find("sent"); len(sent) != 1 || sent[0].(Sent).RequestID != undispatched {
			t.Errorf("sent: %+v", sent)
		}
		if len(bo.payloads()) != 3 {
			t.Errorf("bo has %d", len(bo.payloads()))
		}
	})
}

// What was given up can be tried again after a restart, whatever its size.
func TestWhatWasGivenUpOutlivesTheProcess(t *testing.T) {
	durable(t, func(t *testing.T, config func(string) Config) {
		w := newWorld(t)
		options := segmented(small)
		w.silent = true
		ada := w.join("ada", config("ada"), options)
		ids := []RequestID{ada.say("little"), ""}
		var err error
		ids[1], err = ada.trySay(randomBytes(1, 5_000))
		check(t, err)
		w.until(time.Hour, "given up", func() bool { return ada.count("delivery-error") == 2 })
		ada.leave()
		w.silent = false
		ada = w.join("ada", config("ada"), options)
		bo := w.join("bo", simConfig("bo"), options)
		for _, id := range ids {
			check(t, ada.core.retry(ada.ch, id, w.now))
		}
		w.until(time.Hour, "delivered", func() bool { return ada.count("delivered") == 2 && len(bo.payloads()) == 2 })
		ada.expect("delivered", "delivered")
		for i, e := range ada.find("delivered") {
			if got := e.(Delivered).RequestID; !slices.Contains(ids, got) {
				t.Errorf("%d: %s", i, got)
			}
		}
	})
}

// An app without a log of its own gets the stored one first, in its order, with what it said itself, and then what is new.
func TestReplay(t *testing.T) {
	durable(t, func(t *testing.T, config func(string) Config) {
		w := newWorld(t)
		options := segmented(small)
		ada := w.join("ada", config("ada"), options)
		bo := w.join("bo", simConfig("bo"), options)
		large := string(randomBytes(1, 5_000))
		for i := range 100 {
			ada.say(fmt.Sprint("ada ", i))
			w.run(100 * time.Millisecond)
			bo.say(fmt.Sprint("bo ", i))
			w.run(100 * time.Millisecond)
		}
		bo.say(large)
		w.run(time.Minute)
		ada.leave()
		bo.say("said meanwhile")
		w.run(time.Second)

		options.Replay = true
		options.EventLimit = 10
		ada = w.join("ada", config("ada"), options)
		ada.blind = true
		w.run(time.Second)
		if n := ada.ch.events.len(); n > 10+replayPage || n < 10 {
			t.Errorf("%d events wait", n)
		}
		if status, _ := ada.core.syncStatus(ada.ch); status.Synced {
			t.Error("synced in the middle of a replay")
		}
		ada.blind = false
		w.until(time.Minute, "replayed", func() bool { return ada.count("replayed") == 1 })
		var replayed []string
		for _, e := range ada.find("received") {
			e := e.(Received)
			if !e.Replayed {
				break
			}
			if want := e.SenderID == "ada"; e.Own != want || e.Pending {
				t.Errorf("%+v", e)
			}
			replayed = append(replayed, string(e.Payload))
		}
		if len(replayed) != 201 || ada.find("replayed")[0].(Replayed).Payloads != 201 || replayed[200] != large {
			t.Fatalf("%d replayed", len(replayed))
		}
		for i := range 100 {
			if replayed[2*i] != fmt.Sprint("ada ", i) || replayed[2*i+1] != fmt.Sprint("bo ", i) {
				t.Fatalf("%d: %q, %q", i, replayed[2*i], replayed[2*i+1])
			}
		}
		w.until(time.Minute, "caught up", func() bool { return ada.payloads()[len(ada.shown)-1] == "said meanwhile" })
		w.run(time.Minute)
		if n := ada.count("delivered"); n != 0 {
			t.Errorf("%d delivered again", n)
		}
	})
}

// Half of a payload that was received before a restart is not received in vain.
func TestSegmentsOutliveTheProcess(t *testing.T) {
	durable(t, func(t *testing.T, config func(string) Config) {
		w := newWorld(t)
		w.network.MaxDelay = w.network.MinDelay // nothing overtakes
		options := segmented(small)
		ada := w.join("ada", simConfig("ada"), options)
		bo := w.join("bo", config("bo"), options)
		large := randomBytes(1, 5_000)
		_, err := ada.trySay(large)
		check(t, err)
		bo.pump()
		ada.pump()
		w.publishErr = errDown
		for range 3 {
			arrive, ok := w.inFlight.Pop(w.now.Add(time.Second))
			if !ok {
				t.Fatal("nothing on its way")
			}
			arrive()
		}
		bo.pump()
		bo.leave()
		w.inFlight = newWorld(t).inFlight
		if len(bo.shown) != 0 {
			t.Fatal("all was there")
		}
		w.publishErr = nil
		bo = w.join("bo", config("bo"), options)
		bo.pump()
		held := 0
		for _, set := range bo.ch.segments.sets {
			held += len(set.held)
		}
		if held == 0 || bo.ch.replay != nil || bo.count("replayed")+bo.count("received") != 0 {
			t.Errorf("%d segments are back, events %v", held, bo.names())
		}
		w.until(20*time.Minute, "all there", func() bool { return len(bo.payloads()) == 1 })
		if bo.payloads()[0] != string(large) {
			t.Error("another payload")
		}
	})
}

// What is missing is fetched after a restart, though it was told before it.
func TestWhatIsMissingIsFetchedAfterARestart(t *testing.T) {
	durable(t, func(t *testing.T, config func(string) Config) {
		w := newWorld(t)
		ada, bo := w.simple("ada"), w.join("bo", config("bo"), ChannelOptions{})
		bo.deaf = true
		ada.say("missed")
		w.run(time.Second)
		bo.deaf = false
		ada.say("heard")
		w.storeDown = true
		w.run(50 * time.Millisecond)
		w.silent = true
		bo.expect("received", "missing")
		bo.leave()
		w.storeDown = false
		bo = w.join("bo", config("bo"), ChannelOptions{})
		w.until(5*time.Second, "there", func() bool { return len(bo.payloads()) == 2 })
		bo.expect("missing", "recovered", "received", "ready")
	})
}

// The hint of a message that waits is stored with it: after a restart, once it is in order, our next message names it so that
// others can fetch it.
func TestTheHintOfAWaitingMessageOutlivesTheProcess(t *testing.T) {
	durable(t, func(t *testing.T, config func(string) Config) {
		w := newWorld(t)
		ada, bo := w.simple("ada"), w.join("bo", config("bo"), ChannelOptions{})
		bo.deaf = true
		ada.say("missed")
		w.run(time.Second)
		bo.deaf = false
		w.storeDown = true
		heard := ada.say("heard")
		w.run(100 * time.Millisecond)
		bo.expect("received", "missing")
		bo.leave()

		w.storeDown = false
		bo = w.join("bo", config("bo"), ChannelOptions{})
		w.until(5*time.Second, "in order", func() bool { return len(bo.payloads()) == 2 })
		published := len(w.envelopes)
		bo.say("next")
		w.until(time.Second, "published", func() bool { return len(w.envelopes) > published })
		data, _ := cutTag(w.envelopes[published].payload)
		next, err := sds.Inspect(data)
		check(t, err)
		at := slices.IndexFunc(next.History, func(e sds.HistoryEntry) bool { return RequestID(e.MessageID) == heard })
		if at < 0 || w.store.Get(next.History[at].RetrievalHint) == nil {
			t.Errorf("it names %+v", next.History)
		}
	})
}

// A channel that a store knows and nobody has created yet rests: nothing of it goes out, is given up or told to nobody.
func TestAChannelThatIsNotCreatedRests(t *testing.T) {
	durable(t, func(t *testing.T, config func(string) Config) {
		w := newWorld(t)
		w.silent = true
		ada := w.join("ada", config("ada"), ChannelOptions{})
		id := ada.say("hello")
		w.run(time.Second)
		ada.leave()
		w.silent = false
		w.envelopes = nil
		core, err := openCore(config("ada"), fixedClock{now: w.now})
		check(t, err)
		defer core.manager.Close()
		for range 120 {
			w.now = w.now.Add(time.Minute)
			core.tick(w.now)
			if _, ok, _ := core.nextPublish(w.now); ok {
				t.Fatal("something is published")
			}
		}
		ada.core, ada.events = core, nil
		w.peers = append(w.peers, ada)
		ada.open(ChannelOptions{})
		bo := w.simple("bo")
		w.until(10*time.Minute, "delivered", func() bool { return ada.count("delivered") == 1 })
		if got := ada.find("delivered")[0].(Delivered).RequestID; got != id || ada.count("delivery-error") != 0 {
			t.Errorf("%v, %v", got, ada.names())
		}
		bo.expect("received")
	})
}

// Nothing is told or published before the host has stored it, and all of it afterwards.
func TestAHostThatCannotCommit(t *testing.T) {
	w := newWorld(t)
	d := newDatabase()
	config := simConfig("ada")
	config.External = d.external()
	ada, bo := w.join("ada", config, ChannelOptions{}), w.simple("bo")
	bo.say("one")
	w.until(time.Minute, "received", func() bool { return ada.count("received") == 1 })
	d.failing = true
	commits := d.commits
	if id, err := ada.trySay([]byte("mine")); id == "" || err != ErrNotStored {
		t.Errorf("%q, %v", id, err)
	}
	if id, err := ada.trySay([]byte("not taken")); id != "" || err != ErrNotStored {
		t.Errorf("%q, %v", id, err)
	}
	bo.say("two")
	w.run(30 * time.Second)
	ada.expect("received", "problem")
	if n := len(bo.payloads()); n != 0 || d.commits != commits {
		t.Errorf("bo has %d", n)
	}
	d.failing = false
	w.until(time.Minute, "received and delivered", func() bool {
		return ada.count("received") == 2 && ada.count("delivered") == 1 && len(bo.payloads()) == 1
	})
	ada.expect("received", "problem", "received", "sent", "delivered")
	if n := ada.core.shutAndCount(w, d); n == 0 {
		t.Error("nothing was stored in the end")
	}
}

func (c *core) shutAndCount(w *world, d *database) int {
	before := d.commits
	c.shut(w.now)
	return d.commits - before + len(d.records)
}

func TestAChannelCanBeClosedAndOpenedAgain(t *testing.T) {
	w := newWorld(t)
	ada, bo := w.simple("ada"), w.simple("bo")
	if _, err := ada.core.openChannel("room", "x", ada.ch.options, w.now); !errors.Is(err, ErrChannelOpen) {
		t.Error(err)
	}
	bo.deaf = true
	ada.say("one")
	w.run(time.Second)
	ada.say("two")
	check(t, ada.core.closeChannel(ada.ch, w.now))
	if ada.core.publishing.queued() != 0 || len(ada.core.order) != 0 {
		t.Error("something waits to be published")
	}
	ada.core.receive(ada.ch, Message{Payload: []byte("x")}, false, w.now)
	w.run(time.Minute)
	bo.deaf = false
	ada.open(ChannelOptions{})
	w.until(5*time.Minute, "delivered", func() bool { return ada.count("delivered") == 2 })
	w.until(5*time.Minute, "received", func() bool { return len(bo.payloads()) == 2 })
}

// A message of another channel under the same topic is left to that channel; one that came under a wrong topic gets there.
func TestChannelsMayShareATopic(t *testing.T) {
	w := newWorld(t)
	ada, bo := w.simple("ada"), w.simple("bo")
	options := ChannelOptions{}
	check(t, options.complete(&bo.core.config))
	same, err := bo.core.openChannel("same", bo.ch.topic, options, w.now)
	check(t, err)
	elsewhere, err := bo.core.openChannel("elsewhere", "/another", options, w.now)
	check(t, err)
	id := ada.say("hello")
	ada.pump()
	message := Message{Payload: w.envelopes[0].payload}
	bo.core.receive(same, message, false, w.now)
	if bo.pump(); len(bo.shown) != 0 {
		t.Error("it was taken from another's subscription")
	}
	bo.core.receive(elsewhere, message, false, w.now)
	if bo.pump(); bo.shown[id].MessageID != id || same.events.len()+elsewhere.events.len() > 2 {
		t.Errorf("%d events elsewhere", same.events.len()+elsewhere.events.len())
	}
}
