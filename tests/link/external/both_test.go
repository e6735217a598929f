package external

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

// A program with an SQLite of its own, and a manager over a store, whose SQLite is built into the library: each uses its
// own, at the same time, and the program's can read what the other wrote.
func TestTwoSQLitesInOneProgram(t *testing.T) {
	folder := t.TempDir()
	alice := join(t, filepath.Join(folder, "alice.db"), "alice", epoch)
	config := sds.DefaultConfig()
	config.ParticipantID = "bob"
	path := filepath.Join(folder, "bob.sds")
	bob := must(sds.OpenStore(config, path, sds.StoreOptions{Synchronous: sds.SynchronousOff}, epoch))
	check(t, bob.OpenChannel(channel, sds.ChannelOptions{}, epoch))
	const messages = 50
	for i := range messages {
		check(t, alice.Send(sds.MessageID(fmt.Sprint("a", i)), []byte("to and fro"), epoch))
		for _, data := range alice.take() {
			must(bob.UnwrapIncoming(data, epoch))
		}
		check(t, alice.Receive(must(bob.WrapOutgoing(channel, "", []byte("and fro"), epoch)).Data, epoch))
	}
	check(t, alice.Close())
	check(t, bob.Close())
	db := must(sql.Open("sqlite3", path+"?mode=ro"))
	defer db.Close()
	var sound string
	var count int
	check(t, db.QueryRow("PRAGMA integrity_check").Scan(&sound))
	check(t, db.QueryRow("SELECT count(*) FROM messages WHERE sender_id IN ('alice', 'bob')").Scan(&count))
	if sound != "ok" || count != 2*messages {
		t.Error(sound, count)
	}
}
