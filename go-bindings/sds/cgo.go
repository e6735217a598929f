package sds

// This file and cgo_store.go are the only ones that know C. They hold one thin function per function of include/sds.h: Go
// memory goes straight in, results come out in pooled C memory, and nothing here decides anything.

/*
// The library that make built in this checkout, or with -tags sds_system the one that is installed.
#cgo !sds_system CFLAGS: -I${SRCDIR}/../../include
#cgo !sds_system LDFLAGS: ${SRCDIR}/../../target/lib/libsds.a
#cgo sds_system pkg-config: --static sds
#cgo linux,!android LDFLAGS: -lm -ldl -lpthread
#cgo android LDFLAGS: -lm -ldl
#cgo windows LDFLAGS: -lws2_32 -luserenv -lntdll -lbcrypt

#include <stdlib.h>
#include <string.h>
#include "sds.h"

// What a call writes to. It lives in C memory, so that passing it costs Go no allocation.
typedef struct {
	sds_buffer_t out;
	sds_error_t error;
	size_t next_len;
	size_t bytes_len;
	uint64_t number;
	sds_channel_status_t channel;
	sds_inspection_t inspection;
} scratch_t;

static void scratch_init(scratch_t *s) {
	memset(s, 0, sizeof *s);
	s->error.size = sizeof s->error;
	s->channel.size = sizeof s->channel;
	s->inspection.size = sizeof s->inspection;
}

static void scratch_free(scratch_t *s) {
	sds_buffer_free(&s->out);
	free(s);
}

// The first room that a drain gets: some hundred events, or three resends with the largest filter.
enum { DRAIN_ROOM = 64 << 10 };

// sds_drain into the buffer of the scratch, which grows until the next record fits.
static sds_status_t drain(sds_manager_t manager, scratch_t *s) {
	size_t room = DRAIN_ROOM;
	for (;;) {
		if (s->out.capacity < room) {
			uint8_t *data = realloc(s->out.data, room);
			if (data == NULL) {
				s->error.status = SDS_NO_RESOURCES;
				strcpy(s->error.text, "no memory to drain into");
				return SDS_NO_RESOURCES;
			}
			s->out.data = data;
			s->out.capacity = room;
		}
		s->out.len = 0;
		s->next_len = 0;
		sds_status_t status =
			sds_drain(manager, s->out.data, s->out.capacity, &s->out.len, &s->next_len, &s->error);
		if (status != SDS_BUFFER_TOO_SMALL) {
			return status;
		}
		room = s->next_len;
	}
}

// None of them calls back into Go, and none keeps a pointer that it is given.
#cgo nocallback drain
#cgo nocallback scratch_free
#cgo nocallback scratch_init
#cgo nocallback sds_abi_version
#cgo nocallback sds_buffer_free
#cgo nocallback sds_cancel
#cgo nocallback sds_channel_close
#cgo nocallback sds_channel_dump
#cgo nocallback sds_channel_forget
#cgo nocallback sds_channel_list
#cgo nocallback sds_channel_open
#cgo nocallback sds_channel_status
#cgo nocallback sds_config_init
#cgo nocallback sds_inspect
#cgo nocallback sds_manager_close
#cgo nocallback sds_manager_open
#cgo nocallback sds_manager_reset
#cgo nocallback sds_mark_dependencies_met
#cgo nocallback sds_message_status
#cgo nocallback sds_next_deadline
#cgo nocallback sds_missing
#cgo nocallback sds_next_history
#cgo nocallback sds_retry
#cgo nocallback sds_set_log_level
#cgo nocallback sds_set_online
#cgo nocallback sds_set_retrieval_hint
#cgo nocallback sds_shutdown
#cgo nocallback sds_tick
#cgo nocallback sds_unwrap_incoming
#cgo nocallback sds_unwrap_incoming_batch
#cgo nocallback sds_version
#cgo nocallback sds_wrap_ephemeral
#cgo nocallback sds_wrap_outgoing_into
#cgo noescape drain
#cgo noescape sds_cancel
#cgo noescape sds_channel_close
#cgo noescape sds_channel_dump
#cgo noescape sds_channel_forget
#cgo noescape sds_channel_list
#cgo noescape sds_channel_open
#cgo noescape sds_channel_status
#cgo noescape sds_config_init
#cgo noescape sds_inspect
#cgo noescape sds_manager_close
#cgo noescape sds_manager_open
#cgo noescape sds_manager_reset
#cgo noescape sds_mark_dependencies_met
#cgo noescape sds_message_status
#cgo noescape sds_next_deadline
#cgo noescape sds_missing
#cgo noescape sds_next_history
#cgo noescape sds_retry
#cgo noescape sds_set_log_level
#cgo noescape sds_set_online
#cgo noescape sds_set_retrieval_hint
#cgo noescape sds_shutdown
#cgo noescape sds_tick
#cgo noescape sds_unwrap_incoming
#cgo noescape sds_unwrap_incoming_batch
#cgo noescape sds_wrap_ephemeral
#cgo noescape sds_wrap_outgoing_into
*/
import "C"

import (
	"fmt"
	"math"
	"runtime"
	"sync"
	"time"
	"unsafe"
)

// handle names a manager in the library. 0 is never one, and every handle that is closed or made up is answered with a
// status, so that no lock is needed on this side.
type handle = C.sds_manager_t

// keepCapacity is the most that a scratch keeps between calls. A call with a message of n bytes asks for about 4n, so
// that messages of up to 256 KiB, more than Waku carries, find their room already there.
const keepCapacity = 1 << 20

// scratch is memory for one call at a time: C memory for its results, and Go memory for lists that it takes.
type scratch struct {
	c       *C.scratch_t
	flat    []byte
	lengths []uintptr
}

var scratches = sync.Pool{New: func() any {
	s := &scratch{c: (*C.scratch_t)(C.malloc(C.sizeof_scratch_t))}
	C.scratch_init(s.c)
	// The pool drops what it does not need; its C memory goes with it.
	runtime.AddCleanup(s, func(c *C.scratch_t) { C.scratch_free(c) }, s.c)
	return s
}}

func getScratch() *scratch {
	return scratches.Get().(*scratch)
}

// put gives the scratch back. Slices from bytes must not be used afterwards.
func (s *scratch) put() {
	if s.c.out.capacity > keepCapacity {
		C.sds_buffer_free(&s.c.out)
	}
	if cap(s.flat) > keepCapacity || cap(s.lengths) > keepCapacity/8 {
		s.flat, s.lengths = nil, nil
	}
	scratches.Put(s)
}

// bytes is what the last successful call wrote: C memory, valid until put.
func (s *scratch) bytes() []byte {
	return unsafe.Slice((*byte)(s.c.out.data), int(s.c.out.len))
}

// err is the error of a call that returned status.
func (s *scratch) err(status C.sds_status_t) error {
	if status == C.SDS_OK {
		return nil
	}
	return s.failure(status)
}

// failure is apart from err so that the way of success stays small enough to be inlined.
func (s *scratch) failure(status C.sds_status_t) error {
	failure := &Error{Status: Status(status)}
	if s.c.error.status == C.int32_t(status) {
		failure.Detail = C.GoString(&s.c.error.text[0])
	}
	return failure
}

// text points C to the bytes of a string; NULL for the empty one.
func text[S ~string](s S) (*C.char, C.size_t) {
	if s == "" {
		return nil, 0
	}
	return (*C.char)(unsafe.Pointer(unsafe.StringData(string(s)))), C.size_t(len(s))
}

// data points C to the bytes of a slice; NULL for an empty one.
func data(b []byte) (*C.uint8_t, C.size_t) {
	if len(b) == 0 {
		return nil, 0
	}
	return (*C.uint8_t)(unsafe.SliceData(b)), C.size_t(len(b))
}

func cFlag(flag bool) C.uint32_t {
	if flag {
		return 1
	}
	return 0
}

func cConfigInit() Config {
	var c C.sds_config_t
	if status := C.sds_config_init(&c, C.sizeof_sds_config_t); status != C.SDS_OK {
		// The size is the only thing it can refuse: the header is not that of the library.
		panic((&Error{Status: Status(status), Detail: "libsds does not match its header"}).Error())
	}
	ms := func(ms C.uint64_t) time.Duration { return time.Duration(ms) * time.Millisecond }
	return Config{
		Profile:                Profile(c.profile),
		AutoOpenChannels:       c.auto_open_channels != 0,
		SyncInLibsds:           c.sync_in_libsds != 0,
		CausalHistorySize:      int(c.causal_history_size),
		MaxClockDriftRFC:       ms(c.max_clock_drift_rfc_ms),
		MaxClockDriftLibsds:    ms(c.max_clock_drift_libsds_ms),
		ClockStep:              ms(c.clock_step_ms),
		LogMessages:            int(c.log_messages),
		LogBytes:               int(c.log_bytes),
		SeenLimit:              int(c.seen_limit),
		BloomCapacity:          int(c.bloom_capacity),
		BloomErrorRate:         float64(c.bloom_error_rate),
		AckWindow:              ms(c.ack_window_ms),
		RefilterPerMinute:      int(c.refilter_per_minute),
		AckFalsePositive:       float64(c.ack_false_positive),
		MaxAcknowledgers:       int(c.max_acknowledgers),
		ResendInterval:         ms(c.resend_interval_ms),
		PossiblyResendInterval: ms(c.possibly_resend_interval_ms),
		MaxResends:             int(c.max_resends),
		ResendJitterPercent:    int(c.resend_jitter_percent),
		MaxUnacknowledged:      int(c.max_unacknowledged),
		MaxUnacknowledgedBytes: int(c.max_unacknowledged_bytes),
		DependencyTimeout:      ms(c.dependency_timeout_ms),
		MaxWaitingMessages:     int(c.max_waiting_messages),
		MaxWaitingBytes:        int(c.max_waiting_bytes),
		MaxMissing:             int(c.max_missing),
		SyncInterval:           ms(c.sync_interval_ms),
		SyncIntervalMax:        ms(c.sync_interval_max_ms),
		SyncConfirm:            ms(c.sync_confirm_ms),
		Repair:                 c.repair != 0,
		RepairTMin:             ms(c.repair_t_min_ms),
		RepairTMax:             ms(c.repair_t_max_ms),
		NumParticipants:        uint64(c.num_participants),
		RepairRequestSize:      int(c.repair_request_size),
		RepairRequestInterval:  ms(c.repair_request_interval_ms),
		RepairWindow:           ms(c.repair_window_ms),
		MaxRepairAnswers:       int(c.max_repair_answers),
		RepairAnswersPerMinute: int(c.repair_answers_per_minute),
		RepairBytesPerMinute:   int(c.repair_bytes_per_minute),
		MaxMessageBytes:        int(c.max_message_bytes),
		MaxIDBytes:             int(c.max_id_bytes),
		MaxHistoryEntries:      int(c.max_history_entries),
		MaxRepairEntries:       int(c.max_repair_entries),
		MaxHintBytes:           int(c.max_hint_bytes),
		MaxFilterBytes:         int(c.max_filter_bytes),
		MaxChannels:            int(c.max_channels),
		MaxOutputs:             int(c.max_outputs),
		MaxOutputBytes:         int(c.max_output_bytes),
		StoredMessages:         uint64(c.stored_messages),
		Stored:                 ms(c.stored_ms),
		UnloadAfter:            ms(c.unload_after_ms),
		MaxUnconfirmedBytes:    int(c.max_unconfirmed_bytes),
	}
}

func cOpen(config *Config) (handle, error) {
	return config.open(func(c *C.sds_config_t, manager *handle, s *scratch) C.sds_status_t {
		return C.sds_manager_open(c, manager, &s.c.error)
	})
}

// open opens a manager, in whatever way, from the configuration as C has it.
func (config *Config) open(open func(c *C.sds_config_t, manager *handle, s *scratch) C.sds_status_t) (handle, error) {
	var c C.sds_config_t
	if status := C.sds_config_init(&c, C.sizeof_sds_config_t); status != C.SDS_OK {
		return 0, &Error{Status: Status(status), Detail: "libsds does not match its header"}
	}
	var bad error
	refuse := func(field, problem string) {
		if bad == nil {
			bad = &Error{Status: ErrInvalidConfig, Detail: fmt.Sprintf("config: %s: %s", field, problem)}
		}
	}
	count := func(field string, value int) C.size_t {
		if value < 0 {
			refuse(field, "must not be negative")
		}
		return C.size_t(value)
	}
	count32 := func(field string, value int) C.uint32_t {
		if value < 0 || uint64(value) > math.MaxUint32 {
			refuse(field, "out of range")
		}
		return C.uint32_t(value)
	}
	ms := func(field string, value time.Duration) C.uint64_t {
		if value < 0 {
			refuse(field, "must not be negative")
		}
		return C.uint64_t(value / time.Millisecond)
	}
	if config.Seed != nil {
		c.has_seed, c.seed = 1, C.uint64_t(*config.Seed)
	}
	c.profile = C.uint32_t(config.Profile)
	c.auto_open_channels = cFlag(config.AutoOpenChannels)
	c.sync_in_libsds = cFlag(config.SyncInLibsds)
	c.causal_history_size = count("causal_history_size", config.CausalHistorySize)
	c.max_clock_drift_rfc_ms = ms("max_clock_drift_rfc_ms", config.MaxClockDriftRFC)
	c.max_clock_drift_libsds_ms = ms("max_clock_drift_libsds_ms", config.MaxClockDriftLibsds)
	c.clock_step_ms = ms("clock_step_ms", config.ClockStep)
	c.log_messages = count("log_messages", config.LogMessages)
	c.log_bytes = count("log_bytes", config.LogBytes)
	c.seen_limit = count("seen_limit", config.SeenLimit)
	c.bloom_capacity = count("bloom_capacity", config.BloomCapacity)
	c.bloom_error_rate = C.double(config.BloomErrorRate)
	c.ack_window_ms = ms("ack_window_ms", config.AckWindow)
	c.refilter_per_minute = count("refilter_per_minute", config.RefilterPerMinute)
	c.ack_false_positive = C.double(config.AckFalsePositive)
	c.max_acknowledgers = count("max_acknowledgers", config.MaxAcknowledgers)
	c.resend_interval_ms = ms("resend_interval_ms", config.ResendInterval)
	c.possibly_resend_interval_ms = ms("possibly_resend_interval_ms", config.PossiblyResendInterval)
	c.max_resends = count32("max_resends", config.MaxResends)
	c.resend_jitter_percent = count32("resend_jitter_percent", config.ResendJitterPercent)
	c.max_unacknowledged = count("max_unacknowledged", config.MaxUnacknowledged)
	c.max_unacknowledged_bytes = count("max_unacknowledged_bytes", config.MaxUnacknowledgedBytes)
	c.dependency_timeout_ms = ms("dependency_timeout_ms", config.DependencyTimeout)
	c.max_waiting_messages = count("max_waiting_messages", config.MaxWaitingMessages)
	c.max_waiting_bytes = count("max_waiting_bytes", config.MaxWaitingBytes)
	c.max_missing = count("max_missing", config.MaxMissing)
	c.sync_interval_ms = ms("sync_interval_ms", config.SyncInterval)
	c.sync_interval_max_ms = ms("sync_interval_max_ms", config.SyncIntervalMax)
	c.sync_confirm_ms = ms("sync_confirm_ms", config.SyncConfirm)
	c.repair = cFlag(config.Repair)
	c.repair_t_min_ms = ms("repair_t_min_ms", config.RepairTMin)
	c.repair_t_max_ms = ms("repair_t_max_ms", config.RepairTMax)
	c.num_participants = C.uint64_t(config.NumParticipants)
	c.repair_request_size = count("repair_request_size", config.RepairRequestSize)
	c.repair_request_interval_ms = ms("repair_request_interval_ms", config.RepairRequestInterval)
	c.repair_window_ms = ms("repair_window_ms", config.RepairWindow)
	c.max_repair_answers = count("max_repair_answers", config.MaxRepairAnswers)
	c.repair_answers_per_minute = count("repair_answers_per_minute", config.RepairAnswersPerMinute)
	c.repair_bytes_per_minute = count("repair_bytes_per_minute", config.RepairBytesPerMinute)
	c.max_message_bytes = count("max_message_bytes", config.MaxMessageBytes)
	c.max_id_bytes = count("max_id_bytes", config.MaxIDBytes)
	c.max_history_entries = count("max_history_entries", config.MaxHistoryEntries)
	c.max_repair_entries = count("max_repair_entries", config.MaxRepairEntries)
	c.max_hint_bytes = count("max_hint_bytes", config.MaxHintBytes)
	c.max_filter_bytes = count("max_filter_bytes", config.MaxFilterBytes)
	c.max_channels = count("max_channels", config.MaxChannels)
	c.max_outputs = count("max_outputs", config.MaxOutputs)
	c.max_output_bytes = count("max_output_bytes", config.MaxOutputBytes)
	c.stored_messages = C.uint64_t(config.StoredMessages)
	c.stored_ms = ms("stored_ms", config.Stored)
	c.unload_after_ms = ms("unload_after_ms", config.UnloadAfter)
	c.max_unconfirmed_bytes = count("max_unconfirmed_bytes", config.MaxUnconfirmedBytes)
	if bad != nil {
		return 0, bad
	}
	// A structure that goes to C may hold no pointer to Go memory.
	id := C.CString(string(config.ParticipantID))
	defer C.free(unsafe.Pointer(id))
	c.participant_id, c.participant_id_len = id, C.size_t(len(config.ParticipantID))

	s := getScratch()
	defer s.put()
	var manager handle
	err := s.err(open(&c, &manager, s))
	return manager, err
}

func cClose(manager handle) error {
	s := getScratch()
	defer s.put()
	return s.err(C.sds_manager_close(manager, &s.c.error))
}

func cReset(manager handle) error {
	s := getScratch()
	defer s.put()
	return s.err(C.sds_manager_reset(manager, &s.c.error))
}

func cSetOnline(manager handle, online bool, now uint64) error {
	s := getScratch()
	defer s.put()
	return s.err(C.sds_set_online(manager, cFlag(online), C.uint64_t(now), &s.c.error))
}

func cTick(manager handle, now uint64) error {
	s := getScratch()
	defer s.put()
	return s.err(C.sds_tick(manager, C.uint64_t(now), &s.c.error))
}

// cNextDeadline returns false when nothing is due.
func cNextDeadline(manager handle) (uint64, bool, error) {
	s := getScratch()
	defer s.put()
	status := C.sds_next_deadline(manager, &s.c.number, &s.c.error)
	if status != C.SDS_OK {
		return 0, false, s.err(status)
	}
	return uint64(s.c.number), s.c.number != C.SDS_NO_DEADLINE, nil
}

// cDrain takes as many records as fit into the scratch, and tells whether more wait.
func cDrain(manager handle, s *scratch) (more bool, err error) {
	status := C.drain(manager, s.c)
	return status == C.SDS_OK && s.c.next_len > 0, s.err(status)
}

func cOpenChannel(manager handle, channelID string, options ChannelOptions, now uint64) error {
	s := getScratch()
	defer s.put()
	c := C.sds_channel_options_t{size: C.sizeof_sds_channel_options_t, profile: C.uint32_t(options.Profile)}
	if options.FromNow {
		c.flags |= C.SDS_CHANNEL_FROM_NOW
	}
	if options.DerivedIDs {
		c.flags |= C.SDS_CHANNEL_DERIVED_IDS
	}
	channel, channelLen := text(channelID)
	return s.err(C.sds_channel_open(manager, channel, channelLen, &c, C.uint64_t(now), &s.c.error))
}

func cCloseChannel(manager handle, channelID string) error {
	s := getScratch()
	defer s.put()
	channel, channelLen := text(channelID)
	return s.err(C.sds_channel_close(manager, channel, channelLen, &s.c.error))
}

func cForgetChannel(manager handle, channelID string) error {
	s := getScratch()
	defer s.put()
	channel, channelLen := text(channelID)
	return s.err(C.sds_channel_forget(manager, channel, channelLen, &s.c.error))
}

func cListChannels(manager handle, s *scratch) error {
	return s.err(C.sds_channel_list(manager, &s.c.out, &s.c.error))
}

func cChannelStatus(manager handle, channelID string) (ChannelStatus, error) {
	s := getScratch()
	defer s.put()
	channel, channelLen := text(channelID)
	status := &s.c.channel
	if err := s.err(C.sds_channel_status(manager, channel, channelLen, status, &s.c.error)); err != nil {
		return ChannelStatus{}, err
	}
	return ChannelStatus{
		Received:             uint64(status.received),
		Sent:                 uint64(status.sent),
		Logged:               uint64(status.logged),
		Missing:              uint64(status.missing),
		Lost:                 uint64(status.lost),
		Waiting:              uint64(status.waiting),
		Unacknowledged:       uint64(status.unacknowledged),
		PossiblyAcknowledged: uint64(status.possibly_acknowledged),
		GivenUp:              uint64(status.given_up),
		Acknowledged:         uint64(status.acknowledged),
		Held:                 uint64(status.held),
		Duplicates:           uint64(status.duplicates),
		DeliveredEarly:       uint64(status.delivered_early),
		FiltersRefused:       uint64(status.filters_refused),
		MissingUntracked:     uint64(status.missing_untracked),
		RepairRequests:       uint64(status.repair_requests),
		RepairAnswers:        uint64(status.repair_answers),
		RepairsRequested:     uint64(status.repairs_requested),
		RepairsAnswered:      uint64(status.repairs_answered),
		Repaired:             uint64(status.repaired),
		RepairsRefused:       uint64(status.repairs_refused),
		Timestamp:            uint64(status.lamport_timestamp_ms),
		LogEvicted:           uint64(status.log_evicted),
		WholeDropped:         uint64(status.whole_dropped),
		IDsForgotten:         uint64(status.ids_forgotten),
		FilterEvicted:        uint64(status.filter_evicted),
		RefiltersRefused:     uint64(status.refilters_refused),
		EvidenceDropped:      uint64(status.evidence_dropped),
		ConfirmationsDropped: uint64(status.confirmations_dropped),
		NamingsDropped:       uint64(status.namings_dropped),
	}, nil
}

func cDumpChannel(manager handle, channelID string, s *scratch) error {
	channel, channelLen := text(channelID)
	return s.err(C.sds_channel_dump(manager, channel, channelLen, &s.c.out, &s.c.error))
}

func cNextHistory(manager handle, channelID string, s *scratch) error {
	channel, channelLen := text(channelID)
	return s.err(C.sds_next_history(manager, channel, channelLen, &s.c.out, &s.c.error))
}

func cMissing(manager handle, channelID string, s *scratch) error {
	channel, channelLen := text(channelID)
	return s.err(C.sds_missing(manager, channel, channelLen, &s.c.out, &s.c.error))
}

// cWrapOutgoing writes the bytes to memory and returns how many they are. If they do not fit there, they are in the record.
func cWrapOutgoing(
	manager handle, channelID string, messageID MessageID, content []byte, now uint64, memory []byte, s *scratch,
) (int, error) {
	channel, channelLen := text(channelID)
	id, idLen := text(messageID)
	bytes, bytesLen := data(content)
	room, roomLen := data(memory)
	err := s.err(C.sds_wrap_outgoing_into(manager, channel, channelLen, id, idLen, bytes, bytesLen, C.uint64_t(now),
		room, roomLen, &s.c.bytes_len, &s.c.out, &s.c.error))
	return int(s.c.bytes_len), err
}

func cWrapEphemeral(manager handle, channelID string, messageID MessageID, content []byte, now uint64, s *scratch) error {
	channel, channelLen := text(channelID)
	id, idLen := text(messageID)
	bytes, bytesLen := data(content)
	return s.err(C.sds_wrap_ephemeral(
		manager, channel, channelLen, id, idLen, bytes, bytesLen, C.uint64_t(now), &s.c.out, &s.c.error))
}

func cUnwrapIncoming(manager handle, message []byte, now uint64, s *scratch) error {
	bytes, bytesLen := data(message)
	return s.err(C.sds_unwrap_incoming(manager, bytes, bytesLen, C.uint64_t(now), &s.c.out, &s.c.error))
}

// list points C to the texts in the scratch, one after the other, and to their lengths.
func (s *scratch) list() (bytes *C.uint8_t, lengths *C.size_t, count C.size_t) {
	bytes, _ = data(s.flat)
	return bytes, (*C.size_t)(unsafe.Pointer(unsafe.SliceData(s.lengths))), C.size_t(len(s.lengths))
}

// cUnwrapIncomingBatch takes the messages in the list of the scratch.
func cUnwrapIncomingBatch(manager handle, now uint64, s *scratch) error {
	bytes, lengths, count := s.list()
	return s.err(C.sds_unwrap_incoming_batch(
		manager, bytes, lengths, count, C.uint64_t(now), &s.c.out, &s.c.error))
}

// cMarkDependenciesMet takes the ids in the list of the scratch.
func cMarkDependenciesMet(manager handle, channelID string, now uint64, s *scratch) error {
	channel, channelLen := text(channelID)
	bytes, lengths, count := s.list()
	return s.err(C.sds_mark_dependencies_met(manager, channel, channelLen, (*C.char)(unsafe.Pointer(bytes)), lengths,
		count, C.uint64_t(now), &s.c.error))
}

func cSetRetrievalHint(manager handle, channelID string, messageID MessageID, hint []byte) error {
	s := getScratch()
	defer s.put()
	channel, channelLen := text(channelID)
	id, idLen := text(messageID)
	bytes, bytesLen := data(hint)
	return s.err(C.sds_set_retrieval_hint(manager, channel, channelLen, id, idLen, bytes, bytesLen, &s.c.error))
}

func cMessageStatus(manager handle, channelID string, messageID MessageID, s *scratch) error {
	channel, channelLen := text(channelID)
	id, idLen := text(messageID)
	return s.err(C.sds_message_status(manager, channel, channelLen, id, idLen, &s.c.out, &s.c.error))
}

func cRetry(manager handle, channelID string, messageID MessageID, now uint64) error {
	s := getScratch()
	defer s.put()
	channel, channelLen := text(channelID)
	id, idLen := text(messageID)
	return s.err(C.sds_retry(manager, channel, channelLen, id, idLen, C.uint64_t(now), &s.c.error))
}

func cCancel(manager handle, channelID string, messageID MessageID, now uint64) error {
	s := getScratch()
	defer s.put()
	channel, channelLen := text(channelID)
	id, idLen := text(messageID)
	return s.err(C.sds_cancel(manager, channel, channelLen, id, idLen, C.uint64_t(now), &s.c.error))
}

// cInspect fills the numbers; texts, content and history are in the record that it leaves in the scratch.
func cInspect(message []byte, s *scratch) (Inspection, error) {
	bytes, bytesLen := data(message)
	c := &s.c.inspection
	if err := s.err(C.sds_inspect(bytes, bytesLen, c, &s.c.out, &s.c.error)); err != nil {
		return Inspection{}, err
	}
	return Inspection{
		Profile:        Profile(c.profile),
		Kind:           Kind(c.kind),
		RepairRequests: int(c.repair_count),
		Filter: FilterInspection{
			State:             FilterState(c.filter),
			Hashes:            int(c.filter_hashes),
			Bits:              uint64(c.filter_bits),
			Capacity:          uint64(c.filter_capacity),
			Bytes:             int(c.filter_bytes),
			Fill:              float64(c.filter_fill),
			FalsePositiveRate: float64(c.filter_false_positive_rate),
		},
	}, nil
}

func cVersion() string {
	return C.GoString(C.sds_version())
}

func cABIVersion() uint32 {
	return uint32(C.sds_abi_version())
}

func cSetLogLevel(level LogLevel) error {
	s := getScratch()
	defer s.put()
	return s.err(C.sds_set_log_level(C.uint32_t(level), &s.c.error))
}

func cShutdown() error {
	s := getScratch()
	defer s.put()
	return s.err(C.sds_shutdown(&s.c.error))
}

// cStatusText is the library's own text of a status.
func cStatusText(status Status) string {
	return C.GoString(C.sds_status_text(C.int32_t(status)))
}

// headerABIVersion is the version of the header that this package was compiled with.
const headerABIVersion = C.SDS_ABI_VERSION

// The numbers that other files write out are those of the header, or this does not compile.
var _ = [1]struct{}{}[0|
	int(ErrInvalidArgument-C.SDS_INVALID_ARGUMENT)|int(ErrInvalidHandle-C.SDS_INVALID_HANDLE)|
	int(ErrClosed-C.SDS_CLOSED)|int(ErrPoisoned-C.SDS_POISONED)|int(ErrPanic-C.SDS_PANIC)|
	int(ErrNotUTF8-C.SDS_NOT_UTF8)|int(ErrInvalidConfig-C.SDS_INVALID_CONFIG)|
	int(ErrUnknownChannel-C.SDS_UNKNOWN_CHANNEL)|int(ErrChannelOptionsDiffer-C.SDS_CHANNEL_OPTIONS_DIFFER)|
	int(ErrTooManyChannels-C.SDS_TOO_MANY_CHANNELS)|int(ErrNotSDS-C.SDS_NOT_SDS)|int(ErrMalformed-C.SDS_MALFORMED)|
	int(ErrTooLarge-C.SDS_TOO_LARGE)|int(ErrInvalidID-C.SDS_INVALID_ID)|int(ErrIDReused-C.SDS_ID_REUSED)|
	int(ErrBytesGone-C.SDS_BYTES_GONE)|int(ErrIDMismatch-C.SDS_ID_MISMATCH)|int(ErrEmptyContent-C.SDS_EMPTY_CONTENT)|
	int(ErrEphemeralUnsupported-C.SDS_EPHEMERAL_UNSUPPORTED)|int(ErrUnknownMessage-C.SDS_UNKNOWN_MESSAGE)|
	int(ErrTooManyUnacknowledged-C.SDS_TOO_MANY_UNACKNOWLEDGED)|int(ErrOutputsFull-C.SDS_OUTPUTS_FULL)|
	int(ErrNoResources-C.SDS_NO_RESOURCES)|int(ErrBufferTooSmall-C.SDS_BUFFER_TOO_SMALL)|int(ErrEnd-C.SDS_END)|
	int(ErrInvalidSize-C.SDS_INVALID_SIZE)|int(ErrStoreFailed-C.SDS_STORE_FAILED)|
	int(ErrStoreUnusable-C.SDS_STORE_UNUSABLE)|int(ErrUnconfirmed-C.SDS_UNCONFIRMED)|
	int(ErrWrongStore-C.SDS_WRONG_STORE)|int(ErrNotBuiltIn-C.SDS_NOT_BUILT_IN)]

var _ = [1]struct{}{}[0|
	int(ProfileDefault-C.SDS_PROFILE_DEFAULT)|int(ProfileRFC-C.SDS_PROFILE_RFC)|int(ProfileLibsds-C.SDS_PROFILE_LIBSDS)|
	int(KindContent-C.SDS_KIND_CONTENT)|int(KindSync-C.SDS_KIND_SYNC)|int(KindEphemeral-C.SDS_KIND_EPHEMERAL)|
	int(FilterNone-C.SDS_FILTER_NONE)|int(FilterOK-C.SDS_FILTER_OK)|int(FilterRefused-C.SDS_FILTER_REFUSED)|
	int(ReasonResend-C.SDS_REASON_RESEND)|int(ReasonSync-C.SDS_REASON_SYNC)|
	int(ReasonRepairRequest-C.SDS_REASON_REPAIR_REQUEST)|int(ReasonRepairAnswer-C.SDS_REASON_REPAIR_ANSWER)|
	int(ReasonPublish-C.SDS_REASON_PUBLISH)|
	int(DispositionDelivered-C.SDS_DISPOSITION_DELIVERED)|int(DispositionWaiting-C.SDS_DISPOSITION_WAITING)|
	int(DispositionDuplicate-C.SDS_DISPOSITION_DUPLICATE)|int(DispositionOwn-C.SDS_DISPOSITION_OWN)|
	int(DispositionSync-C.SDS_DISPOSITION_SYNC)|int(DispositionEphemeral-C.SDS_DISPOSITION_EPHEMERAL)|
	int(DispositionBeforeUs-C.SDS_DISPOSITION_BEFORE_US)|int(DispositionLate-C.SDS_DISPOSITION_LATE)|
	int(StateUnacknowledged-C.SDS_STATE_UNACKNOWLEDGED)|
	int(StatePossiblyAcknowledged-C.SDS_STATE_POSSIBLY_ACKNOWLEDGED)|int(StateAcknowledged-C.SDS_STATE_ACKNOWLEDGED)|
	int(StateFailed-C.SDS_STATE_FAILED)|int(StateUnconfirmed-C.SDS_STATE_UNCONFIRMED)|
	int(StateCancelled-C.SDS_STATE_CANCELLED)|
	int(LogOff-C.SDS_LOG_OFF)|int(LogError-C.SDS_LOG_ERROR)|int(LogWarn-C.SDS_LOG_WARN)|int(LogInfo-C.SDS_LOG_INFO)|
	int(LogDebug-C.SDS_LOG_DEBUG)]

var _ = [1]struct{}{}[0|
	(recordTransmit-C.SDS_RECORD_TRANSMIT)|(recordDelivered-C.SDS_RECORD_DELIVERED)|
	(recordMissing-C.SDS_RECORD_MISSING)|(recordLost-C.SDS_RECORD_LOST)|(recordBeforeUs-C.SDS_RECORD_BEFORE_US)|
	(recordPossiblyAcknowledged-C.SDS_RECORD_POSSIBLY_ACKNOWLEDGED)|
	(recordAcknowledged-C.SDS_RECORD_ACKNOWLEDGED)|(recordFailed-C.SDS_RECORD_FAILED)|
	(recordUnconfirmed-C.SDS_RECORD_UNCONFIRMED)|(recordRepairRequested-C.SDS_RECORD_REPAIR_REQUESTED)|
	(recordRepairAnswered-C.SDS_RECORD_REPAIR_ANSWERED)|(recordRepaired-C.SDS_RECORD_REPAIRED)|
	(recordWrapped-C.SDS_RECORD_WRAPPED)|
	(recordUnwrapped-C.SDS_RECORD_UNWRAPPED)|(recordRefused-C.SDS_RECORD_REFUSED)|
	(recordHistory-C.SDS_RECORD_HISTORY)|(recordChannel-C.SDS_RECORD_CHANNEL)|
	(recordMessageStatus-C.SDS_RECORD_MESSAGE_STATUS)|(recordInspected-C.SDS_RECORD_INSPECTED)|
	(recordWrite-C.SDS_RECORD_WRITE)|(recordLogged-C.SDS_RECORD_LOGGED)|
	(flagTimestamp-C.SDS_FLAG_TIMESTAMP)|(flagOwn-C.SDS_FLAG_OWN)|(flagLate-C.SDS_FLAG_LATE)|
	(flagLibsds-C.SDS_FLAG_LIBSDS)|(flagHeld-C.SDS_FLAG_HELD)|(flagSent-C.SDS_FLAG_SENT)|(resendsShift-C.SDS_RESENDS_SHIFT)]
