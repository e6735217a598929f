package external

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
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

// A database of another program's, left as a crash leaves one: what it wrote last lies in its log. It stays as it is.
func TestDatabaseOfAnotherProgramIsLeftAlone(t *testing.T) {
	folder := t.TempDir()
	theirs, path := filepath.Join(folder, "theirs.db"), filepath.Join(folder, "crashed.db")
	db := must(sql.Open("sqlite3", theirs+"?_journal_mode=WAL"))
	defer db.Close()
	db.SetMaxOpenConns(1)
	must(db.Exec("CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('milk')"))
	before := map[string]string{}
	for _, end := range []string{"", "-wal"} {
		data := must(os.ReadFile(theirs + end))
		before[end] = string(data)
		check(t, os.WriteFile(path+end, data, 0o600))
	}
	if len(before["-wal"]) == 0 {
		t.Fatal("nothing in the log")
	}
	_, err := sds.OpenStore(sds.DefaultConfig(), path, sds.StoreOptions{}, epoch)
	if !errors.Is(err, sds.ErrStoreUnusable) {
		t.Error(err)
	}
	for end, data := range before {
		if after, err := os.ReadFile(path + end); err != nil || string(after) != data {
			t.Errorf("%q: %d bytes are %d, %v", end, len(data), len(after), err)
		}
	}
}
