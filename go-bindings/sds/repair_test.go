package sds_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

// A missing message is asked for and answered by somebody else than its sender, who is gone.
func TestRepairRequestAndAnswer(t *testing.T) {
	for _, profile := range []sds.Profile{sds.ProfileRFC, sds.ProfileLibsds} {
		t.Run(profile.String(), func(t *testing.T) {
			change := func(c *sds.Config) { c.Profile, c.SyncInLibsds = profile, true }
			alice := openIn(t, "alice", "c", sds.ChannelOptions{}, change)
			bob := openIn(t, "bob", "c", sds.ChannelOptions{}, change)
			carol := openIn(t, "carol", "c", sds.ChannelOptions{}, change)
			lost := must[sds.Wrapped](t)(alice.WrapOutgoing("c", "lost", []byte("lost"), epoch))
			next := must[sds.Wrapped](t)(alice.WrapOutgoing("c", "next", []byte("next"), epoch))
			must[sds.Unwrapped](t)(bob.UnwrapIncoming(lost.Data, epoch))
			must[sds.Unwrapped](t)(bob.UnwrapIncoming(next.Data, epoch))
			must[sds.Unwrapped](t)(carol.UnwrapIncoming(next.Data, epoch))
			outputs[sds.Output](t, carol)

			status := must[sds.ChannelStatus](t)(carol.ChannelStatus("c"))
			if status.RepairRequests != 1 {
				t.Fatalf("%+v", status)
			}
			request, at := tickUntil[sds.RepairRequested](t, carol, sds.ReasonRepairRequest)
			if wait := at.Sub(epoch); wait < 30*time.Second || wait > 2*time.Minute {
				t.Errorf("asked after %v", wait)
			}
			inspection := must[sds.Inspection](t)(sds.Inspect(request.Data))
			if inspection.RepairRequests != 1 || inspection.Kind != sds.KindSync {
				t.Errorf("%+v", inspection)
			}

			must[sds.Unwrapped](t)(bob.UnwrapIncoming(request.Data, at))
			if status := must[sds.ChannelStatus](t)(bob.ChannelStatus("c")); status.RepairAnswers != 1 {
				t.Fatalf("%+v", status)
			}
			answer, at := tickUntil[sds.RepairAnswered](t, bob, sds.ReasonRepairAnswer)
			if answer.MessageID != "lost" || string(answer.Data) != string(lost.Data) {
				t.Errorf("the answer is %s, not the bytes received", answer.MessageID)
			}

			unwrapped := must[sds.Unwrapped](t)(carol.UnwrapIncoming(answer.Data, at))
			if unwrapped.Disposition != sds.DispositionDelivered || unwrapped.SenderID != "alice" {
				t.Errorf("%+v", unwrapped)
			}
			repaired := outputs[sds.Repaired](t, carol)
			if len(repaired) != 1 || repaired[0] != (sds.Repaired{ChannelID: "c", MessageID: "lost"}) {
				t.Errorf("%+v", repaired)
			}
			status = must[sds.ChannelStatus](t)(carol.ChannelStatus("c"))
			if status.Repaired != 1 || status.RepairsRequested != 1 || status.RepairRequests != 0 || status.Missing != 0 {
				t.Errorf("%+v", status)
			}
			if status := must[sds.ChannelStatus](t)(bob.ChannelStatus("c")); status.RepairsAnswered != 1 {
				t.Errorf("%+v", status)
			}
		})
	}
}

// tickUntil ticks at every deadline until bytes go out for that reason, and checks that an event of that kind tells so.
func tickUntil[E sds.Output](t *testing.T, m *sds.Manager, reason sds.Reason) (sds.Transmit, time.Time) {
	t.Helper()
	for range 100 {
		deadline, ok, err := m.NextDeadline()
		check(t, err)
		if !ok {
			break
		}
		check(t, m.Tick(deadline))
		var sent *sds.Transmit
		told := 0
		for _, output := range must[[]sds.Output](t)(m.Drain()) {
			switch o := output.(type) {
			case sds.Transmit:
				if o.Reason == reason {
					sent = &o
				}
			case E:
				told++
			}
		}
		if sent != nil {
			if told != 1 {
				t.Errorf("%v: told %d times", reason, told)
			}
			return *sent, deadline
		}
	}
	t.Fatalf("nothing went out for: %v", reason)
	return sds.Transmit{}, time.Time{}
}

// Without any store, a group repairs among itself what its network loses.
func TestRepairWithoutStore(t *testing.T) {
	for name, change := range map[string]func(*sds.Config){
		"rfc":    func(*sds.Config) {},
		"libsds": func(c *sds.Config) { c.Profile, c.SyncInLibsds = sds.ProfileLibsds, true },
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t, 11, 0.2, 0.1)
			n.store = nil
			for i := range 6 {
				id := sds.ParticipantID(fmt.Sprintf("member-%d", i))
				n.join(openIn(t, id, "c", sds.ChannelOptions{}, change), id)
			}
			for i := range 120 {
				n.peers[i%len(n.peers)].say("c", fmt.Sprintf("message %d", i))
				until := n.now.Add(2 * time.Second)
				n.runUntil("two seconds later", func() bool { return !n.now.Before(until) })
			}
			n.runUntil("settled", func() bool { return n.settled("c") })
			n.checkEqual("c")
			var asked, answered, repaired uint64
			for _, p := range n.peers {
				status := must[sds.ChannelStatus](t)(p.ChannelStatus("c"))
				asked, answered, repaired = asked+status.RepairsRequested, answered+status.RepairsAnswered, repaired+status.Repaired
				if status.RepairRequests != 0 {
					t.Errorf("%s still asks: %+v", p.name, status)
				}
			}
			if repaired == 0 || answered == 0 {
				t.Errorf("%d asked for, %d answered, %d repaired", asked, answered, repaired)
			}
			if answered > 2*asked {
				t.Errorf("%d answers to %d requests", answered, asked)
			}
			t.Logf("%d asked for, %d answered, %d repaired", asked, answered, repaired)
		})
	}
}

// A configuration under which no answer could come in time is refused.
func TestRepairTimeoutTooShort(t *testing.T) {
	config := sds.DefaultConfig()
	config.ParticipantID = "alice"
	config.DependencyTimeout = time.Minute
	if _, err := sds.Open(config); err == nil {
		t.Error("opened")
	}
	config.Repair = false
	m := must[*sds.Manager](t)(sds.Open(config))
	check(t, m.Close())
}
