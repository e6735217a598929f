package ownstore

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	_ "github.com/mattn/go-sqlite3"

	"github.com/waku-org/sds-go-bindings/engine"
	"github.com/waku-org/sds-go-bindings/sds"
)

const chat = "0xcommunity/1/chat"

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// member is a chat in a file, and the network that it has.
type member struct {
	*Chat
	t     *testing.T
	db    *sql.DB
	path  string
	mutex sync.Mutex
	sent  [][]byte
	shown chan sds.MessageID
}

func join(t *testing.T, path, name string) *member {
	t.Helper()
	m := &member{t: t, path: path, shown: make(chan sds.MessageID, 1000)}
	m.db = m.open("?_busy_timeout=0&_journal_mode=WAL")
	m.db.SetMaxOpenConns(1) // so that nobody but another program has it locked
	var err error
	m.Chat, err = Open(m.db, name, m.published, func(id sds.MessageID) {
		if m.row(id) == "" {
			t.Errorf("%s is shown and not in the database", id)
		}
		m.shown <- id
	})
	check(t, err)
	t.Cleanup(func() { _ = m.Close() })
	return m
}

func (m *member) open(options string) *sql.DB {
	db, err := sql.Open("sqlite3", m.path+options)
	check(m.t, err)
	m.t.Cleanup(func() { db.Close() })
	return db
}

// published is what the chat calls. By then another connection sees the message.
func (m *member) published(data []byte) {
	message, err := engine.Inspect(data)
	if err != nil || message.Kind == engine.KindContent && m.row(sds.MessageID(message.MessageID)) == "" {
		m.t.Errorf("%s is published and not in the database: %v", message.MessageID, err)
	}
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.sent = append(m.sent, data)
}

// take is what was published since it was called last.
func (m *member) take() [][]byte {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	sent := m.sent
	m.sent = nil
	return sent
}

// row is what another program sees of a message.
func (m *member) row(id sds.MessageID) string {
	db, err := sql.Open("sqlite3", m.path)
	if err != nil {
		return err.Error()
	}
	defer db.Close()
	var payload []byte
	var complete bool
	err = db.QueryRow("SELECT payload, complete FROM user_messages WHERE id = ?", string(id)).Scan(&payload, &complete)
	if errors.Is(err, sql.ErrNoRows) {
		return ""
	}
	return fmt.Sprint(string(payload), " ", complete, " ", err)
}

// A message is published and shown when it is committed with its row, and not before.
func TestCommitThenPublish(t *testing.T) {
	alice := join(t, filepath.Join(t.TempDir(), "alice.db"), "alice")
	bob := join(t, filepath.Join(t.TempDir(), "bob.db"), "bob")
	check(t, alice.Send("a1", []byte("hello"), chat))
	check(t, bob.Receive(alice.take()[0]))
	if id := <-bob.shown; id != "a1" || bob.row("a1") != "hello true <nil>" {
		t.Error(id, bob.row("a1"))
	}

	// Another program has the database locked: nothing goes out, and nothing is in it.
	lock, err := alice.open("?_txlock=immediate").Begin()
	check(t, err)
	if alice.Send("a2", []byte("locked out"), chat) == nil {
		t.Error("sent, though the database was locked")
	}
	if len(alice.take()) != 0 || alice.row("a2") != "" {
		t.Error("let out before it was committed")
	}
	check(t, lock.Rollback())
	check(t, alice.Send("a2", []byte("locked out"), chat))
	second := alice.take()
	if len(second) == 0 || alice.row("a2") != "locked out true <nil>" {
		t.Error(len(second), alice.row("a2"))
	}

	// A message that waits is in the database at once, and complete when the one that it waited for is.
	check(t, alice.Send("a3", []byte("and now"), chat))
	third := alice.take()
	check(t, bob.Receive(third[len(third)-1]))
	if row := bob.row("a3"); row != "and now false <nil>" {
		t.Error(row)
	}
	check(t, bob.Receive(second[0]))
	for _, want := range []sds.MessageID{"a2", "a3"} {
		if id := <-bob.shown; id != want || bob.row(id) == "" {
			t.Errorf("%s was shown, not %s", id, want)
		}
	}
	if row := bob.row("a3"); row != "and now true <nil>" {
		t.Error(row)
	}
}

// The program dies after any step, and begins again with what the database is then: rows and SDS agree.
func TestRowsAndStateAgreeAfterACrash(t *testing.T) {
	folder := t.TempDir()
	alice := join(t, filepath.Join(folder, "alice.db"), "alice")
	bob := join(t, filepath.Join(folder, "bob.db"), "bob")
	for i := range 10 {
		check(t, bob.Send(sds.MessageID(fmt.Sprint("b", i)), []byte("from bob"), chat))
		sent := bob.take()
		if i%3 == 1 { // lost, until the next one tells
			agree(t, alice, filepath.Join(folder, fmt.Sprint("lost", i)))
			continue
		}
		check(t, alice.Receive(sent[0]))
		check(t, alice.Send(sds.MessageID(fmt.Sprint("a", i)), []byte("from alice"), chat))
		agree(t, alice, filepath.Join(folder, fmt.Sprint("crash", i)))
	}
}

// agree opens a copy of the database, as it lies on the disk.
func agree(t *testing.T, m *member, path string) {
	t.Helper()
	for _, end := range []string{"", "-wal"} {
		data, err := os.ReadFile(m.path + end)
		if end == "" {
			check(t, err)
		}
		check(t, os.WriteFile(path+end, data, 0o600))
	}
	twin := join(t, path, "alice")
	var sent, received int
	check(t, twin.db.QueryRow("SELECT count(*) FROM user_messages WHERE outgoing").Scan(&sent))
	check(t, twin.db.QueryRow("SELECT count(*) FROM user_messages WHERE NOT outgoing AND complete").Scan(&received))
	status, err := twin.manager.Engine().ChannelStatus(chat)
	if errors.Is(err, engine.ErrUnknownChannel) && sent+received == 0 {
		return
	}
	check(t, err)
	if sent != int(status.Sent) || received != int(status.Received) {
		t.Errorf("%d and %d rows, and %d sent and %d received", sent, received, status.Sent, status.Received)
	}
	check(t, twin.Close())
}
