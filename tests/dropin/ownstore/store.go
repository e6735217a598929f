// Package ownstore shows how a program keeps the state of SDS in a database that it has anyway. What SDS knows of a message
// and the program's own row of it are committed in one transaction, and only then is the message published or shown: no
// crash leaves one that is shown and not known, or known and not shown, or published and in neither.
package ownstore

import (
	"database/sql"
	"fmt"

	"github.com/waku-org/sds-go-bindings/engine"
	"github.com/waku-org/sds-go-bindings/sds"
)

// The program's table, and one for SDS, which a migration adds. A row is complete when all that the message depends on is
// there.
const schema = `
	CREATE TABLE IF NOT EXISTS user_messages (
		id TEXT PRIMARY KEY, chat_id TEXT, sender TEXT, payload BLOB, outgoing INTEGER, complete INTEGER);
	CREATE TABLE IF NOT EXISTS sds_records (
		channel_id TEXT, key BLOB, value BLOB, PRIMARY KEY (channel_id, key)) WITHOUT ROWID;`

// Store is the database, as SDS sees it.
type Store struct{ DB *sql.DB }

// Load returns what Commit wrote.
func (s Store) Load() (records []engine.StoredRecord, err error) {
	if _, err := s.DB.Exec(schema); err != nil {
		return nil, err
	}
	rows, err := s.DB.Query("SELECT channel_id, key, value FROM sds_records")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var record engine.StoredRecord
		var key []byte
		if err := rows.Scan(&record.ChannelID, &key, &record.Value); err != nil {
			return nil, err
		}
		if len(key) != engine.KeySize {
			return nil, fmt.Errorf("a key of %d bytes", len(key))
		}
		record.Key = engine.Key(key)
		records = append(records, record)
	}
	return records, rows.Err()
}

// Commit writes a step of SDS and the rows of its messages: all or nothing.
func (s Store) Commit(step sds.Step) error {
	tx, err := s.DB.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback() // after Commit it does nothing
	for _, write := range step.Writes {
		if err := apply(tx, write); err != nil {
			return err
		}
	}
	for _, message := range step.Messages {
		_, err := tx.Exec(`INSERT INTO user_messages VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET complete = complete OR excluded.complete`,
			string(message.MessageID), message.ChannelID, message.SenderID, message.Content,
			message.State == sds.StateSent, message.State != sds.StateWaiting)
		if err != nil {
			return err
		}
	}
	return tx.Commit()
}

func apply(tx *sql.Tx, write engine.Write) error {
	var err error
	switch write.Op {
	case engine.WritePut:
		_, err = tx.Exec("INSERT OR REPLACE INTO sds_records VALUES (?, ?, ?)", write.ChannelID, write.Key[:], write.Value)
	case engine.WriteDelete:
		_, err = tx.Exec("DELETE FROM sds_records WHERE channel_id = ? AND key = ?", write.ChannelID, write.Key[:])
	case engine.WriteForget:
		_, err = tx.Exec("DELETE FROM sds_records WHERE channel_id = ?", write.ChannelID)
	case engine.WriteWipe:
		_, err = tx.Exec("DELETE FROM sds_records")
	default:
		err = fmt.Errorf("a write of kind %v", write.Op)
	}
	return err
}

// Chat is a member of a group.
type Chat struct {
	manager *sds.ReliabilityManager
	publish func(data []byte)
}

// Open opens the chat with what the database has. Bytes to broadcast go to publish, from any goroutine; show is told of
// messages to be shown, which are in the database by then.
func Open(db *sql.DB, installation string, publish func([]byte), show func(sds.MessageID)) (*Chat, error) {
	c := &Chat{publish: publish}
	var err error
	c.manager, err = sds.NewReliabilityManagerWith(sds.Options{
		ParticipantID: installation,
		Store:         sds.InDatabase(Store{db}),
		OnOutput:      c.output,
	})
	if err != nil {
		return nil, err
	}
	c.manager.RegisterCallbacks(sds.EventCallbacks{
		OnMessageReady: func(id sds.MessageID, _ string) { show(id) },
	})
	return c, nil
}

// output publishes what is sent again, and what could not be committed when it was wrapped.
func (c *Chat) output(output engine.Output) {
	if transmit, ok := output.(engine.Transmit); ok {
		c.publish(transmit.Data)
	}
}

// Send says something. When it returns nil, the message is in the database and published. After an error it may come to
// that all the same; sending it again does no harm.
func (c *Chat) Send(id sds.MessageID, payload []byte, chat string) error {
	data, err := c.manager.WrapOutgoingMessage(payload, id, chat)
	if err != nil {
		return err
	}
	c.publish(data)
	return nil
}

// Receive takes in what the network brought. After an error of the database it may be handed in again.
func (c *Chat) Receive(data []byte) error {
	_, err := c.manager.UnwrapReceivedMessage(data)
	return err
}

// Close ends the chat.
func (c *Chat) Close() error { return c.manager.Cleanup() }
