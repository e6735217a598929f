package sds_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

func as(id sds.ParticipantID, changes ...func(*sds.Config)) sds.Config {
	config := sds.DefaultConfig()
	config.ParticipantID = id
	for _, change := range changes {
		change(&config)
	}
	return config
}

var noWait = sds.StoreOptions{Synchronous: sds.SynchronousOff}

// openStore opens alice's manager over a file, and closes it at the end of the test.
func openStore(t testing.TB, path string, now time.Time, changes ...func(*sds.Config)) *sds.Manager {
	t.Helper()
	m := must[*sds.Manager](t)(sds.OpenStore(as("alice", changes...), path, noWait, now))
	t.Cleanup(func() { check(t, m.Close()) })
	return m
}

func storePath(t testing.TB) string { return filepath.Join(t.TempDir(), "alice.sds") }

func TestStoreKeepsWhatWasSentAndReceived(t *testing.T) {
	path := storePath(t)
	alice := openStore(t, path, epoch)
	check(t, alice.OpenChannel(channel, sds.ChannelOptions{}, epoch))
	bob := openIn(t, "bob", channel, sds.ChannelOptions{})
	hello := wrap(t, alice, "a1", epoch)
	if hello.Held {
		t.Error("a store holds nothing back")
	}
	unwrap(t, bob, hello.Data, epoch)
	lost, next := wrap(t, bob, "b1", epoch), wrap(t, bob, "b2", epoch)
	if got := unwrap(t, alice, next.Data, epoch); got.Disposition != sds.DispositionWaiting {
		t.Fatal(got.Disposition)
	}
	check(t, alice.Close())

	alice = openStore(t, path, after(time.Minute))
	if channels := must[[]string](t)(alice.Channels()); !slices.Equal(channels, []string{channel}) {
		t.Error(channels)
	}
	if status := must[sds.MessageStatus](t)(alice.MessageStatus(channel, "a1")); status.State != sds.StateAcknowledged {
		t.Error(status)
	}
	if got := unwrap(t, alice, lost.Data, after(time.Minute)); got.Disposition != sds.DispositionDelivered {
		t.Error(got.Disposition)
	}
	if got := outputs[sds.Delivered](t, alice); len(got) != 1 || got[0].MessageID != "b2" {
		t.Error(got)
	}
	if got := unwrap(t, alice, next.Data, after(time.Minute)); got.Disposition != sds.DispositionDuplicate {
		t.Error(got.Disposition)
	}
}

func TestReadLog(t *testing.T) {
	alice := openStore(t, storePath(t), epoch)
	check(t, alice.OpenChannel(channel, sds.ChannelOptions{}, epoch))
	bob := openIn(t, "bob", channel, sds.ChannelOptions{})
	for i := range 10 {
		now := after(time.Duration(i) * time.Second)
		unwrap(t, bob, wrap(t, alice, sds.MessageID(fmt.Sprint("a", i)), now).Data, now)
		unwrap(t, alice, wrap(t, bob, sds.MessageID(fmt.Sprint("b", i)), now).Data, now)
	}
	check(t, alice.SetRetrievalHint(channel, "b3", []byte("hint")))
	check(t, alice.CloseChannel(channel)) // closed ones have a log, too
	var all []sds.LogEntry
	var after sds.LogPosition
	pages := 0
	for more := true; more; pages++ {
		page := must[sds.LogPage](t)(alice.ReadLog(channel, after, 7))
		all, more = append(all, page.Entries...), page.More
		after = all[len(all)-1].Position()
	}
	if pages != 3 || len(all) != 20 {
		t.Fatal(pages, len(all))
	}
	for i, entry := range all {
		sender, id := sds.ParticipantID("alice"), sds.MessageID(fmt.Sprint("a", i/2))
		if i%2 == 1 {
			sender, id = "bob", sds.MessageID(fmt.Sprint("b", i/2))
		}
		want := sds.LogEntry{
			MessageID: id, SenderID: sender, Timestamp: entry.Timestamp, Content: entry.Content,
			Received: epoch.Add(time.Duration(i/2) * time.Second), Sent: sender == "alice",
		}
		if id == "b3" {
			want.RetrievalHint = []byte("hint")
		}
		if fmt.Sprint(entry) != fmt.Sprint(want) || len(entry.Content) == 0 {
			t.Errorf("%+v, not %+v", entry, want)
		}
		if i > 0 && entry.Timestamp <= all[i-1].Timestamp {
			t.Error("not in order")
		}
	}
	from := must[sds.LogPage](t)(alice.ReadLog(channel, sds.LogPosition{Timestamp: all[18].Timestamp}, 7))
	if len(from.Entries) != 2 || from.More {
		t.Error(from)
	}
	_, err := alice.ReadLog("none", after, 7)
	refused(t, "another channel", err, sds.ErrUnknownChannel)
	for _, limit := range []int{0, -1} {
		_, err = alice.ReadLog(channel, after, limit)
		refused(t, "no limit", err, sds.ErrInvalidArgument)
	}
}

func TestSeedHistory(t *testing.T) {
	alice := openStore(t, storePath(t), epoch)
	check(t, alice.OpenChannel(channel, sds.ChannelOptions{}, epoch))
	bob := openIn(t, "bob", channel, sds.ChannelOptions{})
	var known []sds.KnownMessage
	for i := range 200 {
		id := sds.MessageID(fmt.Sprint(i))
		before := wrap(t, bob, id, epoch.Add(time.Duration(i-200)*time.Second))
		known = append(known, sds.KnownMessage{MessageID: id, SenderID: "bob", Timestamp: before.Timestamp, RetrievalHint: []byte(id)})
	}
	if added := must[int](t)(alice.SeedHistory(channel, known, epoch)); added != 200 {
		t.Error(added)
	}
	if added := must[int](t)(alice.SeedHistory(channel, known, epoch)); added != 0 {
		t.Error(added)
	}
	got := unwrap(t, alice, wrap(t, bob, "now", epoch).Data, epoch)
	if got.Disposition != sds.DispositionDelivered || len(outputs[sds.Missing](t, alice)) != 0 {
		t.Error(got)
	}
	page := must[sds.LogPage](t)(alice.ReadLog(channel, sds.LogPosition{}, 1))
	if first := page.Entries[0]; first.MessageID != "0" || !first.Received.IsZero() || len(first.Content) != 0 || string(first.RetrievalHint) != "0" {
		t.Errorf("%+v", first)
	}
	none := must[int](t)(alice.SeedHistory(channel, nil, epoch))
	_, err := alice.SeedHistory(channel, []sds.KnownMessage{{MessageID: "new"}, {}}, epoch)
	refused(t, "an empty id", err, sds.ErrInvalidID)
	if status := must[sds.ChannelStatus](t)(alice.ChannelStatus(channel)); none != 0 || status.Logged != 201 {
		t.Error(none, status.Logged)
	}
}

// A batch over a store is what one by one would be, refused ones included, over more than one part.
func TestUnwrapBatchIntoStore(t *testing.T) {
	bob := openIn(t, "bob", channel, sds.ChannelOptions{}, func(c *sds.Config) { c.BloomCapacity = 1000 })
	var packets [][]byte
	for i := range 600 {
		packets = append(packets, wrap(t, bob, sds.MessageID(fmt.Sprint(i)), epoch).Data)
	}
	packets[100], packets[101] = packets[101], packets[100]
	packets = slices.Insert(packets, 300, []byte("none of ours"), packets[299])
	path := storePath(t)
	alice := openStore(t, path, epoch)
	check(t, alice.OpenChannel(channel, sds.ChannelOptions{}, epoch))
	one := openIn(t, "alice", channel, sds.ChannelOptions{})
	results := must[[]sds.UnwrapResult](t)(alice.UnwrapIncomingBatch(packets, epoch))
	if len(results) != len(packets) {
		t.Fatal(len(results))
	}
	for i, packet := range packets {
		want, err := one.UnwrapIncoming(packet, epoch)
		if fmt.Sprint(results[i].Unwrapped) != fmt.Sprint(want) || fmt.Sprint(results[i].Err) != fmt.Sprint(err) {
			t.Fatalf("%d: %+v, not %+v, %v", i, results[i], want, err)
		}
	}
	if results[100].Disposition != sds.DispositionWaiting || results[301].Disposition != sds.DispositionDuplicate {
		t.Error(results[100].Disposition, results[301].Disposition)
	}
	check(t, alice.Close())
	alice = openStore(t, path, epoch)
	if status := must[sds.ChannelStatus](t)(alice.ChannelStatus(channel)); status.Received != 600 {
		t.Error(status.Received)
	}
}

// What cannot be used says why, and stays as it is.
func TestStoreThatIsNotOurs(t *testing.T) {
	path := storePath(t)
	alice := openStore(t, path, epoch)
	check(t, alice.OpenChannel(channel, sds.ChannelOptions{}, epoch))
	_, err := sds.OpenStore(as("alice"), path, noWait, epoch)
	refused(t, "locked by another manager", err, sds.ErrStoreFailed)
	check(t, alice.Close())
	good := must[[]byte](t)(os.ReadFile(path))
	with := func(at int, b ...byte) []byte {
		changed := bytes.Clone(good)
		copy(changed[at:], b)
		return changed
	}
	for _, row := range []struct {
		what, says string
		who        sds.ParticipantID
		data       []byte
	}{
		{"another participant", `participant "alice", not of "bob"`, "bob", good},
		{"another application", "another application", "alice", with(68, 1, 2, 3, 4)},
		{"a later version", "later version: schema 200", "alice", with(63, 200)},
		{"no database", "damaged", "alice", bytes.Repeat([]byte("no database\n"), 1000)},
		{"torn", "damaged", "alice", with(100, bytes.Repeat([]byte{255}, 500)...)},
	} {
		check(t, os.WriteFile(path, row.data, 0o600))
		_, err := sds.OpenStore(as(row.who), path, noWait, epoch)
		refused(t, row.what, err, sds.ErrStoreUnusable)
		if !strings.Contains(fmt.Sprint(err), row.says) {
			t.Errorf("%s: %v", row.what, err)
		}
		if !bytes.Equal(must[[]byte](t)(os.ReadFile(path)), row.data) {
			t.Errorf("%s: the file was changed", row.what)
		}
	}
	check(t, os.WriteFile(path, good, 0o600))
	openStore(t, path, epoch)
	for _, nowhere := range []string{filepath.Join(path, "in a file"), filepath.Join(t.TempDir(), "no", "folder")} {
		_, err := sds.OpenStore(as("alice"), nowhere, noWait, epoch)
		refused(t, nowhere, err, sds.ErrStoreFailed)
	}
	_, err = sds.OpenStore(as("alice"), "", noWait, epoch)
	refused(t, "no path", err, sds.ErrInvalidArgument)
	_, err = sds.OpenStore(as("alice"), path, sds.StoreOptions{Synchronous: 9}, epoch)
	refused(t, "synchronous", err, sds.ErrInvalidArgument)
}

func TestRunOverStore(t *testing.T) {
	path := storePath(t)
	now := time.Now()
	alice := openStore(t, path, now.Add(-time.Hour))
	check(t, alice.OpenChannel(channel, sds.ChannelOptions{}, now.Add(-time.Hour)))
	wrap(t, alice, "a1", now.Add(-time.Hour))
	check(t, alice.Close())
	alice = openStore(t, path, now)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var first sds.Output
	err := alice.Run(ctx, func(output sds.Output) {
		if first == nil {
			first = output
		}
		cancel()
	})
	resend, ok := first.(sds.Transmit)
	if !errors.Is(err, context.Canceled) || !ok || resend.MessageID != "a1" || resend.Reason != sds.ReasonResend {
		t.Error(err, first)
	}
}

// table is what a host keeps, as a table with the columns channel, key and value would.
type table map[string]map[sds.Key][]byte

func (rows table) commit(offer sds.Offer) {
	for _, write := range offer.Writes {
		of := rows[write.ChannelID]
		switch write.Op {
		case sds.WritePut:
			if of == nil {
				of = map[sds.Key][]byte{}
				rows[write.ChannelID] = of
			}
			of[write.Key] = write.Value
		case sds.WriteDelete:
			delete(of, write.Key)
		case sds.WriteForget:
			delete(rows, write.ChannelID)
		case sds.WriteWipe:
			clear(rows)
		}
	}
}

func (rows table) records() (records []sds.StoredRecord) {
	for channelID, of := range rows {
		for key, value := range of {
			records = append(records, sds.StoredRecord{ChannelID: channelID, Key: key, Value: value})
		}
	}
	return records
}

func (rows table) open(t testing.TB, now time.Time, changes ...func(*sds.Config)) *sds.Manager {
	t.Helper()
	m := must[*sds.Manager](t)(sds.OpenExternal(as("alice", changes...), rows.records(), now))
	t.Cleanup(func() { check(t, m.Close()) })
	return m
}

func (rows table) commitAll(t testing.TB, m *sds.Manager) {
	t.Helper()
	for {
		offer := must[sds.Offer](t)(m.Offer())
		if offer.Number == 0 {
			return
		}
		rows.commit(offer)
		check(t, m.Confirm(offer.Number))
	}
}

func TestExternalHoldsBackWhatIsNotCommitted(t *testing.T) {
	rows := table{}
	alice := rows.open(t, epoch)
	check(t, alice.OpenChannel(channel, sds.ChannelOptions{}, epoch))
	bob := openIn(t, "bob", channel, sds.ChannelOptions{})
	rows.commitAll(t, alice)

	held := wrap(t, alice, "a1", epoch)
	if !held.Held || len(held.Data) != 0 || held.MessageID != "a1" {
		t.Errorf("%+v", held)
	}
	appended := must[sds.Wrapped](t)(alice.AppendOutgoing([]byte("before"), channel, "a1", []byte("content of a1"), epoch))
	if !appended.Held || string(appended.Data) != "before" {
		t.Errorf("%+v", appended)
	}
	offer := must[sds.Offer](t)(alice.Offer())
	wrap(t, alice, "a2", epoch)
	again := must[sds.Offer](t)(alice.Offer())
	if offer.Number == 0 || fmt.Sprint(offer) != fmt.Sprint(again) {
		t.Error("another offer, though that one was not confirmed")
	}
	refused(t, "another number", alice.Confirm(offer.Number+1), sds.ErrInvalidArgument)
	if got := must[[]sds.Output](t)(alice.Drain()); len(got) != 0 {
		t.Error(got)
	}
	rows.commit(offer)
	check(t, alice.Confirm(offer.Number))
	refused(t, "twice", alice.Confirm(offer.Number), sds.ErrInvalidArgument)
	published := outputs[sds.Transmit](t, alice)
	if len(published) == 0 || published[0].MessageID != "a1" || published[0].Reason != sds.ReasonPublish {
		t.Fatalf("%+v", published)
	}
	for _, transmit := range published {
		if transmit.MessageID == "a2" {
			t.Error("sent before it was committed")
		}
	}
	unwrap(t, bob, published[0].Data, epoch)

	// The process ends before the second is committed: it never was.
	if must[sds.Offer](t)(alice.Offer()).Number == 0 {
		t.Fatal("nothing waits")
	}
	check(t, alice.Close())
	alice = rows.open(t, after(time.Minute))
	_, err := alice.MessageStatus(channel, "a2")
	refused(t, "what was not committed", err, sds.ErrUnknownMessage)
	answer := wrap(t, bob, "b1", after(time.Minute))
	unwrap(t, alice, answer.Data, after(time.Minute))
	if got := outputs[sds.Acknowledged](t, alice); len(got) != 0 {
		t.Error(got)
	}
	rows.commitAll(t, alice)
	if got := outputs[sds.Acknowledged](t, alice); len(got) != 1 || got[0].MessageID != "a1" {
		t.Error(got)
	}
}

func TestExternalLog(t *testing.T) {
	rows := table{}
	alice := rows.open(t, epoch)
	check(t, alice.OpenChannel(channel, sds.ChannelOptions{}, epoch))
	for i := range 5 {
		wrap(t, alice, sds.MessageID(fmt.Sprint(i)), after(time.Duration(i)*time.Second))
	}
	check(t, alice.SetRetrievalHint(channel, "3", []byte("hint")))
	rows.commitAll(t, alice)
	_, err := alice.ReadLog(channel, sds.LogPosition{}, 10)
	refused(t, "the host has it", err, sds.ErrWrongStore)
	var ids []sds.MessageID
	of := rows[channel]
	for _, key := range slices.SortedFunc(maps.Keys(of), func(a, b sds.Key) int { return bytes.Compare(a[:], b[:]) }) {
		if !key.IsMessage() {
			_, err := alice.ReadLogRecord(key, of[key], nil)
			refused(t, "another record", err, sds.ErrInvalidArgument)
			continue
		}
		entry := must[sds.LogEntry](t)(alice.ReadLogRecord(key, of[key], of[key.Side()]))
		ids = append(ids, entry.MessageID)
		if string(entry.RetrievalHint) == "hint" != (entry.MessageID == "3") || !entry.Sent || len(entry.Content) == 0 {
			t.Errorf("%+v", entry)
		}
		_, err := alice.ReadLogRecord(key, of[key][1:], nil)
		refused(t, "damaged", err, sds.ErrStoreUnusable)
	}
	if fmt.Sprint(ids) != "[0 1 2 3 4]" {
		t.Error(ids)
	}
}

func TestExternalRefuses(t *testing.T) {
	rows := table{}
	alice := rows.open(t, epoch, func(c *sds.Config) { c.MaxUnconfirmedBytes = 200_000 })
	check(t, alice.OpenChannel(channel, sds.ChannelOptions{}, epoch))
	var err error
	sent := 0
	for ; err == nil && sent < 1000; sent++ {
		_, err = alice.WrapOutgoing(channel, "", []byte("x"), epoch)
	}
	refused(t, "never confirmed", err, sds.ErrUnconfirmed)
	rows.commitAll(t, alice)
	wrap(t, alice, "confirmed", epoch)
	rows.commitAll(t, alice)

	refused(t, "run", alice.Run(context.Background(), func(sds.Output) {}), sds.ErrWrongStore)
	_, err = sds.OpenExternal(as("bob"), rows.records(), epoch)
	refused(t, "another participant", err, sds.ErrStoreUnusable)
	records := rows.records()
	records[0].Key[0] = 99
	_, err = sds.OpenExternal(as("alice"), records, epoch)
	refused(t, "an unknown kind", err, sds.ErrStoreUnusable)
	_, err = sds.OpenExternal(as("alice"), []sds.StoredRecord{{ChannelID: "\xff"}}, epoch)
	refused(t, "a channel", err, sds.ErrNotUTF8)

	check(t, alice.ForgetChannel(channel))
	rows.commitAll(t, alice)
	if len(rows) != 1 || len(rows[""]) != 1 {
		t.Error("more than the manager is left:", len(rows))
	}
	memory := open(t, "memory")
	_, err = memory.Offer()
	refused(t, "offer", err, sds.ErrWrongStore)
	refused(t, "confirm", memory.Confirm(1), sds.ErrWrongStore)
	check(t, memory.Flush())
}

// One restored by the host says, message for message, what one in a store says.
func TestExternalAndStoreSayTheSame(t *testing.T) {
	rows, path := table{}, storePath(t)
	seed := uint64(7)
	seeded := func(c *sds.Config) { c.Seed = &seed }
	external, stored := rows.open(t, epoch, seeded), openStore(t, path, epoch, seeded)
	bob := openIn(t, "bob", channel, sds.ChannelOptions{})
	for _, m := range []*sds.Manager{external, stored} {
		check(t, m.OpenChannel(channel, sds.ChannelOptions{}, epoch))
	}
	for i := range 30 {
		now := after(time.Duration(i) * 10 * time.Second)
		theirs := wrap(t, bob, sds.MessageID(fmt.Sprint("b", i)), now).Data
		var said [2]string
		for j, m := range []*sds.Manager{external, stored} {
			wrap(t, m, sds.MessageID(fmt.Sprint("a", i)), now)
			if i%3 != 0 {
				unwrap(t, m, theirs, now)
			}
			check(t, m.Tick(now))
			if m == external {
				rows.commitAll(t, m)
			}
			for _, output := range must[[]sds.Output](t)(m.Drain()) {
				if transmit, ok := output.(sds.Transmit); !ok || transmit.Reason != sds.ReasonPublish {
					said[j] += fmt.Sprintf("%T %+v\n", output, output)
				}
			}
			said[j] += string(must[[]byte](t)(m.DumpChannel(channel)))
		}
		if said[0] != said[1] {
			t.Fatalf("%d:\n%s\nand\n%s", i, said[0], said[1])
		}
		if i%5 == 4 {
			check(t, external.Close())
			check(t, stored.Close())
			external, stored = rows.open(t, now, seeded), openStore(t, path, now, seeded)
		}
	}
}

// Many goroutines send, in channels of their own and in one of all, while another commits or reads. Nothing is lost.
func TestKeptFromManyGoroutines(t *testing.T) {
	const senders, each = 6, 20
	rows, path := table{}, storePath(t)
	stored, external := openStore(t, path, epoch), rows.open(t, epoch)
	var all sync.WaitGroup
	send := func(m *sds.Manager, of int) {
		defer all.Done()
		own := fmt.Sprint("of ", of)
		if err := m.OpenChannel(own, sds.ChannelOptions{}, epoch); err != nil {
			t.Error(err)
		}
		for i := range each {
			for _, channel := range []string{own, channel} {
				if _, err := m.WrapOutgoing(channel, sds.MessageID(fmt.Sprint(of, " ", i)), []byte("x"), epoch); err != nil {
					t.Error(err)
				}
			}
		}
	}
	for _, m := range []*sds.Manager{stored, external} {
		check(t, m.OpenChannel(channel, sds.ChannelOptions{}, epoch))
		for of := range senders {
			all.Add(1)
			go send(m, of)
		}
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	published := 0
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		rows.commitAll(t, external)
		for _, transmit := range outputs[sds.Transmit](t, external) {
			if transmit.Reason == sds.ReasonPublish {
				published++
			}
		}
		must[sds.LogPage](t)(stored.ReadLog(channel, sds.LogPosition{}, 10))
	}
	if published != 2*senders*each {
		t.Errorf("%d published", published)
	}
	check(t, stored.Close())
	check(t, external.Close())
	for what, m := range map[string]*sds.Manager{"stored": openStore(t, path, epoch), "external": rows.open(t, epoch)} {
		if status := must[sds.ChannelStatus](t)(m.ChannelStatus(channel)); status.Sent != senders*each {
			t.Errorf("%s: %d sent", what, status.Sent)
		}
		for of := range senders {
			own := must[sds.ChannelStatus](t)(m.ChannelStatus(fmt.Sprint("of ", of)))
			if own.Sent != each {
				t.Errorf("%s: %d sent in a channel", what, own.Sent)
			}
		}
	}
}

// Alice's program ends while the network is down. When it starts again she still has her log, and bob gets her message.
func ExampleOpenStore() {
	folder, _ := os.MkdirTemp("", "sds")
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "alice.sds")
	now := time.UnixMilli(1_700_000_000_000)
	config := sds.DefaultConfig()
	config.ParticipantID = "alice"

	alice, _ := sds.OpenStore(config, path, sds.StoreOptions{}, now)
	_ = alice.OpenChannel("tea", sds.ChannelOptions{}, now)
	_, _ = alice.WrapOutgoing("tea", "m1", []byte("Milk?"), now) // nobody hears it
	_ = alice.Close()

	now = now.Add(time.Hour)
	alice, _ = sds.OpenStore(config, path, sds.StoreOptions{}, now)
	defer alice.Close()
	page, _ := alice.ReadLog("tea", sds.LogPosition{}, 100)
	for _, entry := range page.Entries {
		fmt.Printf("%s: %s\n", entry.SenderID, entry.Content)
	}
	_ = alice.Tick(now.Add(10 * time.Second))
	outputs, _ := alice.Drain()
	for _, output := range outputs {
		if transmit, ok := output.(sds.Transmit); ok && transmit.Reason != sds.ReasonSync {
			fmt.Printf("broadcast %s: %v\n", transmit.MessageID, transmit.Reason)
		}
	}
	// Output:
	// alice: Milk?
	// broadcast m1: resend
}
