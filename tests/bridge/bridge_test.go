// Package bridge has native participants and web participants meet in one channel, through a bridge that forwards bytes and
// knows nothing of them. docs/bridging.md names these tests.
package bridge

import (
	"fmt"
	"testing"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

var profiles = []sds.Profile{sds.ProfileRFC, sds.ProfileLibsds}

// Two natives and two browsers talk over networks and a bridge that lose a tenth each. In the end all logs are equal, and all
// know that what they said was heard, whichever format either side writes.
func TestNativeAndWeb(t *testing.T) {
	for _, natives := range profiles {
		for _, webs := range profiles {
			t.Run("native "+natives.String()+", web "+webs.String(), func(t *testing.T) {
				n := newNetwork(t, 7, 0.1)
				alice, bob := n.native("alice", natives), n.native("bob", natives)
				carol, dave := n.web("carol", webs), n.web("dave", webs)
				n.join(nativeSide, alice, bob)
				n.join(webSide, carol, dave)
				n.converse(60)
				n.checkLogs()
				for _, m := range n.members {
					s := m.story()
					if s.read[natives.String()] == 0 || s.read[webs.String()] == 0 || len(s.refused) > 0 {
						t.Errorf("%s read %v, and refused %v", s.name, s.read, s.refused)
					}
				}
			})
		}
	}
}

// Both formats on both sides.
func TestAllFormatsInOneChannel(t *testing.T) {
	n := newNetwork(t, 8, 0.1)
	n.join(nativeSide, n.native("alice", sds.ProfileRFC), n.native("bob", sds.ProfileLibsds))
	n.join(webSide, n.web("carol", sds.ProfileRFC), n.web("dave", sds.ProfileLibsds))
	n.converse(60)
	n.checkLogs()
}

// A message whose sender is gone, and that the bridge lost, is repaired by whoever has it, on the other side of the bridge
// (SDS-R), in both directions.
func TestRepairOverTheBridge(t *testing.T) {
	for _, natives := range profiles {
		t.Run("native "+natives.String(), func(t *testing.T) {
			n := newNetwork(t, 9, 0)
			alice, bob := n.native("alice", natives), n.native("bob", natives)
			carol, dave := n.web("carol", sds.ProfileRFC), n.web("dave", sds.ProfileRFC)
			n.join(nativeSide, alice, bob)
			n.join(webSide, carol, dave)

			lost := func(sender, witness member) string {
				n.down = true
				id := sender.say("the bridge loses this of " + sender.story().name)
				n.step()
				n.leave(sender)
				if witness.story().shown[id] != 1 {
					t.Fatalf("%s did not hear it", witness.story().name)
				}
				n.down = false
				witness.say("and not this")
				return id
			}
			id := lost(alice, bob)
			n.until("repaired for the web", func() bool { return carol.shown[id] == 1 && dave.shown[id] == 1 })
			if bob.reasons["repair answer"] == 0 {
				t.Errorf("bob sent %v", bob.reasons)
			}
			id = lost(carol, dave)
			if natives == sds.ProfileLibsds {
				// There are no sync messages in it to ask with: he asks with the next that he says.
				for range 60 {
					n.step()
				}
				bob.say("what was that?")
			}
			n.until("repaired for the native", func() bool { return bob.shown[id] == 1 })
			if asked := bob.reasons["repair request"] > 0; asked != (natives == sds.ProfileRFC) {
				t.Errorf("bob sent %v", bob.reasons)
			}
		})
	}
}

// A web app on @waku/sds and a native that writes its format. (In a group such an app needs a store: it asks the others for what
// it misses only once, and the answer may be lost. tests/interop has that: TestGroupConversation.)
func TestWakuAppAndNativeRFC(t *testing.T) {
	n := newNetwork(t, 10, 0.1)
	n.join(nativeSide, n.native("alice", sds.ProfileRFC))
	carol := n.waku("carol")
	n.join(webSide, carol)
	n.converse(40)
	n.checkLogs()
	if len(carol.refused) > 0 {
		t.Errorf("it refused %v", carol.refused)
	}
}

// What natives say in the libsds format, a web app on @waku/sds does not see as what it is; they see what it says. Its messages
// stay unacknowledged, since what acknowledges them is unreadable to it.
func TestWakuAppAndNativeLibsds(t *testing.T) {
	n := newNetwork(t, 11, 0)
	alice, carol := n.native("alice", sds.ProfileLibsds), n.waku("carol")
	n.join(nativeSide, alice)
	n.join(webSide, carol)
	theirs := carol.say("who hears this?")
	n.step()
	n.step()
	ours := alice.say("I do")
	for range 120 {
		n.step()
	}
	if alice.shown[theirs] != 1 {
		t.Error("alice does not see what carol says")
	}
	if carol.shown[ours] != 0 || carol.acknowledged[theirs] != 0 {
		t.Error("@waku/sds was expected not to read the libsds format, and does")
	}
	if carol.refused["NOT_SDS"] == 0 {
		t.Errorf("it refused %v", carol.refused)
	}
}

// A native that writes rfc can get such a web app what others said in libsds: the app asks for what the native names, and is
// answered in its own format (SDS-R). Only if whoever said it does not answer first, in libsds, which the app cannot read.
func TestWakuAppGetsLibsdsByRepair(t *testing.T) {
	for _, gone := range []bool{true, false} {
		t.Run(fmt.Sprintf("its sender is gone: %v", gone), func(t *testing.T) {
			n := newNetwork(t, 12, 0)
			alice, bob, carol := n.native("alice", sds.ProfileLibsds), n.native("bob", sds.ProfileRFC), n.waku("carol")
			n.join(nativeSide, alice, bob)
			n.join(webSide, carol)
			id := alice.say("in libsds")
			n.step()
			n.step()
			if gone {
				n.leave(alice)
			}
			bob.say("in rfc")
			if !gone {
				for range 1200 {
					n.step()
				}
				if carol.shown[id] != 0 || alice.reasons["repair answer"] == 0 {
					t.Errorf("@waku/sds was expected not to get it; alice sent %v", alice.reasons)
				}
				return
			}
			n.until("repaired for the web app", func() bool { return len(carol.log()) == 2 })
			n.checkLogs()
		})
	}
}
