//go:build !race

package sds_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

// What a call costs the garbage collector: the memory that it returns, and nothing else. The race detector allocates on its
// own and empties pools, so that this is built without it.
func TestAllocations(t *testing.T) {
	const runs = 500
	alice, bob := pair(t, libsds)
	now := epoch
	tick := func() time.Time { now = now.Add(time.Second); return now }
	content := make([]byte, 200)
	ids := make([]sds.MessageID, 0, runs+2)
	var incoming [][]byte
	for i := range runs + 2 {
		ids = append(ids, sds.MessageID(fmt.Sprintf("0x%064x", i)))
		wrapped := must[sds.Wrapped](t)(bob.WrapOutgoing(channel, sds.MessageID(fmt.Sprintf("0x%064x", 1<<20+i)), content, epoch))
		incoming = append(incoming, wrapped.Data)
	}
	memory := make([]byte, 0, 64<<10)
	garbage := []byte("plain text")
	at := 0
	next := func() int { at++; return at - 1 }
	cases := []struct {
		name string
		max  float64
		call func()
	}{
		{"wrap, id given: the bytes", 1, func() { _, _ = alice.WrapOutgoing(channel, ids[next()], content, tick()) }},
		{"wrap, id derived: the bytes and the id", 2, func() { _, _ = alice.WrapOutgoing(channel, "", content, tick()) }},
		{"wrap into the memory of the last one", 0, func() {
			w, _ := alice.AppendOutgoing(memory[:0], channel, ids[next()], content, tick())
			memory = w.Data
		}},
		{"unwrap: the content and the ids in one", 2, func() { _, _ = alice.UnwrapIncoming(incoming[next()], tick()) }},
		{"batch of 10: the same for each, and the list", 21, func() { _, _ = alice.UnwrapIncomingBatch(incoming[:10], now) }},
		{"hints provided: the ids in one", 1, func() { _ = alice.ProvideHints(channel, func(sds.MessageID) []byte { return content[:32] }) }},
		{"dependencies met", 0, func() { _ = alice.MarkDependenciesMet(channel, ids[:10], now) }},
		{"refused: the error and its text", 2, func() { _, _ = alice.UnwrapIncoming(garbage, now) }},
		{"next deadline", 0, func() { _, _, _ = alice.NextDeadline() }},
		{"tick", 0, func() { _ = alice.Tick(now) }},
		{"cancel", 0, func() { _ = alice.Cancel(channel, ids[next()], now) }},
		{"status of a channel", 0, func() { _, _ = alice.ChannelStatus(channel) }},
	}
	for _, c := range cases {
		at = 0
		must[[]sds.Output](t)(alice.Drain())
		if got := testing.AllocsPerRun(runs, c.call); got > c.max {
			t.Errorf("%s: %v allocations, at most %v", c.name, got, c.max)
		}
	}
	must[[]sds.Output](t)(alice.Drain())
	if got := testing.AllocsPerRun(runs, func() { _, _ = alice.Drain() }); got > 0 {
		t.Errorf("drain of nothing: %v allocations", got)
	}
}
