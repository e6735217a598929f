package reliable

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/status-im/sds-rs/go-bindings/internal/agenda"
	"github.com/status-im/sds-rs/go-bindings/internal/lossy"
	"github.com/status-im/sds-rs/go-bindings/internal/packetstore"
	"github.com/status-im/sds-rs/go-bindings/sds"
)

// epoch is when every simulation begins. Nothing here reads a clock or sleeps.
var epoch = time.UnixMilli(1_700_000_000_000)

var errDown = errors.New("the test took it down")

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// world is a network of cores, whose time is stepped from one thing that happens to the next.
type world struct {
	t       testing.TB
	now     time.Time
	network lossy.Options
	seed    uint64
	store   *packetstore.Store
	// storeDown, silent: whether the store fails, whether the network loses everything.
	storeDown, silent bool
	// publishErr is what the nodes answer.
	publishErr error
	// lies: the nodes publish, and say that they could not.
	lies      bool
	inFlight  agenda.Queue[func()]
	peers     []*peer
	envelopes []sent
	said      int
	queries   []int // how many hashes each had
}

// sent is an envelope on the network.
type sent struct {
	from      *peer
	at        time.Time
	topic     string
	payload   []byte
	timestamp time.Time
}

// peer is a participant with what its application saw.
type peer struct {
	w    *world
	name string
	core *core
	ch   *channelState
	// deaf: its network brings nothing; blind: its application reads no events.
	deaf, blind bool
	// remembers: its application has a log from a process before this, and skips what is in it.
	remembers bool
	links     map[*peer]*lossy.Link
	// inbox is what its node holds until there is room.
	inbox  []Message
	events []Event
	shown  map[RequestID]Incoming
	ready  map[RequestID]bool
}

func newWorld(t testing.TB) *world {
	return &world{t: t, now: epoch, seed: 1, store: packetstore.New(100_000),
		network: lossy.Options{MinDelay: 10 * time.Millisecond, MaxDelay: 40 * time.Millisecond}}
}

func (w *world) after(d time.Duration) time.Time { return epoch.Add(d) }

func simConfig(name string) Config {
	config := DefaultConfig(sds.ParticipantID(name))
	seed := uint64(len(name))
	for _, b := range []byte(name) {
		seed = seed*131 + uint64(b)
	}
	config.SDS.Seed = &seed
	return config
}

type fixedClock struct {
	wallClock
	now time.Time
}

func (c fixedClock) Now() time.Time { return c.now }

// join adds a participant in the channel "room".
func (w *world) join(name string, config Config, options ChannelOptions) *peer {
	w.t.Helper()
	check(w.t, config.check())
	core, err := openCore(config, fixedClock{now: w.now})
	check(w.t, err)
	w.t.Cleanup(func() { _ = core.manager.Close() })
	p := &peer{w: w, name: name, core: core, links: make(map[*peer]*lossy.Link),
		shown: make(map[RequestID]Incoming), ready: make(map[RequestID]bool)}
	p.open(options)
	w.peers = append(w.peers, p)
	return p
}

func (w *world) simple(name string) *peer { return w.join(name, simConfig(name), ChannelOptions{}) }

func (p *peer) open(options ChannelOptions) {
	p.w.t.Helper()
	check(p.w.t, options.complete(&p.core.config))
	var err error
	p.ch, err = p.core.openChannel("room", "/test/1/room/proto", options, p.w.now)
	check(p.w.t, err)
}

// leave ends a participant, as if its process ended.
func (p *peer) leave() {
	p.core.shut(p.w.now)
	check(p.w.t, p.core.manager.Close())
	p.w.peers = slices.DeleteFunc(p.w.peers, func(other *peer) bool { return other == p })
}

func (p *peer) say(payload string) RequestID {
	p.w.t.Helper()
	id, err := p.trySay([]byte(payload))
	check(p.w.t, err)
	return id
}

func (p *peer) trySay(payload []byte) (RequestID, error) {
	p.w.said++
	setID := fmt.Appendf(nil, "%-16.16s", fmt.Sprintf("%d-%s", p.w.said, p.name))
	return p.core.send(p.ch, payload, setID, p.w.now)
}

// pump lets a participant do all that it can do now, and returns when it has more to do.
func (p *peer) pump() (next time.Time, ok bool) {
	earlier := func(t time.Time, due bool) {
		if due && !t.IsZero() && (!ok || t.Before(next)) {
			next, ok = t, true
		}
	}
	for busy := true; busy; {
		busy = false
		for len(p.inbox) > 0 && p.core.room(p.ch) {
			busy = true
			p.core.receive(p.ch, p.inbox[0], false, p.w.now)
			p.inbox = p.inbox[1:]
		}
		p.core.tick(p.w.now)
		e, publish, again := p.core.nextPublish(p.w.now)
		if publish {
			busy = true
			hash, err := p.w.publish(p, e)
			p.core.published(e.publication, hash, err, p.w.now)
		}
		earlier(again, true)
		hashes, again := p.core.nextFetch(p.w.now)
		if len(hashes) > 0 {
			busy = true
			p.w.fetch(p, hashes)
		}
		earlier(again, true)
		busy = p.read() || busy
	}
	t, due := p.core.next()
	earlier(t, due)
	return next, ok
}

// read is the application; true if it read anything.
func (p *peer) read() bool {
	any := false
	for !p.blind {
		e, ok := p.ch.events.pop(func() SyncStatus { return p.ch.told })
		if !ok {
			break
		}
		any = true
		p.events = append(p.events, e)
		p.show(e)
	}
	return any
}

// show checks what every application relies on: nothing twice, and Ready only for what is pending.
func (p *peer) show(e Event) {
	t := p.w.t
	t.Helper()
	switch e := e.(type) {
	case Received:
		if e.Own && e.Replayed && p.remembers {
			return
		}
		if before, twice := p.shown[e.MessageID]; twice && p.remembers && e.Replayed {
			if !bytes.Equal(before.Payload, e.Payload) {
				t.Errorf("%s: %s is replayed as another", p.name, e.MessageID)
			}
		} else if twice && !(p.remembers && !p.ready[e.MessageID]) {
			t.Errorf("%s: %s is received twice", p.name, e.MessageID)
		}
		p.shown[e.MessageID] = e.Incoming
		p.ready[e.MessageID] = !e.Pending
	case Ready:
		before, known := p.shown[e.MessageID]
		if known && (p.ready[e.MessageID] || !bytes.Equal(before.Payload, e.Payload)) {
			t.Errorf("%s: %s is ready and was not pending, or is another", p.name, e.MessageID)
		}
		p.shown[e.MessageID] = e.Incoming
		p.ready[e.MessageID] = true
	}
}

func (w *world) publish(from *peer, e envelope) ([]byte, error) {
	if w.publishErr != nil {
		return nil, w.publishErr
	}
	w.envelopes = append(w.envelopes, sent{from, w.now, e.topic, e.payload, e.timestamp})
	// As a Waku node does, equal envelopes are one; the hash covers the timestamp.
	packet := fmt.Appendf(nil, "%d/", e.timestamp.UnixNano())
	packet = append(packet, e.payload...)
	hash := w.store.Put(packet)
	for _, to := range w.peers {
		if to == from || to.deaf || from.deaf || w.silent {
			continue
		}
		if from.links[to] == nil {
			from.links[to] = lossy.NewLink(w.seed, from.name, to.name, w.network)
		}
		for _, delay := range from.links[to].Next().Delays {
			w.inFlight.Push(w.now.Add(delay), func() { to.inbox = append(to.inbox, Message{Hash: hash, Payload: e.payload}) })
		}
	}
	if w.lies {
		return nil, errDown
	}
	return hash, nil
}

// fetch answers after a moment.
func (w *world) fetch(p *peer, hashes [][]byte) {
	w.queries = append(w.queries, len(hashes))
	down := w.storeDown || p.deaf
	w.inFlight.Push(w.now.Add(200*time.Millisecond), func() {
		if down {
			p.core.fetched(nil, errDown, w.now)
			return
		}
		var found []Message
		for _, hash := range hashes {
			if packet := w.store.Get(hash); packet != nil {
				_, payload, _ := bytes.Cut(packet, []byte("/"))
				found = append(found, Message{Hash: hash, Payload: payload})
			}
		}
		p.core.fetched(found, nil, w.now)
	})
}

// until steps the time until something is so, for at most so long.
func (w *world) until(limit time.Duration, what string, done func() bool) {
	w.t.Helper()
	end := w.now.Add(limit)
	for {
		var next time.Time
		ok := false
		for _, p := range w.peers {
			if t, due := p.pump(); due && (!ok || t.Before(next)) {
				next, ok = t, true
			}
		}
		if done() {
			return
		}
		if t, due := w.inFlight.Next(); due && (!ok || t.Before(next)) {
			next, ok = t, true
		}
		if !ok || next.After(end) {
			w.now = end
			if what != "" {
				w.t.Fatalf("not %s after %v", what, end.Sub(epoch))
			}
			return
		}
		if next.After(w.now) {
			w.now = next
		}
		for {
			arrive, ok := w.inFlight.Pop(w.now)
			if !ok {
				break
			}
			arrive()
		}
	}
}

// run lets so much time pass.
func (w *world) run(d time.Duration) {
	w.t.Helper()
	w.until(d, "", func() bool { return false })
}

// names are the names of a participant's events, in their order, without those of the status.
func (p *peer) names() (names []string) {
	for _, e := range p.events {
		if _, status := e.(SyncStatus); !status {
			names = append(names, e.Name())
		}
	}
	return names
}

// find returns the events of a name.
func (p *peer) find(name string) (events []Event) {
	for _, e := range p.events {
		if e.Name() == name {
			events = append(events, e)
		}
	}
	return events
}

func (p *peer) count(name string) (n int) {
	for _, e := range p.events {
		if e.Name() == name {
			n++
		}
	}
	return n
}

// expect fails unless a participant's events, of the names that are asked for, are these.
func (p *peer) expect(names ...string) {
	p.w.t.Helper()
	var got []string
	for _, name := range p.names() {
		if slices.Contains(names, name) {
			got = append(got, name)
		}
	}
	if !slices.Equal(got, names) {
		p.w.t.Errorf("%s: events %v, want %v", p.name, got, names)
	}
}

// payloads are what the application has in order, sorted as all members see them.
func (p *peer) payloads() (payloads []string) {
	var all []Incoming
	for id, m := range p.shown {
		if p.ready[id] {
			all = append(all, m)
		}
	}
	slices.SortFunc(all, func(a, b Incoming) int {
		if a.Timestamp != b.Timestamp {
			return int(int64(a.Timestamp - b.Timestamp))
		}
		return strings.Compare(string(a.MessageID), string(b.MessageID))
	})
	for _, m := range all {
		payloads = append(payloads, string(m.Payload))
	}
	return payloads
}

// engineLog is the log as the engine has it, in its order.
func (p *peer) engineLog() []string {
	dump, err := p.core.manager.DumpChannel("room")
	check(p.w.t, err)
	var state struct {
		Log [][2]any `json:"log_latest_first"`
	}
	check(p.w.t, json.Unmarshal(dump, &state))
	var log []string
	for _, entry := range state.Log {
		log = append(log, fmt.Sprint(entry[1]))
	}
	return log
}

func (p *peer) synced() bool {
	status, err := p.core.syncStatus(p.ch)
	check(p.w.t, err)
	return status.Synced && status.Unacknowledged == 0
}

func allSynced(w *world) func() bool {
	return func() bool { return !slices.ContainsFunc(w.peers, func(p *peer) bool { return !p.synced() }) }
}
