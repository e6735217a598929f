package reliable

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// member is one whose process ends now and then, and whose database and application remember.
type member struct {
	*peer
	database *database
	sent     map[RequestID]string
}

const chaosSeeds = uint64(8)

// Processes that end at any moment, databases and stores that fail, apps that sleep or do not read, a network that loses:
// afterwards everybody has everything, once, in one order, and knows what became of what it sent.
func TestChaos(t *testing.T) {
	for seed := range chaosSeeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { chaos(t, seed) })
	}
}

func chaos(t *testing.T, seed uint64) {
	w := newWorld(t)
	w.seed = seed
	w.network = lossyNetwork(0.15)
	random := rand.New(rand.NewPCG(seed, 3))
	var members []*member
	for _, name := range []string{"ada", "bo", "cy", "dee"} {
		m := &member{database: newDatabase(), sent: make(map[RequestID]string)}
		m.peer = &peer{name: name, shown: make(map[RequestID]Incoming), ready: make(map[RequestID]bool)}
		m.start(w)
		members = append(members, m)
	}
	for step := range 400 {
		m := members[random.IntN(len(members))]
		switch random.IntN(12) {
		case 0, 1, 2, 3, 4:
			m.say(t, fmt.Sprint(m.name, " ", step))
		case 5:
			m.say(t, fmt.Sprint(m.name, " ", step, string(randomBytes(uint64(step), 3_000))))
		case 6:
			if m.core.commit(w.now) {
				m.restart(w)
			}
		case 7, 11:
			// Their networks stay, so that they hear what is said: what nobody named to a member while it was away it cannot know
			// of, and sync messages, which do not come again, do much of the naming.
			m.core.setActive(true, !m.core.paused, w.now)
		case 8:
			m.blind = !m.blind
		case 9:
			m.database.failing = !m.database.failing
		case 10:
			w.storeDown = !w.storeDown
		}
		w.run(time.Duration(random.IntN(3_000)) * time.Millisecond)
	}
	w.storeDown = false
	want := make(map[RequestID]string)
	for _, m := range members {
		m.database.failing, m.blind, m.deaf = false, false, false
		m.core.setActive(true, false, w.now)
		maps.Copy(want, m.sent)
	}
	w.until(2*time.Hour, "everything everywhere", func() bool {
		done := true
		for _, m := range members {
			m.note()
			done = done && len(m.shown) >= len(want)-len(m.sent) && len(m.ch.requests) == 0
		}
		return done
	})
	log := members[0].engineLog()
	for _, m := range members {
		for id, payload := range want {
			if got, ok := m.shown[id]; m.sent[id] == "" && (!ok || string(got.Payload) != payload || !m.ready[id]) {
				t.Errorf("%s: %s is not there, or another, or still pending", m.name, id)
			}
		}
		for id := range m.shown {
			if want[id] == "" {
				t.Errorf("%s: %s was never sent", m.name, id)
			}
		}
		if !slices.Equal(m.engineLog(), log) {
			t.Errorf("%s has another log", m.name)
		}
		if len(m.ch.events.items) != 0 || m.core.publishing.queued() > 1 {
			t.Errorf("%s: %d events, %d publications are left", m.name, len(m.ch.events.items), m.core.publishing.queued())
		}
	}
}

func (m *member) say(t *testing.T, payload string) {
	id, err := m.trySay([]byte(payload))
	if err == ErrEventsUnread || err == ErrNotStored && id == "" {
		return
	}
	if err != ErrNotStored {
		check(t, err)
	}
	m.sent[id] = payload
}

// start starts the process on what the database has.
func (m *member) start(w *world) {
	config := simConfig(m.name)
	config.External = m.database.external()
	config.SDS.DependencyTimeout = 3 * time.Hour // nothing is lost
	config.SDS.CausalHistorySize = 10            // and nobody misses anything unnoticed
	before := m.peer
	m.peer = w.join(m.name, config, ChannelOptions{
		Segmentation: &Segmentation{SegmentBytes: 1 << 10}, Replay: true, EventLimit: 30,
	})
	// The application has a log of its own.
	m.shown, m.ready, m.remembers = before.shown, before.ready, true
}

// restart ends the process as a crash does: nothing is said, nothing is stored that was not.
func (m *member) restart(w *world) {
	m.read()
	m.note()
	check(w.t, m.core.manager.Close())
	w.peers = slices.DeleteFunc(w.peers, func(p *peer) bool { return p == m.peer })
	m.start(w)
}

// note has the application try again what was given up.
func (m *member) note() {
	m.events = slices.DeleteFunc(m.events, func(e Event) bool {
		failed, ok := e.(DeliveryError)
		if !ok || m.ch.requests[failed.RequestID] == nil {
			return true
		}
		err := m.core.retry(m.ch, failed.RequestID, m.w.now)
		if err != ErrEventsUnread {
			check(m.w.t, err)
		}
		return err == nil
	})
}
