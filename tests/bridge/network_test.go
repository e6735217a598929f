package bridge

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand"
	"slices"
	"testing"
	"time"
)

// Not all of it ASCII: all have to take names for the same bytes.
const room = "bridge/général"

// As web.mjs has them.
const (
	repairTMin = 5 * time.Second
	repairTMax = 20 * time.Second
)

// epoch is when every scene begins. Nothing here reads the clock: all are told the time.
var epoch = time.UnixMilli(1_700_000_000_000)

// member is a participant and the program around its engine.
type member interface {
	// say makes a message that goes out with the next step, and returns its id.
	say(content string) string
	hear(packet []byte)
	// tick does what is due.
	tick()
	// emptied is what is to go out, once.
	emptied() [][]byte
	// log is in the order of the log.
	log() []logged
	// story is what it was told so far.
	story() *told
}

// logged is a message in a log.
type logged struct {
	ID        string `json:"id"`
	Timestamp uint64 `json:"timestamp"`
	Content   []byte `json:"content"`
}

// told is what became of a participant's messages and of what it heard, each with how often.
type told struct {
	name         string
	said         map[string]string // content by id
	shown        map[string]int    // by id
	acknowledged map[string]int    // by id
	read         map[string]int    // by profile
	refused      map[string]int    // by reason
	reasons      map[string]int    // why it sent something by itself; not known of web participants
	repeats      bool              // it may tell a message twice: @waku/sds does, if a resend comes while it waits
}

func newTold(name string) *told {
	return &told{name, map[string]string{}, map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}, false}
}

func (t *told) story() *told { return t }

// side is one of the two networks: all in it hear each other.
type side int

const (
	nativeSide side = iota
	webSide
)

// network is two networks and a bridge between them, which forwards bytes and knows nothing of them.
type network struct {
	t       testing.TB
	now     time.Time
	random  *rand.Rand
	loss    float64 // of each hop: to a member, and over the bridge
	down    bool    // the bridge forwards nothing
	members []placed
	flight  []arrival
	spoken  int
}

type placed struct {
	member
	side side
	gone bool
}

type arrival struct {
	to     int
	packet []byte
}

func newNetwork(t testing.TB, seed int64, loss float64) *network {
	return &network{t: t, now: epoch, random: rand.New(rand.NewSource(seed)), loss: loss}
}

func (n *network) join(s side, members ...member) {
	for _, m := range members {
		n.members = append(n.members, placed{member: m, side: s})
	}
}

// leave takes a participant away for good.
func (n *network) leave(m member) {
	n.flush()
	for i := range n.members {
		if n.members[i].member == m {
			n.members[i].gone = true
		}
	}
}

// step is a second: what flies arrives, in any order, and everybody does what is due.
func (n *network) step() {
	n.now = n.now.Add(time.Second)
	n.flush()
	arrivals := n.flight
	n.flight = nil
	n.random.Shuffle(len(arrivals), func(i, j int) { arrivals[i], arrivals[j] = arrivals[j], arrivals[i] })
	for _, a := range arrivals {
		if m := n.members[a.to]; !m.gone {
			m.hear(a.packet)
		}
	}
	for _, m := range n.members {
		if !m.gone {
			m.tick()
		}
	}
	n.flush()
}

// flush has all that is to go out fly.
func (n *network) flush() {
	for from, m := range n.members {
		for _, packet := range m.emptied() {
			if m.gone {
				continue
			}
			n.carry(packet, m.side, from)
			if !n.down && n.random.Float64() >= n.loss {
				n.carry(slices.Clone(packet), 1-m.side, from)
			}
		}
	}
}

func (n *network) carry(packet []byte, s side, from int) {
	for to, m := range n.members {
		if to != from && m.side == s && n.random.Float64() >= n.loss {
			n.flight = append(n.flight, arrival{to, packet})
		}
	}
}

// until steps until done, for at most an hour of the scene's time.
func (n *network) until(what string, done func() bool) {
	n.t.Helper()
	for limit := n.now.Add(time.Hour); !done(); n.step() {
		if n.now.After(limit) {
			n.tell()
			n.t.Fatalf("not %s after an hour", what)
		}
	}
}

// converse has members say something in turn by chance, so many messages, over networks that lose some of them. Then nothing is
// lost any more, and everybody says something from time to time until all is settled: in the libsds profile there are no sync
// messages, so that only further messages tell what is missing, and ask for it.
func (n *network) converse(messages int) {
	n.t.Helper()
	for range messages {
		n.speak(n.members[n.random.Intn(len(n.members))])
		for range 1 + n.random.Intn(3) {
			n.step()
		}
	}
	n.loss = 0
	for range 20 {
		before := n.said()
		for _, m := range n.members {
			n.speak(m)
			n.step()
		}
		for range 60 {
			n.step()
		}
		if n.settled(before) {
			return
		}
	}
	n.tell()
	n.t.Fatal("not settled after twenty rounds")
}

func (n *network) speak(m member) {
	n.spoken++
	m.say(fmt.Sprintf("%s, message %d", m.story().name, n.spoken))
}

// tell logs how all stand.
func (n *network) tell() {
	n.t.Helper()
	for _, m := range n.members {
		s := m.story()
		n.t.Logf("%s: %d said, %d acknowledged, %d shown, read %v, refused %v, sent %v",
			s.name, len(s.said), len(s.acknowledged), len(s.shown), s.read, s.refused, s.reasons)
	}
}

// said is the contents of all messages so far, by id.
func (n *network) said() map[string]string {
	said := make(map[string]string)
	for _, m := range n.members {
		maps.Copy(said, m.story().said)
	}
	return said
}

// settled is true when all have everything, and know that their messages among these were heard: of the last words nobody may
// have said so yet.
func (n *network) settled(these map[string]string) bool {
	for _, m := range n.members {
		s := m.story()
		if len(s.shown)+len(s.said) < n.spoken {
			return false
		}
		for id := range s.said {
			if _, among := these[id]; among && s.acknowledged[id] == 0 {
				return false
			}
		}
	}
	return true
}

// checkLogs compares the logs of all who are here: everything that was said, once, in one order, and unchanged.
func (n *network) checkLogs() {
	n.t.Helper()
	said := n.said()
	var first []logged
	for _, m := range n.members {
		if m.gone {
			continue
		}
		s := m.story()
		log := m.log()
		if first == nil {
			first = log
		}
		if len(log) != len(said) {
			n.t.Errorf("the log of %s has %d messages, %d were said", s.name, len(log), len(said))
		}
		for i, one := range log {
			if said[one.ID] != string(one.Content) {
				n.t.Errorf("the log of %s has %q as %s, said was %q", s.name, one.Content, one.ID, said[one.ID])
			}
			if i >= len(first) || first[i].ID != one.ID || first[i].Timestamp != one.Timestamp || !bytes.Equal(first[i].Content, one.Content) {
				n.t.Fatalf("the log of %s differs at %d from the first one", s.name, i)
			}
		}
		for id, times := range s.shown {
			if _, own := s.said[id]; own || times != 1 && !s.repeats {
				n.t.Errorf("%s was shown %s %d times", s.name, id, times)
			}
		}
		for id, times := range s.acknowledged {
			if _, own := s.said[id]; !own || times != 1 {
				n.t.Errorf("%s was told %d times that %s is acknowledged", s.name, times, id)
			}
		}
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
