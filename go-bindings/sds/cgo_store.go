package sds

// What cgo.go is, for durable state.

/*
#include "sds.h"

#cgo nocallback sds_confirm
#cgo nocallback sds_flush
#cgo nocallback sds_manager_open_external
#cgo nocallback sds_manager_open_store
#cgo nocallback sds_offer
#cgo nocallback sds_read_log
#cgo nocallback sds_read_log_record
#cgo nocallback sds_seed_history
#cgo noescape sds_confirm
#cgo noescape sds_flush
#cgo noescape sds_manager_open_external
#cgo noescape sds_manager_open_store
#cgo noescape sds_offer
#cgo noescape sds_read_log
#cgo noescape sds_read_log_record
#cgo noescape sds_seed_history
*/
import "C"

import (
	"runtime"
	"unsafe"
)

func cOpenStore(config *Config, path string, synchronous Synchronous, now uint64) (handle, error) {
	return config.open(func(c *C.sds_config_t, manager *handle, s *scratch) C.sds_status_t {
		data, dataLen := text(path)
		return C.sds_manager_open_store(c, data, dataLen, C.uint32_t(synchronous), C.uint64_t(now), manager, &s.c.error)
	})
}

func cOpenExternal(config *Config, records []StoredRecord, now uint64) (handle, error) {
	return config.open(func(c *C.sds_config_t, manager *handle, s *scratch) C.sds_status_t {
		size := 0
		for i := range records {
			size += len(records[i].ChannelID) + KeySize + len(records[i].Value)
		}
		flat := newFlat(size)
		defer flat.free()
		list := make([]C.sds_stored_t, len(records))
		for i := range records {
			item, record := &list[i], &records[i]
			item.size = C.sizeof_sds_stored_t
			item.channel_id, item.channel_id_len = flatText(flat, record.ChannelID)
			item.key, item.key_len = flatBytes(flat, record.Key[:])
			item.value, item.value_len = flatBytes(flat, record.Value)
		}
		return C.sds_manager_open_external(
			c, unsafe.SliceData(list), C.size_t(len(list)), C.uint64_t(now), manager, &s.c.error)
	})
}

// flat is one piece of Go memory that structures for C point into: pinned, since C gets pointers to pointers to it.
type flat struct {
	memory []byte
	pinner runtime.Pinner
}

func newFlat(size int) *flat {
	f := &flat{memory: make([]byte, 0, size)}
	if size > 0 {
		f.pinner.Pin(unsafe.SliceData(f.memory))
	}
	return f
}

func (f *flat) free() { f.pinner.Unpin() }

// add copies a text to where it stays.
func (f *flat) add(text string) []byte {
	at := len(f.memory)
	if len(text) > cap(f.memory)-at {
		panic("sds: more than was counted")
	}
	f.memory = append(f.memory, text...)
	return f.memory[at:]
}

func flatText[S ~string](f *flat, s S) (*C.char, C.size_t) {
	bytes, length := data(f.add(string(s)))
	return (*C.char)(unsafe.Pointer(bytes)), length
}

func flatBytes(f *flat, b []byte) (*C.uint8_t, C.size_t) {
	return data(f.add(unsafe.String(unsafe.SliceData(b), len(b))))
}

// cOffer returns 0 if nothing waits.
func cOffer(manager handle, s *scratch) (number uint64, err error) {
	err = s.err(C.sds_offer(manager, &s.c.number, &s.c.out, &s.c.error))
	return uint64(s.c.number), err
}

func cConfirm(manager handle, number uint64) error {
	s := getScratch()
	defer s.put()
	return s.err(C.sds_confirm(manager, C.uint64_t(number), &s.c.error))
}

func cFlush(manager handle) error {
	s := getScratch()
	defer s.put()
	return s.err(C.sds_flush(manager, &s.c.error))
}

func cReadLog(manager handle, channelID string, after LogPosition, limit int, s *scratch) (more bool, err error) {
	channel, channelLen := text(channelID)
	id, idLen := text(after.MessageID)
	var flag C.uint32_t
	err = s.err(C.sds_read_log(manager, channel, channelLen, C.uint64_t(after.Timestamp), id, idLen, C.size_t(limit),
		&s.c.out, &flag, &s.c.error))
	return flag != 0, err
}

func cReadLogRecord(manager handle, key *Key, value, side []byte, s *scratch) error {
	keyData, keyLen := data(key[:])
	valueData, valueLen := data(value)
	sideData, sideLen := data(side)
	return s.err(C.sds_read_log_record(
		manager, keyData, keyLen, valueData, valueLen, sideData, sideLen, &s.c.out, &s.c.error))
}

func cSeedHistory(manager handle, channelID string, known []KnownMessage, now uint64) (int, error) {
	s := getScratch()
	defer s.put()
	size := 0
	for i := range known {
		size += len(known[i].MessageID) + len(known[i].SenderID) + len(known[i].RetrievalHint)
	}
	flat := newFlat(size)
	defer flat.free()
	list := make([]C.sds_known_t, len(known))
	for i := range known {
		item, message := &list[i], &known[i]
		item.size = C.sizeof_sds_known_t
		item.message_id, item.message_id_len = flatText(flat, message.MessageID)
		item.sender_id, item.sender_id_len = flatText(flat, message.SenderID)
		item.retrieval_hint, item.retrieval_hint_len = flatBytes(flat, message.RetrievalHint)
		item.lamport_timestamp_ms = C.uint64_t(message.Timestamp)
	}
	channel, channelLen := text(channelID)
	err := s.err(C.sds_seed_history(manager, channel, channelLen, unsafe.SliceData(list), C.size_t(len(list)),
		C.uint64_t(now), &s.c.bytes_len, &s.c.error))
	return int(s.c.bytes_len), err
}

// The numbers that other files write out are those of the header, or this does not compile.
var _ = [1]struct{}{}[0|
	int(SynchronousFull-C.SDS_SYNCHRONOUS_FULL)|int(SynchronousNormal-C.SDS_SYNCHRONOUS_NORMAL)|
	int(SynchronousOff-C.SDS_SYNCHRONOUS_OFF)|
	int(WritePut-C.SDS_WRITE_PUT)|int(WriteDelete-C.SDS_WRITE_DELETE)|int(WriteForget-C.SDS_WRITE_FORGET)|
	int(WriteWipe-C.SDS_WRITE_WIPE)|
	(KeySize-C.SDS_KEY_SIZE)|(keyMessage-C.SDS_KEY_MESSAGE)|(keySide-C.SDS_KEY_SIDE)]
