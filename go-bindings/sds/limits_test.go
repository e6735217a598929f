package sds_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

// Each limit that is counted is reached once, and its count, and no other, arrives here.
func TestCountsOfLimits(t *testing.T) {
	alice := openIn(t, "alice", channel, sds.ChannelOptions{}, func(c *sds.Config) {
		c.LogMessages, c.SeenLimit, c.LogBytes = 5, 10, 60_000
		c.BloomCapacity, c.RefilterPerMinute, c.MaxAcknowledgers = 64, 1, 1
	})
	bob := openIn(t, "bob", channel, sds.ChannelOptions{}, func(c *sds.Config) {})
	var all [][]byte
	for i := range 70 {
		all = append(all, wrap(t, bob, sds.MessageID(fmt.Sprint(i)), epoch).Data)
	}
	hear := func(messages [][]byte, at time.Time) {
		for _, message := range messages {
			unwrap(t, alice, message, at)
		}
	}
	hear(all, epoch)
	hear(all[66:], after(11*time.Minute))
	status := must[sds.ChannelStatus](t)(alice.ChannelStatus(channel))
	got := []uint64{
		status.LogEvicted, status.IDsForgotten, status.FilterEvicted, status.RefiltersRefused,
		status.ConfirmationsDropped, status.EvidenceDropped,
	}
	// 70 less 5; those less 10; a fifth of 64; four less one; 70 less 64, and one more that came again; and nobody
	// acknowledged anything.
	if want := []uint64{65, 55, 12, 3, 7, 0}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, not %v", got, want)
	}
	if status.WholeDropped == 0 || status.NamingsDropped != 0 {
		t.Errorf("%+v", status)
	}
}

func TestOutputBytesFull(t *testing.T) {
	alice := openIn(t, "alice", channel, sds.ChannelOptions{}, func(c *sds.Config) {
		c.MaxOutputBytes, c.MaxMessageBytes, c.MaxFilterBytes = 64<<10, 64<<10, 64<<10
	})
	for i := range 10 {
		wrap(t, alice, sds.MessageID(fmt.Sprint(i)), epoch)
	}
	// Ten resends of 18,752 bytes and more.
	check(t, alice.Tick(after(6*time.Second)))
	_, err := alice.UnwrapIncoming(message, after(6*time.Second))
	refused(t, "unwrap", err, sds.ErrOutputsFull)
	if sent := len(outputs[sds.Transmit](t, alice)); sent != 10 {
		t.Errorf("%d sent", sent)
	}
	unwrap(t, alice, message, after(6*time.Second))
}
