package reliable

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

// missed has bo miss so many payloads of ada, who had time to learn their hints, and then hear the next.
func missed(w *world, n int) (ada, bo *peer) {
	ada, bo = w.simple("ada"), w.simple("bo")
	bo.deaf = true
	for i := range n {
		ada.say(fmt.Sprintf("missed %d", i))
		w.run(100 * time.Millisecond)
	}
	bo.deaf = false
	ada.say("heard")
	return ada, bo
}

// From one recent message all that was missed is found, a history at a time, without anybody asking a member.
func TestWhatIsMissingIsFetchedAtOnceByItsHint(t *testing.T) {
	w := newWorld(t)
	_, bo := missed(w, 12)
	began := w.now
	w.until(5*time.Second, "all fetched", func() bool { return len(bo.payloads()) == 13 })
	// Twelve missed, about three more with each round of 200 ms.
	if took := w.now.Sub(began); took > 1500*time.Millisecond {
		t.Errorf("it took %v", took)
	}
	if first := w.queries[0]; first < 3 || len(w.queries) > 6 {
		t.Errorf("queries of %v hashes", w.queries)
	}
	if bo.core.stats.Fetched != 12 || bo.count("missing") != 12 || bo.count("recovered") != 12 || bo.count("lost") != 0 {
		t.Errorf("%+v", bo.core.stats)
	}
	if e := bo.find("recovered")[0]; !e.(Recovered).Fetched {
		t.Errorf("%+v", e)
	}
	// What waited has its hint, too, for those whom bo names it to.
	history, err := bo.core.manager.NextHistory("room")
	check(t, err)
	for _, entry := range history {
		if len(entry.RetrievalHint) == 0 {
			t.Errorf("%+v has no hint", entry)
		}
	}
	// The last was offered at once, marked, and again when its order was known.
	if first := bo.find("received")[0].(Received); !first.Pending || string(first.Payload) != "heard" {
		t.Errorf("%+v", first)
	}
	if got := bo.payloads(); got[0] != "missed 0" || got[12] != "heard" || bo.count("ready") == 0 {
		t.Errorf("%v", got)
	}
}

func TestAQueryHasAsManyHashesAsAllowed(t *testing.T) {
	w := newWorld(t)
	config := simConfig("bo")
	config.FetchBatch = 2
	config.SDS.CausalHistorySize = 10
	bo := w.join("bo", config, ChannelOptions{})
	config = simConfig("ada")
	config.SDS.CausalHistorySize = 10
	ada := w.join("ada", config, ChannelOptions{})
	bo.deaf = true
	for i := range 9 {
		ada.say(fmt.Sprint(i))
		w.run(100 * time.Millisecond)
	}
	bo.deaf = false
	ada.say("heard")
	w.until(time.Minute, "all fetched", func() bool { return len(bo.payloads()) == 10 })
	if slices.Max(w.queries) != 2 || len(w.queries) < 5 {
		t.Errorf("queries of %v hashes", w.queries)
	}
}

func TestAStoreThatFailsIsAskedLessAndLess(t *testing.T) {
	w := newWorld(t)
	w.storeDown = true
	_, bo := missed(w, 1)
	w.run(50 * time.Millisecond)
	w.silent = true
	var asked []time.Time
	for range 3_000 {
		w.run(100 * time.Millisecond)
		if len(w.queries) > len(asked) {
			asked = append(asked, w.now)
		}
	}
	if len(asked) < 6 || len(asked) > 10 || bo.count("problem") != 1 {
		t.Fatalf("asked %d times, events %v", len(asked), bo.names())
	}
	for i := 2; i < 6; i++ {
		if before, pause := asked[i-1].Sub(asked[i-2]), asked[i].Sub(asked[i-1]); pause < before*5/4 {
			t.Errorf("a pause of %v, then of %v", before, pause)
		}
	}
}

// What the store does not have is asked for until it is lost, and then no more.
func TestWhatTheStoreDoesNotHave(t *testing.T) {
	w := newWorld(t)
	bo := w.simple("bo")
	// Somebody whose message never got anywhere, and whose hint leads nowhere.
	ghost, err := sds.Open(simConfig("ghost").SDS)
	check(t, err)
	defer ghost.Close()
	check(t, ghost.OpenChannel("room", sds.ChannelOptions{}, w.now))
	lost, err := ghost.WrapOutgoing("room", "", []byte("gone"), w.now)
	check(t, err)
	check(t, ghost.SetRetrievalHint("room", lost.MessageID, []byte("no such hash")))
	heard, err := ghost.WrapOutgoing("room", "", []byte("heard"), w.now.Add(time.Second))
	check(t, err)
	bo.core.receive(bo.ch, Message{Payload: addTag(heard.Data)}, false, w.now)
	w.until(20*time.Minute, "lost", func() bool { return bo.count("lost") == 1 })
	bo.expect("received", "missing", "lost", "ready")
	n := len(w.queries)
	if n < 4 || n > 40 {
		t.Errorf("asked %d times", n)
	}
	if status, _ := bo.core.syncStatus(bo.ch); !status.Synced || status.Lost != 1 {
		t.Errorf("%+v", status)
	}
	w.run(time.Hour)
	if len(w.queries) != n {
		t.Errorf("asked %d times more for what is lost", len(w.queries)-n)
	}
	// It turns up after all.
	bo.core.receive(bo.ch, Message{Payload: addTag(lost.Data)}, false, w.now)
	bo.pump()
	if m := bo.shown[RequestID(lost.MessageID)]; !m.Late {
		t.Errorf("%+v", m)
	}
}

// A made-up hint does not keep the message from being fetched by a right one.
func TestAllHintsOfAMessageAreTried(t *testing.T) {
	w := newWorld(t)
	bo := w.simple("bo")
	entry := func(hint string) sds.HistoryEntry {
		return sds.HistoryEntry{MessageID: "m", RetrievalHint: []byte(hint)}
	}
	for _, hint := range []string{"a", "b", "a", "c", "d", "e", "f"} {
		bo.core.want(bo.ch, entry(hint), w.now)
	}
	bo.core.settle(w.now)
	hashes, _ := bo.core.nextFetch(w.now)
	if !slices.EqualFunc(hashes, []string{"a", "b", "c", "d"}, func(h []byte, s string) bool { return string(h) == s }) {
		t.Errorf("%q", hashes)
	}
	if more, _ := bo.core.nextFetch(w.now); more != nil {
		t.Errorf("%q while a query is under way", more)
	}
	bo.core.fetched(nil, nil, w.now)
	more, again := bo.core.nextFetch(w.now)
	if more != nil || !again.After(w.now) {
		t.Errorf("%q again at once", more)
	}
	// A query with room for fewer asks for another each time.
	bo.core.config.FetchBatch = 1
	if more, _ := bo.core.nextFetch(again); len(more) != 1 || string(more[0]) != "b" {
		t.Errorf("%q", more)
	}
}

func TestWantedMessagesAreBounded(t *testing.T) {
	w := newWorld(t)
	bo := w.simple("bo")
	for i := range 2 * maxWanted {
		bo.core.want(bo.ch, sds.HistoryEntry{MessageID: sds.MessageID(fmt.Sprint(i)), RetrievalHint: []byte{1}}, w.now)
	}
	// The engine knows of none of them: the first that found no room had it look.
	if len(bo.ch.wanted) != maxWanted || bo.core.stats.MissingUntracked != 0 {
		t.Errorf("%d wanted, %d untracked", len(bo.ch.wanted), bo.core.stats.MissingUntracked)
	}
	bo.core.want(bo.ch, sds.HistoryEntry{MessageID: "one more"}, w.now)
	if len(bo.ch.wanted) != maxWanted || bo.core.stats.MissingUntracked != 1 {
		t.Errorf("%d wanted, %d untracked", len(bo.ch.wanted), bo.core.stats.MissingUntracked)
	}
	bo.core.want(bo.ch, sds.HistoryEntry{MessageID: "later"}, w.now.Add(prunePause))
	if len(bo.ch.wanted) != 1 {
		t.Errorf("%d wanted", len(bo.ch.wanted))
	}
}

// A node without a store is no trouble, and asked again after a while: it may have been given one.
func TestANodeWithoutAStoreIsAskedAgain(t *testing.T) {
	w := newWorld(t)
	bo := w.simple("bo")
	bo.core.want(bo.ch, sds.HistoryEntry{MessageID: "m", RetrievalHint: []byte("hash")}, w.now)
	bo.core.settle(w.now)
	for range 3 {
		hashes, _ := bo.core.nextFetch(w.now)
		if len(hashes) != 1 || !bytes.Equal(hashes[0], []byte("hash")) {
			t.Fatalf("%q", hashes)
		}
		bo.core.fetched(nil, fmt.Errorf("this network: %w", errors.ErrUnsupported), w.now)
		hashes, again := bo.core.nextFetch(w.now)
		if len(hashes) != 0 || again.Sub(w.now) != noStorePause {
			t.Fatalf("%q, and again after %v", hashes, again.Sub(w.now))
		}
		w.now = again
	}
	if bo.pump(); bo.count("problem") != 0 || bo.core.stats.FetchErrors != 0 {
		t.Errorf("events %v, %+v", bo.names(), bo.core.stats)
	}
}

// What a store returns and was not asked for is counted, and goes nowhere; what it was asked for is taken all the same.
func TestWhatWasNotAskedForIsCounted(t *testing.T) {
	w := newWorld(t)
	ada, bo := w.simple("ada"), w.simple("bo")
	bo.deaf = true
	ada.say("asked for")
	ada.say("not asked for")
	ada.pump()
	bo.core.want(bo.ch, sds.HistoryEntry{MessageID: "m", RetrievalHint: []byte("hash")}, w.now)
	bo.core.settle(w.now)
	if hashes, _ := bo.core.nextFetch(w.now); len(hashes) != 1 {
		t.Fatalf("%q", hashes)
	}
	one, other := w.envelopes[0].payload, w.envelopes[1].payload
	bo.core.fetched([]Message{
		{Payload: other}, {Hash: []byte("another"), Payload: other}, {Hash: []byte("hash"), Payload: one},
	}, nil, w.now)
	bo.pump()
	if s := bo.core.stats; s.FetchedUnasked != 2 || s.Fetched != 1 || s.Received != 1 || bo.payloads()[0] != "asked for" {
		t.Errorf("%+v, %v", s, bo.payloads())
	}
}
