package sds

import (
	"encoding/binary"
	"errors"
	"math"
	"reflect"
	"testing"
)

// rawRecord spells out one record by hand, following the table in src/ffi/record.rs.
type rawRecord struct {
	kind, code                       uint16
	flags                            uint32
	timestamp                        uint64
	number                           float64
	channel, message, sender, data   string
	entries                          []rawEntry
	claimTotal, claimCount, claimMsg int // 0: the truth
}

type rawEntry struct {
	id           string
	hint, sender *string
}

func ptr(s string) *string { return &s }

func (r rawRecord) bytes() []byte {
	le := binary.LittleEndian
	var b []byte
	b = le.AppendUint32(b, 0)
	b = le.AppendUint16(b, r.kind)
	b = le.AppendUint16(b, r.code)
	b = le.AppendUint32(b, r.flags)
	b = le.AppendUint64(b, r.timestamp)
	b = le.AppendUint64(b, math.Float64bits(r.number))
	b = le.AppendUint32(b, uint32(len(r.channel)))
	b = le.AppendUint32(b, uint32(len(r.message)))
	b = le.AppendUint32(b, uint32(len(r.sender)))
	b = le.AppendUint32(b, uint32(len(r.data)))
	b = le.AppendUint32(b, uint32(len(r.entries)))
	b = append(b, r.channel+r.message+r.sender+r.data...)
	for _, entry := range r.entries {
		length := func(s *string) uint32 {
			if s == nil {
				return 0xffffffff
			}
			return uint32(len(*s))
		}
		b = le.AppendUint32(b, uint32(len(entry.id)))
		b = le.AppendUint32(b, length(entry.hint))
		b = le.AppendUint32(b, length(entry.sender))
		b = append(b, entry.id...)
		for _, text := range []*string{entry.hint, entry.sender} {
			if text != nil {
				b = append(b, *text...)
			}
		}
	}
	total := len(b)
	if r.claimTotal != 0 {
		total = r.claimTotal
	}
	le.PutUint32(b, uint32(total))
	if r.claimCount != 0 {
		le.PutUint32(b[44:], uint32(r.claimCount))
	}
	if r.claimMsg != 0 {
		le.PutUint32(b[32:], uint32(r.claimMsg))
	}
	return b
}

var oneEntry = []rawEntry{{"gone", ptr("hint"), ptr("bob")}}

// The bytes of one record, written out, so that the helper above is no common mistake.
func TestRecordToTheByte(t *testing.T) {
	b := []byte{
		48 + 4 + 12 + 5, 0, 0, 0, 3, 0, 7, 0, 1, 0, 0, 0, 0x15, 0xcd, 0x5b, 0x07, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xe0, 0x3f,
		1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 'c', 'm', '1', 'd',
		2, 0, 0, 0, 3, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 'm', '0', 'h', 'i', 'n',
	}
	r, rest, err := readRecord(b)
	if err != nil || len(rest) != 0 {
		t.Fatalf("%v, %d bytes left", err, len(rest))
	}
	if r.kind != 3 || r.code != 7 || r.flags != 1 || r.timestamp != 123456789 || r.number != 0.5 || string(r.data) != "d" {
		t.Errorf("head: %+v", r)
	}
	channel, message, sender := r.ids()
	if channel != "c" || message != "m1" || sender != "" {
		t.Errorf("ids: %q %q %q", channel, message, sender)
	}
	history, err := r.history()
	want := []HistoryEntry{{MessageID: "m0", RetrievalHint: []byte("hin")}}
	if err != nil || !reflect.DeepEqual(history, want) {
		t.Errorf("history: %+v, %v", history, err)
	}
}

func TestOutputs(t *testing.T) {
	entry := HistoryEntry{MessageID: "gone", RetrievalHint: []byte("hint"), SenderID: "bob"}
	cases := []struct {
		raw  rawRecord
		want Output
	}{
		{rawRecord{kind: 1, code: 2, channel: "c", message: "m", data: "xyz"},
			Transmit{ChannelID: "c", MessageID: "m", Reason: ReasonSync, Data: []byte("xyz")}},
		{rawRecord{kind: 2, flags: 1 | 2 | 4, timestamp: 9, channel: "c", message: "m", sender: "bob", data: "hi"},
			Delivered{ChannelID: "c", MessageID: "m", SenderID: "bob", Timestamp: 9, Content: []byte("hi"), Late: true, Own: true}},
		{rawRecord{kind: 3, channel: "c", message: "gone", entries: oneEntry}, Missing{"c", entry}},
		{rawRecord{kind: 4, channel: "c", message: "gone", entries: oneEntry}, Lost{"c", entry}},
		{rawRecord{kind: 5, channel: "c", message: "gone", entries: oneEntry}, BeforeUs{"c", entry}},
		{rawRecord{kind: 6, number: 0.25, channel: "c", message: "m"}, PossiblyAcknowledged{"c", "m", 0.25}},
		{rawRecord{kind: 7, number: 1, channel: "c", message: "m"}, Acknowledged{"c", "m"}},
		{rawRecord{kind: 8, channel: "c", message: "m"}, Failed{"c", "m"}},
		{rawRecord{kind: 9, number: 0.5, channel: "c", message: "m"}, Unconfirmed{"c", "m", 0.5}},
		{rawRecord{kind: 10, number: 2, channel: "c", message: "m"}, RepairRequested{"c", "m", 2}},
		{rawRecord{kind: 11, channel: "c", message: "m"}, RepairAnswered{"c", "m"}},
		{rawRecord{kind: 12, channel: "c", message: "m"}, Repaired{"c", "m"}},
		{rawRecord{kind: 1, code: 4, channel: "c", message: "m", data: "xyz"},
			Transmit{ChannelID: "c", MessageID: "m", Reason: ReasonRepairAnswer, Data: []byte("xyz")}},
	}
	var all []byte
	var want []Output
	for _, c := range cases {
		got, err := readOutputs(nil, c.raw.bytes())
		if err != nil || !reflect.DeepEqual(got, []Output{c.want}) {
			t.Errorf("kind %d: %#v, %v; want %#v", c.raw.kind, got, err, c.want)
		}
		if c.want.Channel() != "c" {
			t.Errorf("kind %d: channel %q", c.raw.kind, c.want.Channel())
		}
		// A kind of a later version stands between any two.
		all = append(all, rawRecord{kind: 19, channel: "c", data: "later", entries: oneEntry}.bytes()...)
		all = append(all, c.raw.bytes()...)
		want = append(want, c.want)
	}
	got, err := readOutputs(nil, all)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("all: %#v, %v", got, err)
	}
	// Whatever is cut off, what came before is kept and the rest refused.
	for end := range all {
		got, err := readOutputs(nil, all[:end])
		for i, output := range got {
			if !reflect.DeepEqual(output, want[i]) {
				t.Fatalf("cut at %d: output %d is %#v", end, i, output)
			}
		}
		if err != nil && !errors.Is(err, ErrMalformed) {
			t.Fatalf("cut at %d: %v", end, err)
		}
	}
}

func TestResults(t *testing.T) {
	raw := rawRecord{kind: 21, code: 1, flags: 1 | 2 | 8, timestamp: 5, channel: "chan", message: "msg", sender: "bob",
		data: "hello", entries: []rawEntry{{"a", nil, nil}, {"", ptr(""), ptr("")}}}
	refused := rawRecord{kind: 22, code: 11, data: "not today"}
	want := Unwrapped{ChannelID: "chan", MessageID: "msg", SenderID: "bob", Timestamp: 5, HasTimestamp: true,
		Profile: ProfileLibsds, Content: []byte("hello"), Disposition: DispositionWaiting, Own: true,
		Unmet: []HistoryEntry{{MessageID: "a"}, {RetrievalHint: []byte{}}}}
	results, err := readBatch(nil, 2, append(raw.bytes(), refused.bytes()...))
	if err != nil || len(results) != 2 || !reflect.DeepEqual(results[0].Unwrapped, want) || results[0].Err != nil {
		t.Fatalf("%#v, %v", results, err)
	}
	var failure *Error
	if !errors.As(results[1].Err, &failure) || failure.Status != ErrNotSDS || failure.Detail != "not today" {
		t.Errorf("refused: %v", results[1].Err)
	}
	for _, bad := range []struct {
		what  string
		count int
		b     []byte
	}{
		{"one where none was asked for", 0, raw.bytes()},
		{"none where one was", 1, nil},
		{"one where two were", 2, raw.bytes()},
		{"another kind", 1, rawRecord{kind: 20}.bytes()},
	} {
		if _, err := readBatch(nil, bad.count, bad.b); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", bad.what, err)
		}
	}

	wrapped := rawRecord{kind: 20, flags: 1, timestamp: 77, channel: "chan", message: "derived", data: "bytes"}.bytes()
	w, data, err := readWrapped("", wrapped)
	if err != nil || !reflect.DeepEqual(w, Wrapped{MessageID: "derived", Timestamp: 77}) || string(data) != "bytes" {
		t.Errorf("wrapped: %+v, %q, %v", w, data, err)
	}
	if _, _, err := readWrapped("", append(wrapped, wrapped...)); !errors.Is(err, ErrMalformed) {
		t.Errorf("two records for one: %v", err)
	}

	r, err := readOnly(recordMessageStatus, rawRecord{kind: 25, code: 1, flags: 1 | 3<<16, timestamp: 8, number: 0.75,
		entries: []rawEntry{{"certain", nil, ptr("bob")}, {"possible", nil, ptr("carol")}}}.bytes())
	if err != nil {
		t.Fatal(err)
	}
	status, err := r.messageStatus()
	wantStatus := MessageStatus{State: StatePossiblyAcknowledged, Probability: 0.75, Timestamp: 8, Resends: 3,
		Acknowledgers: []Acknowledger{{"bob", true}, {"carol", false}}}
	if err != nil || !reflect.DeepEqual(status, wantStatus) {
		t.Errorf("status: %+v, %v", status, err)
	}
}

func TestBrokenRecords(t *testing.T) {
	good := rawRecord{kind: 3, channel: "c", message: "gone", entries: oneEntry}
	cases := map[string][]byte{
		"short head":            good.bytes()[:47],
		"total under the head":  rawRecord{kind: 7, claimTotal: 47}.bytes(),
		"total over the memory": rawRecord{kind: 7, claimTotal: 49}.bytes(),
		"texts over the record": rawRecord{kind: 7, message: "m", claimMsg: 2}.bytes(),
		"texts of 4 GiB":        rawRecord{kind: 7, message: "m", claimMsg: math.MaxUint32}.bytes(),
		"entries of 4 GiB":      rawRecord{kind: 3, entries: oneEntry, claimCount: math.MaxUint32}.bytes(),
		"one entry too many":    rawRecord{kind: 3, entries: oneEntry, claimCount: 2}.bytes(),
		"one entry too few":     rawRecord{kind: 3, entries: append(oneEntry, oneEntry...), claimCount: 1}.bytes(),
		"no entry":              rawRecord{kind: 3}.bytes(),
		"two entries":           rawRecord{kind: 3, entries: append(oneEntry, oneEntry...)}.bytes(),
	}
	absentID := good.bytes()
	binary.LittleEndian.PutUint32(absentID[48+5:], math.MaxUint32)
	cases["entry without id"] = absentID
	longHint := good.bytes()
	binary.LittleEndian.PutUint32(longHint[48+5+4:], math.MaxUint32-1)
	cases["hint over the record"] = longHint
	for name, b := range cases {
		if outputs, err := readOutputs(nil, b); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v, %v", name, outputs, err)
		}
	}
}

// FuzzRecords reads anything in every way. It must not panic, and must not allocate by what the bytes merely claim.
func FuzzRecords(f *testing.F) {
	f.Add([]byte{})
	f.Add(rawRecord{kind: 1, code: 1, channel: "c", message: "m", data: "xyz"}.bytes())
	f.Add(rawRecord{kind: 2, flags: 7, timestamp: 9, channel: "c", message: "m", sender: "bob", data: "hi"}.bytes())
	f.Add(rawRecord{kind: 3, channel: "c", message: "gone", entries: oneEntry}.bytes())
	f.Add(rawRecord{kind: 3, channel: "c", entries: oneEntry, claimCount: math.MaxUint32}.bytes())
	f.Add(append(rawRecord{kind: 7, channel: "c", message: "m"}.bytes(), rawRecord{kind: 99}.bytes()...))
	f.Add(rawRecord{kind: 20, message: "m", data: "bytes"}.bytes())
	f.Add(rawRecord{kind: 21, channel: "c", entries: append(oneEntry, rawEntry{id: "a"})}.bytes())
	f.Add(rawRecord{kind: 22, code: 11, data: "text"}.bytes())
	f.Add(rawRecord{kind: 25, flags: 1 << 16, entries: []rawEntry{{"certain", nil, ptr("bob")}}}.bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		outputs, err := readOutputs(nil, b)
		if len(outputs) > len(b)/recordHead {
			t.Fatalf("%d outputs from %d bytes", len(outputs), len(b))
		}
		for _, output := range outputs {
			_ = output.Channel()
		}
		_, _ = readBatch(nil, len(b)/recordHead, b)
		_, _, _ = readWrapped("", b)
		for rest := b; len(rest) > 0; {
			r, next, readErr := readRecord(rest)
			if readErr != nil {
				if err == nil {
					t.Fatalf("read as outputs, but not one by one: %v", readErr)
				}
				return
			}
			if len(next) >= len(rest) {
				t.Fatal("no progress")
			}
			_, _ = r.unwrapped()
			_, _ = r.messageStatus()
			rest = next
		}
	})
}
