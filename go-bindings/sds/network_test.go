package sds_test

import (
	"container/heap"
	"math/rand"
	"slices"
	"testing"
	"time"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

// epoch is when every test begins. No test reads the clock.
var epoch = time.UnixMilli(1_700_000_000_000)

// after is a time of the test.
func after(d time.Duration) time.Time { return epoch.Add(d) }

// must fails the test on an error.
func must[T any](t testing.TB) func(T, error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// open opens a manager that is closed at the end of the test.
func open(t testing.TB, id sds.ParticipantID, changes ...func(*sds.Config)) *sds.Manager {
	t.Helper()
	config := sds.DefaultConfig()
	config.ParticipantID = id
	seed := uint64(len(id)) + 42
	for _, b := range []byte(id) {
		seed = seed*31 + uint64(b)
	}
	config.Seed = &seed
	for _, change := range changes {
		change(&config)
	}
	m := must[*sds.Manager](t)(sds.Open(config))
	t.Cleanup(func() { check(t, m.Close()) })
	return m
}

// openIn opens a manager with one channel.
func openIn(t testing.TB, id sds.ParticipantID, channel string, options sds.ChannelOptions, changes ...func(*sds.Config)) *sds.Manager {
	t.Helper()
	m := open(t, id, changes...)
	check(t, m.OpenChannel(channel, options, epoch))
	return m
}

func libsds(c *sds.Config) { c.Profile = sds.ProfileLibsds }

// outputs drains and picks one kind.
func outputs[T sds.Output](t testing.TB, m *sds.Manager) []T {
	t.Helper()
	var picked []T
	for _, output := range must[[]sds.Output](t)(m.Drain()) {
		if output, ok := output.(T); ok {
			picked = append(picked, output)
		}
	}
	return picked
}

// network is an in-memory broadcast network that loses, delays, reorders and duplicates, the same way for the same seed.
type network struct {
	t         testing.TB
	random    *rand.Rand
	now       time.Time
	loss      float64
	duplicate float64
	flight    flight
	sent      int
	peers     []*peer
	store     map[string][]byte // by retrieval hint, like a store node; nil if there is none
	stored    map[sds.MessageID]sds.Inspection
}

// peer is a participant with what its user saw.
type peer struct {
	*sds.Manager
	net          *network
	name         sds.ParticipantID
	seen         []sds.MessageID // in the order shown, own ones included
	has          map[sds.MessageID]bool
	acknowledged map[sds.MessageID]int
	missing      []sds.Missing
	lost         []sds.Lost
}

type packet struct {
	at    time.Time
	order int
	to    *peer
	data  []byte
}

type flight []packet

func (f flight) Len() int { return len(f) }
func (f flight) Less(i, j int) bool {
	return f[i].at.Before(f[j].at) || f[i].at.Equal(f[j].at) && f[i].order < f[j].order
}
func (f flight) Swap(i, j int) { f[i], f[j] = f[j], f[i] }
func (f *flight) Push(x any)   { *f = append(*f, x.(packet)) }
func (f *flight) Pop() any {
	last := (*f)[len(*f)-1]
	*f = (*f)[:len(*f)-1]
	return last
}

func newNetwork(t testing.TB, seed int64, loss, duplicate float64) *network {
	return &network{
		t:         t,
		random:    rand.New(rand.NewSource(seed)),
		now:       epoch,
		loss:      loss,
		duplicate: duplicate,
		store:     make(map[string][]byte),
		stored:    make(map[sds.MessageID]sds.Inspection),
	}
}

func (n *network) join(m *sds.Manager, name sds.ParticipantID) *peer {
	p := &peer{
		Manager:      m,
		net:          n,
		name:         name,
		has:          make(map[sds.MessageID]bool),
		acknowledged: make(map[sds.MessageID]int),
	}
	n.peers = append(n.peers, p)
	return p
}

// broadcast sends to everybody else, or does not.
func (n *network) broadcast(from *peer, data []byte) {
	for _, to := range n.peers {
		if to == from || n.random.Float64() < n.loss {
			continue
		}
		n.deliver(to, data)
		if n.random.Float64() < n.duplicate {
			n.deliver(to, data)
		}
	}
}

// deliver lets a packet arrive within a second: later ones overtake it.
func (n *network) deliver(to *peer, data []byte) {
	n.sent++
	at := n.now.Add(time.Duration(10+n.random.Intn(990)) * time.Millisecond)
	heap.Push(&n.flight, packet{at: at, order: n.sent, to: to, data: data})
}

// say wraps and broadcasts. Every message can be fetched from the store by its hint.
func (p *peer) say(channel, content string) sds.MessageID {
	n := p.net
	n.t.Helper()
	wrapped := must[sds.Wrapped](n.t)(p.WrapOutgoing(channel, "", []byte(content), n.now))
	hint := hintOf(wrapped.MessageID)
	check(n.t, p.SetRetrievalHint(channel, wrapped.MessageID, hint))
	if n.store != nil {
		n.store[string(hint)] = wrapped.Data
	}
	n.stored[wrapped.MessageID] = must[sds.Inspection](n.t)(sds.Inspect(wrapped.Data))
	p.show(wrapped.MessageID)
	n.broadcast(p, wrapped.Data)
	p.pump()
	return wrapped.MessageID
}

// hintOf is what the store of the network knows a message by.
func hintOf(id sds.MessageID) []byte {
	return []byte("hash of " + id)
}

// show is the user's screen: nothing twice, and nothing before what it depends on.
func (p *peer) show(id sds.MessageID) {
	p.net.t.Helper()
	if p.has[id] {
		p.net.t.Errorf("%s: %s is shown twice", p.name, id)
	}
	for _, before := range p.net.stored[id].History {
		if !p.has[before.MessageID] {
			p.net.t.Errorf("%s: %s is shown before %s, on which it depends", p.name, id, before.MessageID)
		}
	}
	p.has[id] = true
	p.seen = append(p.seen, id)
}

func (p *peer) receive(data []byte) {
	n := p.net
	u := must[sds.Unwrapped](n.t)(p.UnwrapIncoming(data, n.now))
	if u.Disposition != sds.DispositionSync {
		// Who names it next may be the only one that a third hears of it.
		check(n.t, p.SetRetrievalHint(u.ChannelID, u.MessageID, hintOf(u.MessageID)))
	}
	switch u.Disposition {
	case sds.DispositionDelivered:
		p.show(u.MessageID)
	case sds.DispositionWaiting:
		if len(u.Unmet) == 0 {
			n.t.Errorf("%s: %s waits for nothing", p.name, u.MessageID)
		}
	case sds.DispositionDuplicate, sds.DispositionSync:
	case sds.DispositionOwn:
		// Somebody answered for a message of ours.
		if !p.has[u.MessageID] {
			n.t.Errorf("%s: %s is not its own", p.name, u.MessageID)
		}
	default:
		n.t.Errorf("%s: %s is %v", p.name, u.MessageID, u.Disposition)
	}
	p.pump()
}

// pump does what the outputs ask for.
func (p *peer) pump() {
	n := p.net
	for _, output := range must[[]sds.Output](n.t)(p.Drain()) {
		switch o := output.(type) {
		case sds.Transmit:
			n.broadcast(p, o.Data)
		case sds.Delivered:
			p.show(o.MessageID)
		case sds.Missing:
			p.missing = append(p.missing, o)
			if data, ok := n.store[string(o.RetrievalHint)]; ok {
				n.deliver(p, data)
			}
		case sds.Lost:
			p.lost = append(p.lost, o)
		case sds.Acknowledged:
			p.acknowledged[o.MessageID]++
		case sds.Failed, sds.Unconfirmed:
			n.t.Errorf("%s: %#v", p.name, o)
		}
	}
}

// step lets the next thing happen: a packet arrives, or a peer's deadline comes. False if nothing ever will.
func (n *network) step() bool {
	var next time.Time
	var who *peer
	for _, p := range n.peers {
		deadline, ok, err := p.NextDeadline()
		check(n.t, err)
		if ok && (who == nil || deadline.Before(next)) {
			next, who = deadline, p
		}
	}
	if len(n.flight) > 0 && (who == nil || !n.flight[0].at.After(next)) {
		packet := heap.Pop(&n.flight).(packet)
		n.advance(packet.at)
		packet.to.receive(packet.data)
		return true
	}
	if who == nil {
		return false
	}
	n.advance(next)
	check(n.t, who.Tick(n.now))
	who.pump()
	return true
}

func (n *network) advance(to time.Time) {
	if to.After(n.now) {
		n.now = to
	}
}

// runUntil lets things happen until done, within an hour of the test's time.
func (n *network) runUntil(what string, done func() bool) {
	n.t.Helper()
	limit := n.now.Add(time.Hour)
	for steps := 0; !done(); steps++ {
		if n.now.After(limit) || steps > 1_000_000 || !n.step() {
			for _, p := range n.peers {
				n.t.Logf("%s has %d of %d; %d missing, %d lost", p.name, len(p.seen), len(n.stored), len(p.missing), len(p.lost))
			}
			n.t.Fatalf("not %s after %v and %d steps", what, n.now.Sub(epoch), steps)
		}
	}
}

// settled is true when everybody has everything and knows that somebody has what they sent.
func (n *network) settled(channel string) bool {
	for _, p := range n.peers {
		if len(p.seen) != len(n.stored) {
			return false
		}
		if must[sds.ChannelStatus](n.t)(p.ChannelStatus(channel)).Unacknowledged > 0 {
			return false
		}
	}
	return true
}

// checkEqual compares what the peers ended up with.
func (n *network) checkEqual(channel string) {
	n.t.Helper()
	var everything []sds.MessageID
	for id := range n.stored {
		everything = append(everything, id)
	}
	slices.Sort(everything)
	// The last few of the log; before them, each may name some that it did not hear named.
	latest := func(p *peer) []sds.HistoryEntry {
		history := must[[]sds.HistoryEntry](n.t)(p.NextHistory(channel))
		return history[max(0, len(history)-sds.DefaultConfig().CausalHistorySize):]
	}
	first := latest(n.peers[0])
	for _, p := range n.peers {
		if seen := slices.Sorted(slices.Values(p.seen)); !slices.Equal(seen, everything) {
			n.t.Errorf("%s has %d of %d messages", p.name, len(seen), len(everything))
		}
		status := must[sds.ChannelStatus](n.t)(p.ChannelStatus(channel))
		if status.Missing+status.Waiting+status.Lost+status.Unacknowledged+status.GivenUp != 0 {
			n.t.Errorf("%s: %+v", p.name, status)
		}
		if status.Received+status.Sent != uint64(len(everything)) {
			n.t.Errorf("%s: received %d and sent %d of %d", p.name, status.Received, status.Sent, len(everything))
		}
		if len(p.acknowledged) != int(status.Sent) || int(status.Acknowledged) != len(p.acknowledged) {
			n.t.Errorf("%s: %d of %d acknowledged, status says %d", p.name, len(p.acknowledged), status.Sent, status.Acknowledged)
		}
		for id, times := range p.acknowledged {
			if times != 1 {
				n.t.Errorf("%s: told %d times that %s is acknowledged", p.name, times, id)
			}
		}
		history := latest(p)
		if len(history) != len(first) {
			n.t.Fatalf("%s: next history %v, not %v", p.name, history, first)
		}
		for i := range history {
			if history[i].MessageID != first[i].MessageID {
				n.t.Errorf("%s: the end of its log is not that of the others", p.name)
			}
		}
	}
}
