package interop

import (
	"fmt"
	"testing"
	"time"
)

// Two talk over a network that loses a fifth, and nothing but resends mends it. In the end both logs are equal, and each
// knows that the other has what it said.
func TestConversation(t *testing.T) {
	for seed := int64(1); seed <= 4; seed++ {
		for _, history := range []int{2, 200} { // what RFC 109 recommends, and what @waku/sds does by default
			t.Run(fmt.Sprintf("seed %d, their history %d", seed, history), func(t *testing.T) {
				scene(t)
				n := newNetwork(t, seed, 0.2)
				n.ours("alice")
				n.theirs("bob", options{CausalHistorySize: history})
				n.converse(300)
				n.until("settled", n.settled)
				n.checkSettled()
			})
		}
	}
}

// Four, two of each kind. A sender stops to send again once anybody has its message; who has not fetches it from the store.
func TestGroupConversation(t *testing.T) {
	for seed := int64(1); seed <= 2; seed++ {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			scene(t)
			n := newNetwork(t, seed, 0.2)
			n.storeOpen = true
			n.ours("alice")
			n.theirs("bob", options{})
			n.ours("carol")
			n.theirs("dave", options{})
			n.converse(200)
			n.until("settled", n.settled)
			n.checkSettled()
		})
	}
}

// converse lets the hosts say things, one every second and a half, while packets fly.
func (n *network) converse(messages int) {
	n.twice = 0.05
	next := n.now
	for i := range messages {
		for next = next.Add(time.Duration(n.random.Intn(3000)) * time.Millisecond); n.soon(next); {
			n.step()
		}
		n.advance(next)
		speaker := n.hosts[n.random.Intn(len(n.hosts))]
		n.broadcast(speaker.talk(fmt.Sprintf("%s, message %d", speaker.called(), i)))
	}
}

// settled is true when everybody has everything and knows that what it said was heard.
func (n *network) settled() bool {
	for _, h := range n.hosts {
		if len(h.log()) < len(n.said) || len(h.unconfirmed()) > 0 {
			return false
		}
	}
	return true
}

func (n *network) checkSettled() {
	n.t.Helper()
	n.checkLogs(n.hosts...)
	said := make(map[host]int)
	for _, p := range n.said {
		said[p.from]++
	}
	for _, h := range n.hosts {
		if missing, lost := h.missed(); missing+lost != 0 {
			n.t.Errorf("%s: %d missing, %d lost", h.called(), missing, lost)
		}
		if len(h.confirmed()) != said[h] {
			n.t.Errorf("%s was told of %d acknowledgements, and said %d", h.called(), len(h.confirmed()), said[h])
		}
		for id, times := range h.confirmed() {
			if p, known := n.said[id]; times != 1 || !known || p.from != h {
				n.t.Errorf("%s was told %d times that %s is acknowledged", h.called(), times, id)
			}
		}
		if o, ok := h.(*ours); ok {
			status := o.status()
			open := status.Missing + status.Lost + status.Waiting + status.Unacknowledged + status.GivenUp + status.Held +
				status.RepairRequests + status.MissingUntracked + status.FiltersRefused + status.DeliveredEarly
			mine, all := uint64(said[h]), uint64(len(n.said))
			if open != 0 || status.Sent != mine || status.Acknowledged != mine || status.Received != all-mine || status.Logged != all {
				n.t.Errorf("%s: %+v", o.name, status)
			}
		}
	}
}
