// Package external is a chat whose messages and whose SDS state lie in one SQLite database, of the program's own. What was
// said and what SDS knows of it are committed in one transaction, confirmed, and only then published and shown. So they
// agree at every moment: no crash leaves a message that is shown and not known, or known and not shown, or published and in
// neither.
package external

import (
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

// The chat's own table, and one for SDS. A program adds the second to a database that it has.
const schema = `
	CREATE TABLE IF NOT EXISTS messages (message_id TEXT PRIMARY KEY, sender TEXT, content BLOB, complete INTEGER);
	CREATE TABLE IF NOT EXISTS sds (channel_id TEXT, key BLOB, value BLOB, PRIMARY KEY (channel_id, key)) WITHOUT ROWID;`

const channel = "chat"

// row is something of the chat's own to write, in the transaction of the offer that it belongs to.
type row func(tx *sql.Tx) error

// Chat is a member of one channel.
type Chat struct {
	// One call at a time, so that rows and the offer that they belong to stay together.
	mutex   sync.Mutex
	db      *sql.DB
	manager *sds.Manager
	publish func(data []byte)
	// What is not committed yet.
	rows []row
}

// Open opens the chat with what the database has. Bytes to broadcast go to publish.
func Open(db *sql.DB, member sds.ParticipantID, now time.Time, publish func([]byte)) (*Chat, error) {
	if _, err := db.Exec(schema); err != nil {
		return nil, err
	}
	records, err := load(db)
	if err != nil {
		return nil, err
	}
	config := sds.DefaultConfig()
	config.ParticipantID = member
	manager, err := sds.OpenExternal(config, records, now)
	if err != nil {
		return nil, err
	}
	c := &Chat{db: db, manager: manager, publish: publish}
	err = c.step(func() error { return manager.OpenChannel(channel, sds.ChannelOptions{}, now) })
	if err != nil {
		return nil, errors.Join(err, manager.Close())
	}
	return c, nil
}

func load(db *sql.DB) (records []sds.StoredRecord, err error) {
	rows, err := db.Query("SELECT channel_id, key, value FROM sds")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var record sds.StoredRecord
		var key []byte
		if err := rows.Scan(&record.ChannelID, &key, &record.Value); err != nil {
			return nil, err
		}
		if len(key) != sds.KeySize {
			return nil, fmt.Errorf("a key of %d bytes", len(key))
		}
		record.Key = sds.Key(key)
		records = append(records, record)
	}
	return records, rows.Err()
}

// Send says something. After an error it may still be under way: Send it again under the same id, or Tick.
func (c *Chat) Send(id sds.MessageID, content []byte, now time.Time) error {
	return c.step(func() error {
		if _, err := c.manager.WrapOutgoing(channel, id, content, now); err != nil {
			return err
		}
		// Its bytes are held back, and come as a Transmit once this is committed; its row, with the offer.
		return nil
	})
}

// Receive takes in what the network brought.
func (c *Chat) Receive(data []byte, now time.Time) error {
	return c.step(func() error {
		got, err := c.manager.UnwrapIncoming(data, now)
		if err != nil {
			return err
		}
		// What is delivered, now or once it waited long enough, has its row with the offer that says so.
		if got.Disposition == sds.DispositionWaiting {
			c.rows = append(c.rows, put(got.MessageID, got.SenderID, got.Content, false))
		}
		return nil
	})
}

// Tick does what is due, and what could not be committed before.
func (c *Chat) Tick(now time.Time) error {
	return c.step(func() error { return c.manager.Tick(now) })
}

// Close ends the chat. What is not committed by now was neither published nor shown.
func (c *Chat) Close() error {
	return errors.Join(c.step(c.manager.Flush), c.manager.Close())
}

func put(id sds.MessageID, sender sds.ParticipantID, content []byte, complete bool) row {
	return func(tx *sql.Tx) error {
		_, err := tx.Exec("INSERT INTO messages VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET complete = complete OR excluded.complete",
			string(id), string(sender), content, complete)
		return err
	}
}

// step makes a call of the manager's and commits what follows from it. What an earlier step could not commit goes first, or
// this one does not begin: so all rows that wait belong to the offer that waits.
func (c *Chat) step(call func() error) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if err := c.settle(); err != nil {
		return err
	}
	if err := call(); err != nil {
		return err
	}
	return c.settle()
}

// settle commits, confirms, and lets out what depended on it, until nothing waits.
func (c *Chat) settle() error {
	for {
		offer, err := c.manager.Offer()
		if err != nil {
			return err
		}
		if offer.Number == 0 && len(c.rows) == 0 {
			return nil
		}
		if err := c.commit(offer.Writes); err != nil {
			return err // the same offer comes again
		}
		c.rows = nil
		if offer.Number != 0 {
			if err := c.manager.Confirm(offer.Number); err != nil {
				return err
			}
		}
		outputs, err := c.manager.Drain()
		if err != nil {
			return err
		}
		for _, output := range outputs {
			c.take(output)
		}
	}
}

// take acts on an output. Those that a crash keeps from us are not told again, so nothing that has to be stored may depend
// on them: bytes are sent again, and what was delivered is in the offer.
func (c *Chat) take(output sds.Output) {
	switch output := output.(type) {
	case sds.Transmit:
		c.publish(output.Data)
	} // and others: see sds.Output
}

// commit writes SDS's records and the chat's rows: all or nothing.
func (c *Chat) commit(writes []sds.Write) error {
	tx, err := c.db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback() // after Commit it does nothing
	for _, write := range writes {
		isNew, err := entersLog(tx, write)
		if err != nil {
			return err
		}
		if err := apply(tx, write); err != nil {
			return err
		}
		if !isNew {
			continue
		}
		entry, err := c.manager.ReadLogRecord(write.Key, write.Value, nil)
		if err != nil {
			return err
		}
		if entry.Sent {
			entry.SenderID = ""
		}
		if err := put(entry.MessageID, entry.SenderID, entry.Content, true)(tx); err != nil {
			return err
		}
	}
	for _, row := range c.rows {
		if err := row(tx); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// entersLog tells whether a write that is about to be made tells of a message that is new in the log: delivered, or sent. Under
// a key that is there already, SDS keeps less of one that the chat knows, and may have deleted.
func entersLog(tx *sql.Tx, write sds.Write) (isNew bool, err error) {
	if write.Op != sds.WritePut || !write.Key.IsMessage() {
		return false, nil
	}
	row := tx.QueryRow("SELECT count(*) = 0 FROM sds WHERE channel_id = ? AND key = ?", write.ChannelID, write.Key[:])
	err = row.Scan(&isNew)
	return isNew, err
}

func apply(tx *sql.Tx, write sds.Write) error {
	var err error
	switch write.Op {
	case sds.WritePut:
		_, err = tx.Exec("INSERT OR REPLACE INTO sds VALUES (?, ?, ?)", write.ChannelID, write.Key[:], write.Value)
	case sds.WriteDelete:
		_, err = tx.Exec("DELETE FROM sds WHERE channel_id = ? AND key = ?", write.ChannelID, write.Key[:])
	case sds.WriteForget:
		_, err = tx.Exec("DELETE FROM sds WHERE channel_id = ?", write.ChannelID)
	case sds.WriteWipe:
		_, err = tx.Exec("DELETE FROM sds")
	default:
		err = fmt.Errorf("a write of kind %v", write.Op)
	}
	return err
}
