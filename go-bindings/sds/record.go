package sds

import (
	"bytes"
	"encoding/binary"
	"math"
)

// Records are the one layout in which results and outputs leave the library: a head of 48 bytes, four texts without gaps,
// then entries. All numbers are little-endian. src/ffi/record.rs has the table.
const (
	recordHead  = 48
	entryHead   = 12
	absent      = math.MaxUint32
	certainText = "certain"
)

// Kinds and flags of records, as in the header.
const (
	recordTransmit             = 1
	recordDelivered            = 2
	recordMissing              = 3
	recordLost                 = 4
	recordBeforeUs             = 5
	recordPossiblyAcknowledged = 6
	recordAcknowledged         = 7
	recordFailed               = 8
	recordUnconfirmed          = 9
	recordRepairRequested      = 10
	recordRepairAnswered       = 11
	recordRepaired             = 12
	recordWrapped              = 20
	recordUnwrapped            = 21
	recordRefused              = 22
	recordHistory              = 23
	recordChannel              = 24
	recordMessageStatus        = 25
	recordInspected            = 26
	recordWrite                = 27
	recordLogged               = 28

	flagTimestamp = 1
	flagOwn       = 2
	flagLate      = 4
	flagLibsds    = 8
	flagHeld      = 16
	flagSent      = 32
	resendsShift  = 16
)

// errRecord: the library and this package disagree on the layout, or memory was overwritten.
var errRecord error = &Error{Status: ErrMalformed, Detail: "the library wrote a record that cannot be read"}

// record is one record, borrowed from the memory that was read.
type record struct {
	kind       uint16
	code       uint16
	flags      uint32
	timestamp  uint64
	number     float64
	texts      []byte // channel id, message id, sender id, one after the other
	channelLen int
	messageLen int
	data       []byte
	entryCount int
	entries    []byte
}

// readRecord reads the first record of b and returns what follows it.
func readRecord(b []byte) (r record, rest []byte, err error) {
	if len(b) < recordHead {
		return record{}, nil, errRecord
	}
	total := uint64(binary.LittleEndian.Uint32(b))
	if total < recordHead || total > uint64(len(b)) {
		return record{}, nil, errRecord
	}
	b, rest = b[:total:total], b[total:]
	r = record{
		kind:      binary.LittleEndian.Uint16(b[4:]),
		code:      binary.LittleEndian.Uint16(b[6:]),
		flags:     binary.LittleEndian.Uint32(b[8:]),
		timestamp: binary.LittleEndian.Uint64(b[12:]),
		number:    math.Float64frombits(binary.LittleEndian.Uint64(b[20:])),
	}
	channel := uint64(binary.LittleEndian.Uint32(b[28:]))
	message := uint64(binary.LittleEndian.Uint32(b[32:]))
	sender := uint64(binary.LittleEndian.Uint32(b[36:]))
	data := uint64(binary.LittleEndian.Uint32(b[40:]))
	count := uint64(binary.LittleEndian.Uint32(b[44:]))
	body := b[recordHead:]
	texts := channel + message + sender // cannot overflow: each has 32 bits
	if texts+data > uint64(len(body)) {
		return record{}, nil, errRecord
	}
	r.texts, r.data, r.entries = body[:texts], body[texts:texts+data], body[texts+data:]
	// Every entry takes its head at least, so that a made-up count cannot make us allocate.
	if count*entryHead > uint64(len(r.entries)) {
		return record{}, nil, errRecord
	}
	r.channelLen, r.messageLen, r.entryCount = int(channel), int(message), int(count)
	return r, rest, nil
}

// ids copies channel, message and sender id. They share one string, which is one allocation instead of three.
func (r *record) ids() (channelID string, messageID MessageID, senderID ParticipantID) {
	texts := string(r.texts)
	end := r.channelLen + r.messageLen
	return texts[:r.channelLen], MessageID(texts[r.channelLen:end]), ParticipantID(texts[end:])
}

func (r *record) messageID() MessageID {
	return MessageID(r.texts[r.channelLen : r.channelLen+r.messageLen])
}

// history copies the entries.
func (r *record) history() ([]HistoryEntry, error) {
	if r.entryCount == 0 {
		if len(r.entries) != 0 {
			return nil, errRecord
		}
		return nil, nil
	}
	entries := make([]HistoryEntry, r.entryCount)
	b := r.entries
	for i := range entries {
		read, rest, err := readEntry(b)
		if err != nil {
			return nil, err
		}
		b = rest
		entry := &entries[i]
		entry.MessageID, entry.SenderID = MessageID(read.messageID), ParticipantID(read.senderID)
		if read.hint != nil {
			entry.RetrievalHint = append(make([]byte, 0, len(read.hint)), read.hint...)
		}
	}
	if len(b) != 0 {
		return nil, errRecord
	}
	return entries, nil
}

// entry is one entry of a record, borrowed as the record is. A hint that is there is never nil: empty is not absent.
type entry struct {
	messageID, hint, senderID []byte
}

// readEntry reads the first entry of b and returns what follows it.
func readEntry(b []byte) (e entry, rest []byte, err error) {
	if len(b) < entryHead {
		return entry{}, nil, errRecord
	}
	id := binary.LittleEndian.Uint32(b)
	hint := binary.LittleEndian.Uint32(b[4:])
	sender := binary.LittleEndian.Uint32(b[8:])
	hintLen, senderLen := present(hint), present(sender)
	b = b[entryHead:]
	if id == absent || uint64(id)+hintLen+senderLen > uint64(len(b)) {
		return entry{}, nil, errRecord
	}
	e.messageID, b = b[:id], b[id:]
	if hint != absent {
		e.hint = b[:hintLen]
	}
	b = b[hintLen:]
	e.senderID = b[:senderLen]
	return e, b[senderLen:], nil
}

// present is the number of bytes that a length stands for.
func present(length uint32) uint64 {
	if length == absent {
		return 0
	}
	return uint64(length)
}

// readOnly reads a record of the kind given that has b for itself.
func readOnly(kind uint16, b []byte) (record, error) {
	r, rest, err := readRecord(b)
	if err == nil && (r.kind != kind || len(rest) != 0) {
		return record{}, errRecord
	}
	return r, err
}

func (r *record) unwrapped() (Unwrapped, error) {
	unmet, err := r.history()
	if err != nil {
		return Unwrapped{}, err
	}
	u := Unwrapped{
		Timestamp:    r.timestamp,
		HasTimestamp: r.flags&flagTimestamp != 0,
		Profile:      ProfileRFC,
		Content:      bytes.Clone(r.data),
		Disposition:  Disposition(r.code),
		Own:          r.flags&flagOwn != 0,
		Unmet:        unmet,
	}
	u.ChannelID, u.MessageID, u.SenderID = r.ids()
	if r.flags&flagLibsds != 0 {
		u.Profile = ProfileLibsds
	}
	return u, nil
}

func (r *record) messageStatus() (MessageStatus, error) {
	entries, err := r.history()
	if err != nil {
		return MessageStatus{}, err
	}
	status := MessageStatus{
		State:       MessageState(r.code),
		Probability: r.number,
		Timestamp:   r.timestamp,
		Resends:     int(r.flags >> resendsShift),
	}
	for _, entry := range entries {
		who := Acknowledger{ParticipantID: entry.SenderID, Certain: entry.MessageID == certainText}
		status.Acknowledgers = append(status.Acknowledgers, who)
	}
	return status, nil
}

// readOutputs appends the outputs in b. Kinds that it does not know it skips, as the header asks. On an error it returns
// what came before.
func readOutputs(outputs []Output, b []byte) ([]Output, error) {
	for len(b) > 0 {
		r, rest, err := readRecord(b)
		if err != nil {
			return outputs, err
		}
		b = rest
		output, err := r.output()
		if err != nil {
			return outputs, err
		}
		if output != nil {
			outputs = append(outputs, output)
		}
	}
	return outputs, nil
}

// output returns nil for a kind that it does not know.
func (r *record) output() (Output, error) {
	switch r.kind {
	case recordMissing, recordLost, recordBeforeUs:
		return r.named()
	}
	if r.entryCount != 0 || r.kind < recordTransmit || r.kind > recordRepaired {
		return nil, nil
	}
	channelID, messageID, senderID := r.ids()
	switch r.kind {
	case recordTransmit:
		return Transmit{ChannelID: channelID, MessageID: messageID, Reason: Reason(r.code), Data: bytes.Clone(r.data)}, nil
	case recordDelivered:
		return Delivered{
			ChannelID: channelID,
			MessageID: messageID,
			SenderID:  senderID,
			Timestamp: r.timestamp,
			Content:   bytes.Clone(r.data),
			Late:      r.flags&flagLate != 0,
			Own:       r.flags&flagOwn != 0,
		}, nil
	case recordPossiblyAcknowledged:
		return PossiblyAcknowledged{ChannelID: channelID, MessageID: messageID, Probability: r.number}, nil
	case recordAcknowledged:
		return Acknowledged{ChannelID: channelID, MessageID: messageID}, nil
	case recordFailed:
		return Failed{ChannelID: channelID, MessageID: messageID}, nil
	case recordUnconfirmed:
		return Unconfirmed{ChannelID: channelID, MessageID: messageID, Probability: r.number}, nil
	case recordRepairRequested:
		return RepairRequested{ChannelID: channelID, MessageID: messageID, Asks: int(r.number)}, nil
	case recordRepairAnswered:
		return RepairAnswered{ChannelID: channelID, MessageID: messageID}, nil
	case recordRepaired:
		return Repaired{ChannelID: channelID, MessageID: messageID}, nil
	}
	return nil, nil
}

// named reads the kinds that tell of one message by its history entry.
func (r *record) named() (Output, error) {
	entries, err := r.history()
	if err != nil {
		return nil, err
	}
	if len(entries) != 1 {
		return nil, errRecord
	}
	channelID := string(r.texts[:r.channelLen])
	switch r.kind {
	case recordMissing:
		return Missing{ChannelID: channelID, HistoryEntry: entries[0]}, nil
	case recordLost:
		return Lost{ChannelID: channelID, HistoryEntry: entries[0]}, nil
	default:
		return BeforeUs{ChannelID: channelID, HistoryEntry: entries[0]}, nil
	}
}
