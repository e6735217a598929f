package interop

import (
	"bytes"
	"slices"
	"testing"
	"time"
)

// How the program around @waku/sds keeps it going; the package itself has no timers.
const (
	sweepEvery    = 5 * time.Second
	resendEvery   = 10 * time.Second
	syncEvery     = 30 * time.Second
	eventDone     = "sds:in:message-delivered"
	eventAck      = "sds:out:message-acknowledged"
	eventPossibly = "sds:out:message-possibly-acknowledged"
	eventMissing  = "sds:in:message-missing"
	eventLost     = "sds:in:message-irretrievably-lost"
	eventSync     = "sds:in:sync-received"
	eventAsked    = "sds:repair:request-received"
	eventError    = "sds:error-task"
)

// theirs is a participant on @waku/sds.
type theirs struct {
	t      testing.TB
	net    *network
	name   string
	peer   *peer
	outbox []packet
	events []event
	// What its host remembers for it.
	sent     map[string]packet
	resendAt map[string]time.Time
	sweepAt  time.Time
	syncAt   time.Time
	fetchAt  map[string]time.Time
	acks     map[string]int
	noticed  map[string]bool
}

// theirs opens a MessageChannel on the network.
func (n *network) theirs(name string, o options) *theirs {
	n.t.Helper()
	h := &theirs{
		t: n.t, net: n, name: name, peer: newPeer(n.t),
		sent: make(map[string]packet), resendAt: make(map[string]time.Time),
		sweepAt: n.now.Add(sweepEvery), syncAt: n.now.Add(syncEvery),
		fetchAt: make(map[string]time.Time), acks: make(map[string]int), noticed: make(map[string]bool),
	}
	h.ask(request{Do: "open", Channel: room, Sender: name, Seed: 1 + n.random.Int63n(1<<30), Options: &o})
	n.hosts = append(n.hosts, h)
	return h
}

func (h *theirs) called() string { return h.name }
func (h *theirs) ours() bool     { return false }

// ask has the process do something, and remembers what it tells.
func (h *theirs) ask(r request) reply {
	h.t.Helper()
	reply := h.peer.ask(h.net.now, r)
	for _, e := range reply.Events {
		switch e.Name {
		case eventError:
			h.t.Errorf("%s, asked to %s: %s", h.name, r.Do, e.Error)
		case eventAck:
			for _, id := range e.IDs {
				h.acks[id]++
				tallyAck(h)
			}
		case eventMissing:
			for _, id := range e.IDs {
				if !h.noticed[id] {
					h.noticed[id] = true
					tallyGap(h)
				}
			}
		}
	}
	h.events = append(h.events, reply.Events...)
	return reply
}

// told counts the events of a name about an id.
func (h *theirs) told(name, id string) int {
	count := 0
	for _, e := range h.events {
		if e.Name == name && slices.Contains(e.IDs, id) {
			count++
		}
	}
	return count
}

func (h *theirs) packet(d described) packet {
	p := packet{kind: d.Kind, id: d.ID, from: h, data: d.Packet, seen: d}
	if d.Asks > 0 {
		p.why = "repair request"
	}
	return p
}

// say makes a message; whether it arrives is the scene's business.
func (h *theirs) say(content string) packet {
	h.t.Helper()
	p := h.packet(h.ask(request{Do: "send", Content: []byte(content)}).Messages[0])
	h.sent[p.id] = p
	h.resendAt[p.id] = h.net.now.Add(resendEvery)
	return h.net.publish(p)
}

// whisper makes an ephemeral message.
func (h *theirs) whisper(content string) packet {
	h.t.Helper()
	return h.packet(h.ask(request{Do: "ephemeral", Content: []byte(content)}).Messages[0])
}

// sync makes a sync message; there is none while its log is empty.
func (h *theirs) sync() []packet {
	h.t.Helper()
	var packets []packet
	for _, d := range h.ask(request{Do: "sync"}).Messages {
		packets = append(packets, h.packet(d))
	}
	return packets
}

// hear takes a packet in. It reads the same in it as its sender, and would write the same bytes.
func (h *theirs) hear(p packet) described {
	h.t.Helper()
	count(p, h)
	read := h.ask(request{Do: "receive", Packet: p.data}).Messages
	if len(read) != 1 {
		h.t.Fatalf("%s cannot read a %s message of %s", h.name, p.kind, p.from.called())
	}
	if p.from.ours() {
		agree(h.t, p.seen, read[0])
		if !bytes.Equal(read[0].Packet, p.data) {
			h.t.Errorf("%s would write the %s message %s of %s otherwise", h.name, p.kind, p.id, p.from.called())
		}
	}
	return read[0]
}

// sweep does both sweeps and the one of SDS-R.
func (h *theirs) sweep() reply {
	h.t.Helper()
	return h.ask(request{Do: "sweep"})
}

// dump is its state; of the ids given it tells which its filter holds.
func (h *theirs) dump(ids ...string) reply {
	h.t.Helper()
	return h.ask(request{Do: "dump", IDs: ids})
}

func (h *theirs) talk(content string) packet { return h.say(content) }
func (h *theirs) take(p packet)              { h.hear(p) }

func (h *theirs) next() (time.Time, bool) { return h.sweepAt, true }

// tick is what a program around @waku/sds does from time to time.
func (h *theirs) tick() {
	now := h.net.now
	h.sweepAt = now.Add(sweepEvery)
	swept := h.sweep()
	for _, e := range swept.Missing {
		if _, known := h.fetchAt[e.ID]; !known {
			h.fetchAt[e.ID] = now.Add(h.net.feedAfter)
		}
		if (h.net.storeOpen || h.net.feedAfter > 0) && !now.Before(h.fetchAt[e.ID]) {
			h.fetchAt[e.ID] = now.Add(sweepEvery)
			h.net.fetch(h, e.Hint)
		}
	}
	for _, id := range append(swept.Unacknowledged, swept.Possibly...) {
		if p := h.sent[id]; !now.Before(h.resendAt[id]) {
			h.resendAt[id] = now.Add(resendEvery)
			p.why = "resend"
			h.outbox = append(h.outbox, p)
		}
	}
	for _, d := range swept.Messages {
		p := h.packet(d)
		p.why = "repair answer"
		h.outbox = append(h.outbox, p)
	}
	if !now.Before(h.syncAt) {
		h.syncAt = now.Add(syncEvery)
		h.outbox = append(h.outbox, h.sync()...)
	}
}

func (h *theirs) emptied() []packet {
	packets := h.outbox
	h.outbox = nil
	return packets
}

func (h *theirs) log() []logged             { return h.dump().Log }
func (h *theirs) unconfirmed() []string     { return h.dump().Outgoing }
func (h *theirs) confirmed() map[string]int { return h.acks }
func (h *theirs) missed() (missing, lost int) {
	for _, e := range h.events {
		if e.Name == eventLost {
			lost += len(e.IDs)
		}
	}
	return len(h.sweep().Missing), lost
}
