package interop

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

// The defaults of both sides, in milliseconds.
const tMin, tMax = 30_000, 120_000

// tReq is when a participant asks for a message that it found missing at a time (RFC 109, Determine T_req).
func tReq(at time.Time, participant, id string) int64 {
	return at.UnixMilli() + int64(hash(participant+id)%(tMax-tMin)) + tMin
}

// tResp is when a participant answers a request that it heard at a time (RFC 109, Determine T_resp).
func tResp(at time.Time, participant, sender, id string) int64 {
	distance := new(big.Int).SetUint64(hash(participant) ^ hash(sender))
	product := distance.Mul(distance, new(big.Int).SetUint64(hash(id)))
	return at.UnixMilli() + product.Mod(product, big.NewInt(tMax)).Int64()
}

func hash(text string) uint64 {
	sum := sha256.Sum256([]byte(text))
	return binary.BigEndian.Uint64(sum[:8])
}

// They miss a message of ours and ask for it at their T_req; its sender answers at once, or another of ours at its T_resp.
func TestTheyAskWeAnswer(t *testing.T) {
	for _, who := range []string{"the sender", "another member"} {
		t.Run(who, func(t *testing.T) {
			scene(t)
			n := newNetwork(t, 60, 0)
			alice, carol, bob := n.ours("alice"), n.ours("cärol"), n.theirs("böb", options{})
			a := alice.say("lost on the way to bob")
			carol.hear(a)
			n.wait(time.Second)
			next := alice.say("next")
			carol.hear(next)
			bob.hear(next)
			acknowledging := carol.say("got both") // or else alice would send it again by itself
			alice.hear(acknowledging)
			due := tReq(n.now, "böb", a.id)
			if requests := bob.dump().Requests; len(requests) != 1 || requests[0].ID != a.id || requests[0].DueMs != due {
				t.Fatalf("bob will ask for %+v, want %s at %d", requests, a.id, due)
			}
			n.now = time.UnixMilli(due)
			ask := bob.sync()[0]
			want := []entry{{ID: a.id, Hint: []byte(a.hint()), Sender: "alice"}}
			if fmt.Sprint(ask.seen.Repairs) != fmt.Sprint(want) {
				t.Fatalf("bob asks for %+v, want %+v", ask.seen.Repairs, want)
			}

			carol.hear(ask)
			atCarol := tResp(n.now, "cärol", "alice", a.id)
			if got := carol.dump().Answers; len(got) != 1 || got[0] != (dumpedRepair{a.id, atCarol}) {
				t.Fatalf("carol will answer %+v, want %s at %d", got, a.id, atCarol)
			}
			var answer packet
			if who == "the sender" {
				alice.hear(ask)
				if answer = alice.due("repair answer", "content"); n.now.UnixMilli() != due {
					t.Errorf("the sender answers after %d ms", n.now.UnixMilli()-due)
				}
				carol.hear(answer)
				if left := carol.dump().Answers; len(left) != 0 {
					t.Errorf("carol, who heard the answer, will answer %+v all the same", left)
				}
			} else if answer = carol.due("repair answer", "content"); n.now.UnixMilli() != atCarol {
				t.Errorf("carol answers at %d, want %d", n.now.UnixMilli(), atCarol)
			}
			if answer.id != a.id || string(answer.data) != string(a.data) {
				t.Fatalf("the answer is %s, and not %s as it was sent", answer.id, a.id)
			}
			bob.hear(answer)
			bob.hear(acknowledging)
			bob.sweep()
			if left := bob.dump(); len(left.Requests)+len(left.Waiting) != 0 || bob.told(eventDone, next.id) != 1 {
				t.Errorf("bob will ask for %+v, and %+v wait", left.Requests, left.Waiting)
			}
			n.checkLogs(alice, carol, bob)
		})
	}
}

// We miss a message of theirs and ask for it at our T_req; its sender answers at once, or another of theirs at its T_resp.
func TestWeAskTheyAnswer(t *testing.T) {
	for _, who := range []string{"the sender", "another member"} {
		t.Run(who, func(t *testing.T) {
			scene(t)
			n := newNetwork(t, 61, 0)
			alice, bob, dave := n.ours("älice"), n.theirs("bob", options{}), n.theirs("däve", options{})
			b := bob.say("lost on the way to alice")
			dave.hear(b)
			n.wait(time.Second)
			next := bob.say("next")
			dave.hear(next)
			alice.hear(next)
			due := tReq(n.now, "älice", b.id)
			if got := alice.dump().Requests; len(got) != 1 || got[0] != (dumpedRepair{b.id, due}) {
				t.Fatalf("alice will ask for %+v, want %s at %d", got, b.id, due)
			}
			ask := alice.due("repair request", "sync")
			if n.now.UnixMilli() != due || ask.seen.Asks != 1 {
				t.Errorf("alice asks for %d at %d, want %d", ask.seen.Asks, n.now.UnixMilli(), due)
			}

			atDave := tResp(n.now, "däve", "bob", b.id)
			read := dave.hear(ask)
			want := []entry{{ID: b.id, Hint: []byte(b.hint()), Sender: "bob"}}
			if fmt.Sprint(read.Repairs) != fmt.Sprint(want) || dave.told(eventAsked, b.id) != 1 {
				t.Errorf("dave hears %+v asked for, want %+v", read.Repairs, want)
			}
			if got := dave.dump().Responses; len(got) != 1 || got[0].ID != b.id || got[0].DueMs != atDave {
				t.Fatalf("dave will answer %+v, want %s at %d", got, b.id, atDave)
			}
			answering := dave
			if who == "the sender" {
				answering = bob
				bob.hear(ask)
			} else {
				n.now = time.UnixMilli(atDave - 1)
				if early := dave.sweep().Messages; len(early) != 0 {
					t.Errorf("dave answers early")
				}
				n.wait(time.Millisecond)
			}
			answers := answering.sweep().Messages
			if len(answers) != 1 || string(answers[0].Packet) != string(b.data) {
				t.Fatalf("answered is %.300v, and not %s as it was sent", answers, b.id)
			}
			answer := answering.packet(answers[0])
			answer.why = "repair answer"
			if u := alice.hear(answer); u.Disposition != sds.DispositionDelivered || u.SenderID != "bob" {
				t.Errorf("%v of %s", u.Disposition, u.SenderID)
			}
			repaired := about[sds.Repaired](alice)
			if len(repaired) != 1 || string(repaired[0].MessageID) != b.id || len(alice.dump().Requests) != 0 {
				t.Errorf("repaired %+v, will ask for %+v", repaired, alice.dump().Requests)
			}
			if answering == bob {
				// What dave heard without having to wait is not a duplicate to it, so that it cancels its answer.
				dave.hear(answer)
				if left := dave.dump().Responses; len(left) != 0 {
					t.Errorf("dave, who heard the answer, will answer %+v all the same", left)
				}
			}
			n.checkLogs(alice, bob, dave)
		})
	}
}

// A request is lost. Ours is made again; @waku/sds asks once, and then lives on what the store gives.
func TestLostRequests(t *testing.T) {
	scene(t)
	n := newNetwork(t, 62, 0)
	alice, bob := n.ours("alice"), n.theirs("bob", options{})
	a := alice.say("lost, alice")
	bob.say("lost, bob")
	n.wait(time.Second)
	nextA, nextB := alice.say("next, alice"), bob.say("next, bob")
	bob.hear(nextA)
	alice.hear(nextB)

	first := alice.due("repair request", "sync")
	asked := n.now
	second := alice.due("repair request", "sync")
	if wait := n.now.Sub(asked); first.seen.Asks != 1 || second.seen.Asks != 1 || wait != tMin*time.Millisecond {
		t.Errorf("alice asks for %d, and after %v for %d", first.seen.Asks, wait, second.seen.Asks)
	}
	bob.hear(second)
	for _, d := range bob.sweep().Messages {
		answer := bob.packet(d)
		answer.why = "repair answer"
		alice.hear(answer)
	}
	if status := alice.status(); status.Missing != 0 || status.Repaired != 1 {
		t.Errorf("%+v", status)
	}

	asks := 0
	for range 20 {
		for _, p := range bob.sync() {
			asks += p.seen.Asks
		}
		n.wait(time.Minute)
	}
	if asks == 0 {
		t.Error("bob never asks")
	}
	shortcoming(t, "asks for a repair once; if request or answer is lost, the store has to help", asks > 1)
	missing := bob.sweep().Missing // named by each message that waits for it
	if len(missing) == 0 || missing[0].ID != a.id || !n.fetch(bob, missing[0].Hint) {
		t.Fatalf("bob misses %+v", missing)
	}
	n.until("fetched", func() bool { return len(n.flight) == 0 })
	bob.sweep()
	n.checkLogs(alice, bob)
}

// Two miss the same message. Whoever hears the other ask does not ask.
func TestOneAsksForBoth(t *testing.T) {
	scene(t)
	n := newNetwork(t, 63, 0)
	carol, alice, bob := n.ours("carol"), n.ours("alice"), n.theirs("bob", options{})
	lost := []packet{carol.say("lost, 1"), carol.say("lost, 2")}
	n.wait(time.Second)
	next := carol.say("next")
	for _, h := range []host{alice, bob} {
		h.take(next)
	}
	if a, b := alice.dump().Requests, bob.dump().Requests; len(a) != 2 || len(b) != 2 {
		t.Fatalf("alice will ask for %+v, bob for %+v", a, b)
	}
	var ask packet
	asked := alice.dump().Requests[0].ID
	ask = alice.due("repair request", "sync")
	if ask.seen.Asks != 1 {
		t.Fatalf("alice asks for %d at once", ask.seen.Asks)
	}
	bob.hear(ask)
	if slices.ContainsFunc(bob.dump().Requests, func(e entry) bool { return e.ID == asked }) {
		t.Error("bob will ask for what alice asked for")
	}
	// And the other way, for the other one.
	n.wait(2 * time.Minute)
	for _, p := range bob.sync() {
		if p.seen.Asks != 1 || p.seen.Repairs[0].ID == asked {
			t.Fatalf("bob asks for %+v", p.seen.Repairs)
		}
		alice.hear(p)
		if slices.ContainsFunc(alice.dump().Requests, func(d dumpedRepair) bool { return d.ID == p.seen.Repairs[0].ID }) {
			t.Error("alice will ask for what bob asked for")
		}
	}
	for _, p := range lost {
		alice.hear(p)
		bob.hear(p)
	}
	bob.sweep()
	n.checkLogs(carol, alice, bob)
}

// A group without a store: members ask one another. What those on @waku/sds asked for in vain they are fed after ten
// minutes.
func TestRepairingConversation(t *testing.T) {
	fed := 0
	for seed := int64(1); seed <= 3; seed++ {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			scene(t)
			n := newNetwork(t, seed, 0.2)
			n.feedAfter = 10 * time.Minute
			alice := n.ours("alice")
			n.theirs("bob", options{})
			carol := n.ours("carol")
			n.theirs("dave", options{})
			n.converse(200)
			n.until("settled", n.settled)
			n.checkSettled()
			status := alice.status()
			if status.RepairsRequested == 0 || status.RepairsAnswered == 0 || status.Repaired == 0 {
				t.Errorf("nothing was repaired: %+v", status)
			}
			if n.fed[alice]+n.fed[carol] != 0 {
				t.Error("ours were fed")
			}
			for h, times := range n.fed {
				t.Logf("%s was fed %d", h.called(), times)
				fed += times
			}
		})
	}
	shortcoming(t, fmt.Sprintf("had to be fed %d messages that it asked for in vain, in 3 conversations of 200", fed), fed == 0)
}
