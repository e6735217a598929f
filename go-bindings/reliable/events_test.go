package reliable

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestEventQueue(t *testing.T) {
	q := eventQueue{limit: 3, byteLimit: 10_000}
	for i := range 5 {
		q.push(Sent{RequestID: RequestID(fmt.Sprint(i))})
		q.push(Missing{})
	}
	// Two of each fit in; then what must not be dropped still does, and the rest is counted.
	q.pushStatus()
	q.pushStatus()
	var names []string
	for {
		e, ok := q.pop(func() SyncStatus { return SyncStatus{Lost: 7} })
		if !ok {
			break
		}
		if s, ok := e.(SyncStatus); ok && (s.Lost != 7 || s.EventsDropped != 4) {
			t.Errorf("%+v", s)
		}
		names = append(names, e.Name())
	}
	if got := fmt.Sprint(names); got != "[sent missing sent sent sent sent sync-status]" || q.bytes != 0 || q.len() != 0 || !q.room() {
		t.Errorf("%v, %d bytes", got, q.bytes)
	}
	big := eventQueue{limit: 1_000, byteLimit: 1_000}
	big.push(Received{Incoming: Incoming{Payload: make([]byte, 2_000)}})
	if big.room() {
		t.Error("bytes have no limit")
	}
	// It goes round without growing.
	for i := range 10_000 {
		q.push(Delivered{RequestID: RequestID(fmt.Sprint(i))})
		if e, ok := q.pop(nil); !ok || e.(Delivered).RequestID != RequestID(fmt.Sprint(i)) {
			t.Fatal("out of order")
		}
	}
	if cap(q.items) > 200 {
		t.Errorf("room for %d", cap(q.items))
	}
}

// While the application does not read, nothing more is taken in, nothing is lost, and others are still answered.
func TestAnApplicationThatDoesNotRead(t *testing.T) {
	w := newWorld(t)
	config := simConfig("ada")
	ada := w.join("ada", config, ChannelOptions{EventLimit: 20})
	bo := w.simple("bo")
	ada.blind = true
	mine := []RequestID{ada.say("mine")}
	for i := range 100 {
		bo.say(fmt.Sprint(i))
		w.run(500 * time.Millisecond)
	}
	w.run(time.Minute)
	queue := &ada.ch.events
	if queue.len() < 20 || queue.len() > 25 || queue.room() {
		t.Errorf("%d events wait", queue.len())
	}
	if _, err := ada.trySay([]byte("more")); !errors.Is(err, ErrEventsUnread) {
		t.Error(err)
	}
	if err := ada.core.retry(ada.ch, mine[0], w.now); !errors.Is(err, ErrEventsUnread) {
		t.Error(err)
	}
	if bo.count("received") != 1 {
		t.Errorf("bo: %v", bo.names())
	}
	ada.blind = false
	w.until(20*time.Minute, "all read", func() bool { return len(ada.payloads()) == 100 })
	w.until(20*time.Minute, "all delivered", func() bool { return bo.count("delivered")+bo.count("delivery-error") == 100 })
	ada.expect("sent", "delivered")
	status, err := ada.core.syncStatus(ada.ch)
	check(t, err)
	if !status.Synced {
		t.Errorf("%+v", status)
	}
}

// Events that nobody reads are bounded also when a missing message makes everything ready at once.
func TestEventsThatMustNotBeDroppedAreBounded(t *testing.T) {
	w := newWorld(t)
	w.storeDown = true
	ada := w.join("ada", simConfig("ada"), ChannelOptions{EventLimit: 20})
	bo := w.simple("bo")
	ada.deaf = true
	gone := bo.say("missed")
	bo.pump()
	check(t, bo.core.cancel(bo.ch, gone, w.now))
	ada.deaf = false
	ada.blind = true
	for i := range 60 {
		w.run(100 * time.Millisecond)
		bo.say(fmt.Sprint(i))
	}
	w.run(30 * time.Minute) // the missed one is lost, and what waited is ready
	if n := ada.ch.events.len(); n < 30 || n > 20+ada.core.config.SDS.MaxWaitingMessages {
		t.Errorf("%d events wait", n)
	}
	dropped := ada.ch.events.dropped
	ada.blind = false
	w.until(time.Hour, "everything read", func() bool { return len(ada.payloads()) == 60 })
	if status := ada.find("sync-status"); dropped == 0 || status[len(status)-1].(SyncStatus).EventsDropped < dropped {
		t.Errorf("%d dropped, status %+v", dropped, status[len(status)-1])
	}
}

// The status is told when it changes, the latest only, and says when all is there.
func TestSyncStatus(t *testing.T) {
	w := newWorld(t)
	w.storeDown = true
	_, bo := missed(w, 3)
	w.run(50 * time.Millisecond)
	latest := func() SyncStatus {
		all := bo.find("sync-status")
		return all[len(all)-1].(SyncStatus)
	}
	if s := latest(); s.Synced || s.Missing != 3 || s.Waiting != 1 {
		t.Errorf("%+v", s)
	}
	w.storeDown = false
	w.until(time.Minute, "synced", func() bool { return latest().Synced })
	if s := latest(); s.Missing != 0 || s.Waiting != 0 || s.Lost != 0 || len(bo.payloads()) != 4 {
		t.Errorf("%+v", s)
	}
	n := bo.count("sync-status")
	w.run(time.Hour)
	if bo.count("sync-status") != n {
		t.Error("it is told again though nothing changed")
	}
}
