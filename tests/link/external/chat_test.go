package external

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

var epoch = time.UnixMilli(1_700_000_000_000)

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// member is a chat in a file, and the network that it has.
type member struct {
	*Chat
	t    *testing.T
	path string
	// sent is what was published and not taken yet.
	sent [][]byte
}

func join(t *testing.T, path string, name sds.ParticipantID, now time.Time) *member {
	t.Helper()
	db, err := sql.Open("sqlite3", path+"?_busy_timeout=0&_journal_mode=WAL")
	check(t, err)
	m := &member{t: t, path: path}
	m.Chat, err = Open(db, name, now, m.published)
	check(t, err)
	t.Cleanup(func() { m.db.Close() })
	return m
}

// published is called by the chat. By then another connection sees the message, if it is one of ours.
func (m *member) published(data []byte) {
	m.sent = append(m.sent, data)
	message, err := sds.Inspect(data)
	check(m.t, err)
	if message.Kind == sds.KindContent && m.row(message.MessageID) == "" {
		m.t.Errorf("%s is published and not in the database", message.MessageID)
	}
}

// row is what another program sees of a message.
func (m *member) row(id sds.MessageID) string {
	m.t.Helper()
	db, err := sql.Open("sqlite3", m.path)
	check(m.t, err)
	defer db.Close()
	var content []byte
	var complete bool
	err = db.QueryRow("SELECT content, complete FROM messages WHERE message_id = ?", string(id)).Scan(&content, &complete)
	if errors.Is(err, sql.ErrNoRows) {
		return ""
	}
	check(m.t, err)
	return fmt.Sprint(string(content), " ", complete)
}

func (m *member) take() [][]byte {
	sent := m.sent
	m.sent = nil
	return sent
}

func TestPublishedOnlyWhenCommitted(t *testing.T) {
	alice := join(t, filepath.Join(t.TempDir(), "alice.db"), "alice", epoch)
	bob := join(t, filepath.Join(t.TempDir(), "bob.db"), "bob", epoch)
	check(t, alice.Send("a1", []byte("hello"), epoch))
	sent := alice.take()
	if len(sent) != 1 {
		t.Fatal(len(sent))
	}
	check(t, bob.Receive(sent[0], epoch))
	if row := bob.row("a1"); row != "hello true" {
		t.Error(row)
	}

	// Another program has the database locked: nothing is published, and nothing shown.
	other, err := sql.Open("sqlite3", alice.path+"?_txlock=immediate")
	check(t, err)
	defer other.Close()
	lock, err := other.Begin()
	check(t, err)
	if alice.Send("a2", []byte("locked out"), epoch) == nil {
		t.Error("committed, though the database was locked")
	}
	if alice.Send("a3", []byte("too"), epoch) == nil || alice.Tick(epoch.Add(time.Second)) == nil {
		t.Error("went on")
	}
	if len(alice.sent) != 0 || alice.row("a2") != "" {
		t.Error("let out before it was committed")
	}
	check(t, lock.Rollback())
	check(t, alice.Tick(epoch.Add(time.Second)))
	if sent = alice.take(); len(sent) != 1 || alice.row("a2") != "locked out true" || alice.row("a3") != "" {
		t.Error(len(sent), alice.row("a2"), alice.row("a3"))
	}

	// A message that waits becomes complete together with the one that it waited for.
	check(t, alice.Send("a3", []byte("and now"), epoch.Add(time.Second)))
	later := alice.take()
	check(t, bob.Receive(later[0], epoch.Add(time.Second)))
	if row := bob.row("a3"); row != "and now false" {
		t.Error(row)
	}
	check(t, bob.Receive(sent[0], epoch.Add(time.Second)))
	if bob.row("a2") != "locked out true" || bob.row("a3") != "and now true" {
		t.Error(bob.row("a2"), bob.row("a3"))
	}
	check(t, alice.Close())
	check(t, bob.Close())
}

// The program dies between any two steps, at the moment when the database is what it is: rows and SDS agree after each.
func TestRowsAndStateAgreeAfterACrash(t *testing.T) {
	folder := t.TempDir()
	alice := join(t, filepath.Join(folder, "alice.db"), "alice", epoch)
	bob := join(t, filepath.Join(folder, "bob.db"), "bob", epoch)
	for i := range 20 {
		now := epoch.Add(time.Duration(i) * 3 * time.Second)
		check(t, bob.Send(sds.MessageID(fmt.Sprint("b", i)), []byte("from bob"), now))
		for _, data := range bob.take() {
			check(t, alice.Receive(data, now))
		}
		check(t, alice.Send(sds.MessageID(fmt.Sprint("a", i)), []byte("from alice"), now))
		check(t, alice.Tick(now.Add(time.Second)))
		agree(t, alice, filepath.Join(folder, fmt.Sprint("crash", i)), now.Add(2*time.Second))
		if i%4 == 0 {
			for _, data := range alice.take() {
				check(t, bob.Receive(data, now))
			}
		}
	}
}

// What the chat deleted stays deleted: SDS writes less of it later, and that is no new message.
func TestDeletedRowStaysDeleted(t *testing.T) {
	folder := t.TempDir()
	alice := join(t, filepath.Join(folder, "alice.db"), "alice", epoch)
	bob := join(t, filepath.Join(folder, "bob.db"), "bob", epoch)
	check(t, bob.Send("b1", []byte("forget it"), epoch))
	check(t, alice.Receive(bob.take()[0], epoch))
	size := func() (size int) {
		row := alice.db.QueryRow("SELECT length(value) FROM sds WHERE channel_id = ? AND key BETWEEN x'01' AND x'02'", channel)
		check(t, row.Scan(&size))
		return size
	}
	before := size()
	must(alice.db.Exec("DELETE FROM messages"))
	// By now nobody asks for it any more.
	later := epoch.Add(2 * time.Hour)
	check(t, alice.Tick(later))
	check(t, alice.Send("a1", []byte("done"), later))
	if row := alice.row("b1"); row != "" || alice.row("a1") != "done true" {
		t.Error(row, alice.row("a1"))
	}
	if after := size(); after > before/10 {
		t.Errorf("%d bytes became %d", before, after)
	}
	check(t, alice.Close())
	check(t, bob.Close())
}

// agree opens a copy of the database, as it lies on the disk.
func agree(t *testing.T, m *member, path string, now time.Time) {
	t.Helper()
	for _, end := range []string{"", "-wal"} {
		data, err := os.ReadFile(m.path + end)
		check(t, err)
		check(t, os.WriteFile(path+end, data, 0o600))
	}
	twin := join(t, path, "alice", now)
	rows, err := twin.db.Query("SELECT message_id, sender, content FROM messages")
	check(t, err)
	shown := map[sds.MessageID]bool{}
	for rows.Next() {
		var id, sender string
		var content []byte
		check(t, rows.Scan(&id, &sender, &content))
		shown[sds.MessageID(id)] = true
		if sender == "" {
			_, err := twin.manager.MessageStatus(channel, sds.MessageID(id))
			check(t, err)
		}
	}
	check(t, rows.Err())
	status, err := twin.manager.ChannelStatus(channel)
	check(t, err)
	if len(shown) != int(status.Sent+status.Received) {
		t.Errorf("%d messages shown, and %d sent and %d received", len(shown), status.Sent, status.Received)
	}
	for _, record := range must(load(twin.db)) {
		if !record.Key.IsMessage() {
			continue
		}
		entry, err := twin.manager.ReadLogRecord(record.Key, record.Value, nil)
		check(t, err)
		if !shown[entry.MessageID] || !bytes.HasPrefix(entry.Content, []byte("from ")) {
			t.Errorf("%s is in the log and not shown", entry.MessageID)
		}
	}
	check(t, twin.Close())
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
