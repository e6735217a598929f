//go:build go1.25

package sds_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/waku-org/sds-go-bindings/engine"
	"github.com/waku-org/sds-go-bindings/sds"
)

// tables is a program's database: the records of SDS, and a table of its own. It can fail.
type tables struct {
	mutex   sync.Mutex
	records map[string]map[engine.Key][]byte
	rows    []string
	fails   error
	commits int
	// hints counts records of hints that were written.
	hints int
}

func (db *tables) Load() (records []engine.StoredRecord, err error) {
	db.mutex.Lock()
	defer db.mutex.Unlock()
	for channelID, values := range db.records {
		for key, value := range values {
			records = append(records, engine.StoredRecord{ChannelID: channelID, Key: key, Value: value})
		}
	}
	return records, db.fails
}

// fail has it fail from now on, or work again.
func (db *tables) fail(err error) {
	db.mutex.Lock()
	defer db.mutex.Unlock()
	db.fails = err
}

// wrote is what is in the program's table from a row on.
func (db *tables) wrote(from int) []string {
	db.mutex.Lock()
	defer db.mutex.Unlock()
	return slices.Clone(db.rows[from:])
}

func (db *tables) committed() int {
	db.mutex.Lock()
	defer db.mutex.Unlock()
	return db.commits
}

func (db *tables) Commit(step sds.Step) error {
	db.mutex.Lock()
	defer db.mutex.Unlock()
	if db.fails != nil {
		return db.fails
	}
	db.commits++
	for _, write := range step.Writes {
		switch write.Op {
		case engine.WritePut:
			if write.Key == write.Key.Side() {
				db.hints++
			}
			if db.records[write.ChannelID] == nil {
				db.records[write.ChannelID] = map[engine.Key][]byte{}
			}
			db.records[write.ChannelID][write.Key] = write.Value
		case engine.WriteDelete:
			delete(db.records[write.ChannelID], write.Key)
		case engine.WriteForget:
			delete(db.records, write.ChannelID)
		case engine.WriteWipe:
			clear(db.records)
		}
	}
	for _, message := range step.Messages {
		state := map[sds.State]string{sds.StateSent: "sent", sds.StateWaiting: "waiting", sds.StateReady: "ready"}[message.State]
		db.rows = append(db.rows, fmt.Sprintf("%s %s %s: %s", state, short(message.MessageID), message.SenderID, message.Content))
	}
	return nil
}

func newTables() *tables { return &tables{records: map[string]map[engine.Key][]byte{}} }

func in(db sds.Database) func(*sds.Options) {
	return func(o *sds.Options) { o.Store = sds.InDatabase(db) }
}

// A message is in the database before it is returned, and its row and the state of SDS with it.
func TestInDatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newTables()
		alice, bob := join(t, as("alice"), in(db)), join(t, as("bob"))
		sent := alice.wrap(1)
		same(t, "rows", db.wrote(0), []string{"sent 1 alice: message 1"})
		same(t, "retry", alice.wrap(1), sent)
		bob.unwrap(sent, 1)
		missed := bob.wrap(2)
		alice.unwrap(bob.wrap(3), 3)
		same(t, "rows", db.wrote(1), []string{"waiting 3 bob: message 3"})
		alice.says("missing 2 of 3", "sent 1")
		check(t, alice.Cleanup())

		// The next start goes on from the records.
		alice = join(t, as("alice"), in(db))
		alice.unwrap(missed, 2)
		same(t, "rows", db.wrote(2), []string{"ready 2 bob: message 2", "ready 3 bob: message 3"})
		alice.says("ready 2", "ready 3")
		alice.unwrap(missed, 2)
		alice.unwrap(sent, 1)
		same(t, "rows", len(db.wrote(0)), 4)
		// What concerns nobody but SDS is written at the end.
		check(t, alice.Cleanup())
		alice = join(t, as("alice"), in(db))
		same(t, "duplicates", must[engine.ChannelStatus](t)(alice.Engine().ChannelStatus(channel)).Duplicates, 1)
		check(t, alice.Reset())
		same(t, "channels after a reset", len(db.records[channel]), 0)
		alice.unwrap(sent, 1)
	})
}

// A transaction that fails lets nothing out, and is made up for by what follows.
func TestDatabaseThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newTables()
		alice, bob := join(t, as("alice"), in(db)), join(t, as("bob"))
		alice.unwrap(bob.wrap(1), 1)
		alice.says("ready 1")
		full := errors.New("the disk is full")
		db.fail(full)
		memory := payload(2)
		if data, err := alice.WrapOutgoingMessage(memory, id(2), channel); !errors.Is(err, full) || data != nil {
			t.Error(data, err)
		}
		copy(memory, "used again") // by the caller
		next := bob.wrap(3)
		for range 2 {
			if u, err := alice.UnwrapReceivedMessage(next); !errors.Is(err, full) || u != nil {
				t.Error(u, err)
			}
		}
		alice.says()
		same(t, "outputs", alice.seen(), []string{})
		same(t, "rows", len(db.wrote(0)), 1)

		db.fail(nil)
		time.Sleep(10 * time.Second) // a resend is due by then
		ids, _ := transmits(alice.seen())
		if !slices.Contains(ids, "publish 2") {
			t.Error(ids)
		}
		same(t, "rows", db.wrote(1), []string{"sent 2 alice: message 2"})
		bob.unwrap(alice.wrap(2), 2)
		alice.unwrap(next, 3) // it was not taken in before
		alice.says("ready 3")
		same(t, "rows", db.wrote(2), []string{"ready 3 bob: message 3"})

		db.fail(full)
		if err := alice.Cleanup(); err != nil && !errors.Is(err, full) {
			t.Error(err)
		}
		if _, err := sds.NewReliabilityManagerWith(sds.Options{ParticipantID: "alice", Store: sds.InDatabase(db)}); !errors.Is(err, full) {
			t.Error(err)
		}
		db.fail(nil)
		if _, err := sds.NewReliabilityManagerWith(sds.Options{ParticipantID: "bob", Store: sds.InDatabase(db)}); !errors.Is(err, engine.ErrStoreUnusable) {
			t.Error(err)
		}
	})
}

// A message that was taken in before its transaction failed is told when that is made up for, without another call; and what
// becomes ready by it is in the same transaction.
func TestWhatFailedIsMadeUpFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newTables()
		alice, bob := join(t, as("alice"), in(db)), join(t, as("bob"))
		first, second := bob.wrap(1), bob.wrap(2)
		full := errors.New("the disk is full")
		synctest.Wait() // the manager itself is committed
		db.fail(full)
		if u, err := alice.UnwrapReceivedMessage(second); !errors.Is(err, full) || u != nil {
			t.Error(u, err)
		}
		alice.says()
		db.fail(nil)
		time.Sleep(2 * time.Second)
		alice.says("missing 1 of 2")
		same(t, "missing of a duplicate", alice.unwrap(second, 2), []string{"1"})

		db.fail(full)
		if _, err := alice.UnwrapReceivedMessage(first); !errors.Is(err, full) {
			t.Error(err)
		}
		alice.says()
		same(t, "rows", db.wrote(0), []string{"waiting 2 bob: message 2"})
		commits := db.committed()
		db.fail(nil)
		time.Sleep(2 * time.Second)
		alice.says("ready 1", "ready 2")
		same(t, "rows", db.wrote(1), []string{"ready 1 bob: message 1", "ready 2 bob: message 2"})
		same(t, "commits", db.committed()-commits, 1) // a crash leaves both or neither
	})
}

// Of a message that is in the log, less is kept later: that is no news, also after a restart.
func TestMessagesComeOnceInDatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, config := newTables(), sds.DefaultConfig()
		config.Profile = engine.ProfileRFC // its filter has 18 KB
		alice, bob := join(t, as("alice"), in(db)), join(t, as("bob"), func(o *sds.Options) { o.Config = &config })
		alice.unwrap(bob.wrap(1), 1)
		check(t, alice.Cleanup())
		size := func() (size int) {
			for key, value := range db.records[channel] {
				if key.IsMessage() {
					size += len(value)
				}
			}
			return size
		}
		before := size()
		time.Sleep(2 * time.Hour) // by then nobody asks for it any more
		alice = join(t, as("alice"), in(db))
		alice.unwrap(bob.wrap(2), 2)
		if after := size(); after > before*3/2 {
			t.Errorf("%d bytes became %d: the first is still whole", before, after)
		}
		same(t, "rows", db.wrote(0), []string{"ready 1 bob: message 1", "ready 2 bob: message 2"})
	})
}

// Messages that the program told of are no news to it.
func TestSeededHistoryInDatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newTables()
		alice := join(t, as("alice"), in(db))
		check(t, alice.Engine().OpenChannel(channel, engine.ChannelOptions{}, time.Now()))
		known := []engine.KnownMessage{{MessageID: engine.MessageID(id(1)), Timestamp: uint64(time.Now().UnixMilli())}}
		same(t, "seeded", must[int](t)(alice.Engine().SeedHistory(channel, known, time.Now())), 1)
		alice.wrap(2)
		same(t, "rows", db.wrote(0), []string{"sent 2 alice: message 2"})
	})
}

// Hints are asked for outside the step, so that a provider may use the manager, and committed with the message.
func TestHintsInDatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newTables()
		alice, bob := join(t, as("alice"), in(db)), join(t, as("bob"))
		alice.RegisterCallbacks(sds.EventCallbacks{RetrievalHintProvider: func(id sds.MessageID) []byte {
			check(t, alice.MarkDependenciesMet([]sds.MessageID{"elsewhere"}, channel))
			return []byte("hint of " + short(id))
		}})
		alice.wrap(1)
		before := db.committed()
		u := must[*sds.UnwrappedMessage](t)(bob.UnwrapReceivedMessage(alice.wrap(2)))
		same(t, "hint", string((*u.MissingDeps)[0].RetrievalHint), "hint of 1")
		if db.committed() > before+2 { // one of the provider's, and one for hint and message
			t.Errorf("%d commits", db.committed()-before)
		}
		hints := db.hints
		for range 3 { // they are known by now
			alice.wrap(2)
		}
		same(t, "hints written again", db.hints, hints+1) // that of 2
		check(t, alice.Cleanup())
		alice = join(t, as("alice"), in(db))
		history := must[[]engine.HistoryEntry](t)(alice.Engine().NextHistory(channel))
		same(t, "hint after a restart", string(history[0].RetrievalHint), "hint of 1")
	})
}

// What the program does through Engine is committed, too, and what it makes is handed out.
func TestEngineInDatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newTables()
		alice := join(t, as("alice"), in(db))
		alice.wrap(1)
		commits := db.committed()
		check(t, alice.Engine().Retry(channel, engine.MessageID(id(1)), time.Now()))
		ids, _ := transmits(alice.seen())
		same(t, "retried", ids, []string{"resend 1"})
		if db.committed() == commits {
			t.Error("it was not committed")
		}
	})
}
