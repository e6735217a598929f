package sds_test

import (
	"fmt"
	"testing"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

const channel = "0x5d-room/general"

// Whatever the network does, in the end everybody has everything, in causal order, and every sender knows it.
//
// For the last part, histories are long enough to name every message: a filter alone is evidence and no proof, and in a
// group a message that was lost on its way to one member, and is too old to be named when that member is back, goes
// unnoticed (RFC 109 promises no more).
func TestConvergence(t *testing.T) {
	rfc, ours := sds.ProfileRFC, sds.ProfileLibsds
	cases := []struct {
		name     string
		profiles []sds.Profile
		loss     float64
		messages int
	}{
		{"two, rfc", []sds.Profile{rfc, rfc}, 0.3, 60},
		{"two, libsds", []sds.Profile{ours, ours}, 0.3, 60},
		{"two, mixed", []sds.Profile{rfc, ours}, 0.3, 60},
		{"five, rfc", []sds.Profile{rfc, rfc, rfc, rfc, rfc}, 0.2, 60},
		{"five, libsds", []sds.Profile{ours, ours, ours, ours, ours}, 0.2, 60},
		{"five, mixed", []sds.Profile{ours, rfc, ours, rfc, rfc}, 0.2, 60},
		{"two, half is lost", []sds.Profile{rfc, rfc}, 0.5, 40},
	}
	for _, c := range cases {
		for seed := int64(1); seed <= 3; seed++ {
			t.Run(fmt.Sprintf("%s, seed %d", c.name, seed), func(t *testing.T) {
				t.Parallel()
				n := talk(t, seed, c.loss, c.messages, c.profiles, func(config *sds.Config) {
					config.CausalHistorySize = 100
				})
				n.runUntil("settled", func() bool { return n.settled(channel) })
				n.checkEqual(channel)
			})
		}
	}
}

// With the short histories of the default, two still get everything, as resends go on until there is evidence.
func TestTwoConvergeWithShortHistories(t *testing.T) {
	for _, c := range []struct {
		name     string
		profiles []sds.Profile
	}{
		{"rfc", []sds.Profile{sds.ProfileRFC, sds.ProfileRFC}},
		{"libsds", []sds.Profile{sds.ProfileLibsds, sds.ProfileLibsds}},
		{"mixed", []sds.Profile{sds.ProfileLibsds, sds.ProfileRFC}},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := talk(t, 5, 0.3, 60, c.profiles, func(*sds.Config) {})
			n.runUntil("settled, at least possibly", func() bool {
				for _, p := range n.peers {
					status := must[sds.ChannelStatus](t)(p.ChannelStatus(channel))
					if len(p.seen) != 60 || status.Unacknowledged > status.PossiblyAcknowledged {
						return false
					}
				}
				return true
			})
		})
	}
}

// talk lets peers of the profiles given say things on a network that loses some of them.
func talk(t *testing.T, seed int64, loss float64, messages int, profiles []sds.Profile, change func(*sds.Config)) *network {
	n := newNetwork(t, seed, loss, 0.1)
	for i, profile := range profiles {
		name := sds.ParticipantID(fmt.Sprintf("peer %d", i))
		n.join(openIn(t, name, channel, sds.ChannelOptions{Profile: profile}, func(config *sds.Config) {
			config.SyncInLibsds = true // no nim-sds here that would take them for messages
			config.MaxResends = 10     // half of everything being lost is more than the default is made for
			change(config)
		}), name)
	}
	for i := range messages {
		speaker := n.peers[n.random.Intn(len(n.peers))]
		speaker.say(channel, fmt.Sprintf("message %d", i))
		for range n.random.Intn(2 * len(n.peers)) {
			n.step()
		}
	}
	return n
}

// The same seeds give the same run, to the byte.
func TestReplay(t *testing.T) {
	run := func() (transcript string) {
		n := newNetwork(t, 7, 0.3, 0.1)
		for _, name := range []sds.ParticipantID{"alice", "bob", "carol"} {
			n.join(openIn(t, name, channel, sds.ChannelOptions{}), name)
		}
		for i := range 30 {
			n.peers[i%3].say(channel, fmt.Sprintf("message %d", i))
			n.step()
		}
		n.runUntil("settled", func() bool { return n.settled(channel) })
		for _, p := range n.peers {
			transcript += fmt.Sprintln(p.name, p.seen, n.now.UnixMilli(), n.sent)
		}
		return transcript
	}
	if first, second := run(), run(); first != second {
		t.Errorf("two runs differ:\n%s\n%s", first, second)
	}
}

// Hundreds of channels share a manager and do not mix.
func TestManyChannels(t *testing.T) {
	alice, bob := open(t, "alice"), open(t, "bob")
	for i := range 300 {
		id := fmt.Sprintf("channel %03d", i)
		check(t, alice.OpenChannel(id, sds.ChannelOptions{}, epoch))
		check(t, bob.OpenChannel(id, sds.ChannelOptions{}, epoch))
		wrapped := must[sds.Wrapped](t)(alice.WrapOutgoing(id, "", []byte(id), epoch))
		u := must[sds.Unwrapped](t)(bob.UnwrapIncoming(wrapped.Data, epoch))
		if u.ChannelID != id || string(u.Content) != id || u.SenderID != "alice" || u.MessageID != wrapped.MessageID ||
			u.Disposition != sds.DispositionDelivered || u.Timestamp != wrapped.Timestamp || !u.HasTimestamp {
			t.Fatalf("%+v", u)
		}
	}
	channels := must[[]string](t)(alice.Channels())
	if len(channels) != 300 || channels[0] != "channel 000" || channels[299] != "channel 299" {
		t.Errorf("%d channels, %q to %q", len(channels), channels[0], channels[len(channels)-1])
	}
}
