package interop

import (
	"container/heap"
	"crypto/sha256"
	"fmt"
	"math/rand"
	"slices"
	"testing"
	"time"
)

// Not all of it ASCII: both sides have to take names for the same bytes.
const room = "interop/général"

// epoch is when every scene begins. Nothing here reads the clock: both sides are told the time.
var epoch = time.UnixMilli(1_700_000_000_000)

// packet is a message on its way.
type packet struct {
	kind string // content, sync, ephemeral
	why  string // why it is on its way, if not for being new: resend, repair request, repair answer
	id   string
	from host
	data []byte
	// seen is what the sender says that it is. Whoever receives it has to agree.
	seen described
}

// hint is what the store keeps the packet under.
func (p packet) hint() string {
	sum := sha256.Sum256(p.data)
	return string(sum[:])
}

// host is one participant and the program around its engine.
type host interface {
	called() string
	ours() bool
	talk(content string) packet
	take(p packet)             // hears p, and has its answers in the outbox
	next() (time.Time, bool)   // when tick is due
	tick()                     // does what is due, and has what is to go out in the outbox
	emptied() []packet         // the outbox, which is empty afterwards
	log() []logged             // in the order of the log
	unconfirmed() []string     // messages of its own that it does not take for acknowledged
	confirmed() map[string]int // how often it was told that a message of its own is acknowledged
	missed() (missing, lost int)
}

// network is a broadcast network that loses, repeats, delays and reorders as its seed says, and a store that keeps
// everything.
type network struct {
	t      testing.TB
	now    time.Time
	random *rand.Rand
	loss   float64
	twice  float64
	flight flight
	count  int
	hosts  []host
	store  map[string]packet
	// storeOpen: all hosts fetch what is missing. Otherwise the store only answers fetch.
	storeOpen bool
	// feedAfter: those on @waku/sds fetch what was missing for so long, if it is not zero.
	feedAfter time.Duration
	fed       map[host]int
	said      map[string]packet // by id
}

func newNetwork(t testing.TB, seed int64, loss float64) *network {
	return &network{
		t:      t,
		now:    epoch,
		random: rand.New(rand.NewSource(seed)),
		loss:   loss,
		store:  make(map[string]packet),
		fed:    make(map[host]int),
		said:   make(map[string]packet),
	}
}

// wait lets time pass in which nothing happens.
func (n *network) wait(d time.Duration) { n.now = n.now.Add(d) }

// publish keeps a new message in the store.
func (n *network) publish(p packet) packet {
	n.t.Helper()
	if old, taken := n.said[p.id]; taken && string(old.seen.Content) != string(p.seen.Content) {
		n.t.Fatalf("two messages are called %s", p.id)
	}
	n.said[p.id] = p
	n.store[p.hint()] = p
	return p
}

// fetch has the store deliver a message, if it has one by that hint.
func (n *network) fetch(to host, hint []byte) bool {
	p, ok := n.store[string(hint)]
	if ok {
		n.fed[to]++
		tally("fetched from the store", p.from, to)
		n.carry(to, p)
	}
	return ok
}

// broadcast sends to everybody else, or does not.
func (n *network) broadcast(packets ...packet) {
	for _, p := range packets {
		for _, to := range n.hosts {
			if to == p.from {
				continue
			}
			if n.random.Float64() < n.loss {
				tally("lost by the network", p.from, to)
				continue
			}
			n.carry(to, p)
			if n.random.Float64() < n.twice {
				n.carry(to, p)
			}
		}
	}
}

// carry lets a packet arrive within a second: later ones overtake it.
func (n *network) carry(to host, p packet) {
	n.count++
	at := n.now.Add(time.Duration(10+n.random.Intn(990)) * time.Millisecond)
	heap.Push(&n.flight, arrival{at: at, order: n.count, to: to, packet: p})
}

// step lets the next thing happen: a packet arrives, or something falls due.
func (n *network) step() {
	var who host
	var at time.Time
	for _, h := range n.hosts {
		if due, ok := h.next(); ok && (who == nil || due.Before(at)) {
			who, at = h, due
		}
	}
	if len(n.flight) > 0 && (who == nil || !n.flight[0].at.After(at)) {
		a := heap.Pop(&n.flight).(arrival)
		n.advance(a.at)
		a.to.take(a.packet)
		n.broadcast(a.to.emptied()...)
		return
	}
	if who == nil {
		n.t.Fatal("nothing will ever happen again")
	}
	n.advance(at)
	who.tick()
	n.broadcast(who.emptied()...)
}

// soon is true if something happens before at.
func (n *network) soon(at time.Time) bool {
	if len(n.flight) > 0 && n.flight[0].at.Before(at) {
		return true
	}
	for _, h := range n.hosts {
		if due, ok := h.next(); ok && due.Before(at) {
			return true
		}
	}
	return false
}

func (n *network) advance(to time.Time) {
	if to.After(n.now) {
		n.now = to
	}
}

// until lets things happen until done, which is asked about once a second, at most for an hour of the scene's time.
func (n *network) until(what string, done func() bool) {
	n.t.Helper()
	limit := n.now.Add(time.Hour)
	for !done() {
		for next := n.now.Add(time.Second); n.soon(next); {
			n.step()
		}
		if n.now.After(limit) {
			for _, h := range n.hosts {
				missing, lost := h.missed()
				n.t.Logf("%s: log %d of %d, missing %d, lost %d, unconfirmed %d",
					h.called(), len(h.log()), len(n.said), missing, lost, len(h.unconfirmed()))
			}
			n.t.Fatalf("not %s after %v", what, n.now.Sub(epoch))
		}
		n.step()
	}
}

// checkLogs compares all logs: everything that was said, each once, in one order, and unchanged.
func (n *network) checkLogs(hosts ...host) {
	n.t.Helper()
	first := hosts[0].log()
	for _, h := range hosts {
		log := h.log()
		if len(log) != len(n.said) {
			n.t.Errorf("the log of %s has %d messages, %d were said", h.called(), len(log), len(n.said))
		}
		for i, m := range log {
			if said, known := n.said[m.ID]; !known || string(said.seen.Content) != string(m.Content) {
				n.t.Errorf("the log of %s has %.100q as %s, said was %.100q", h.called(), m.Content, m.ID, said.seen.Content)
			}
			if i >= len(first) || m.ID != first[i].ID || m.Timestamp != first[i].Timestamp {
				n.t.Errorf("the log of %s differs at %d from that of %s: %s", h.called(), i, hosts[0].called(), m.ID)
				return
			}
		}
		if !slices.IsSortedFunc(log, inOrder) {
			n.t.Errorf("the log of %s is not in order of timestamp and id", h.called())
		}
	}
}

// inOrder is the order of RFC 109, Resolve Conflicts.
func inOrder(a, b logged) int {
	if a.Timestamp != b.Timestamp {
		return int(int64(a.Timestamp) - int64(b.Timestamp))
	}
	return slices.Compare([]byte(a.ID), []byte(b.ID))
}

// agree compares how sender and receiver read the same bytes.
func agree(t testing.TB, sent, received described) {
	t.Helper()
	sent.Packet, received.Packet = nil, nil
	sent.Repairs, received.Repairs = nil, nil
	sent.Filter, received.Filter = nil, nil
	if want, got := fmt.Sprintf("%+v", sent), fmt.Sprintf("%+v", received); want != got {
		t.Errorf("sent     %.2000s\nreceived %.2000s", want, got)
	}
}

type arrival struct {
	at     time.Time
	order  int
	to     host
	packet packet
}

type flight []arrival

func (f flight) Len() int { return len(f) }
func (f flight) Less(i, j int) bool {
	return f[i].at.Before(f[j].at) || f[i].at.Equal(f[j].at) && f[i].order < f[j].order
}
func (f flight) Swap(i, j int) { f[i], f[j] = f[j], f[i] }
func (f *flight) Push(x any)   { *f = append(*f, x.(arrival)) }
func (f *flight) Pop() any {
	last := (*f)[len(*f)-1]
	*f = (*f)[:len(*f)-1]
	return last
}
