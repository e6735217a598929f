package external

import (
	"path/filepath"
	"testing"
	"time"
)

// The process dies when an offer is committed, and before it is confirmed or anything of it is drained: the rows of all
// that the offer brought into the log are there, that of a message which had waited included.
func TestKilledAfterTheCommit(t *testing.T) {
	folder := t.TempDir()
	alice := join(t, filepath.Join(folder, "alice.db"), "alice", epoch)
	path := filepath.Join(folder, "bob.db")
	bob := join(t, path, "bob", epoch)
	check(t, alice.Send("a1", []byte("one"), epoch))
	check(t, alice.Send("a2", []byte("two"), epoch))
	sent := alice.take()
	check(t, bob.Receive(sent[1], epoch))
	if row := bob.row("a2"); row != "two false" {
		t.Fatal(row)
	}
	// bob.Receive(sent[0]), up to the moment after the transaction.
	must(bob.manager.UnwrapIncoming(sent[0], epoch))
	offer := must(bob.manager.Offer())
	check(t, bob.commit(offer.Writes))
	check(t, bob.db.Close())

	again := join(t, path, "bob", epoch.Add(time.Second))
	complete := func(when string) {
		t.Helper()
		if a1, a2 := again.row("a1"), again.row("a2"); a1 != "one true" || a2 != "two true" {
			t.Errorf("%s: %q, %q", when, a1, a2)
		}
	}
	complete("after the restart")
	check(t, again.Tick(epoch.Add(time.Hour)))
	complete("an hour later")
	for _, data := range sent {
		check(t, again.Receive(data, epoch.Add(2*time.Hour)))
	}
	complete("after both came again")
	var incomplete int
	check(t, again.db.QueryRow("SELECT count(*) FROM messages WHERE NOT complete").Scan(&incomplete))
	status := must(again.manager.ChannelStatus(channel))
	if incomplete != int(status.Waiting) || status.Received != 2 {
		t.Errorf("%d rows are incomplete, %d messages wait, %d were received", incomplete, status.Waiting, status.Received)
	}
	check(t, again.Close())
}
