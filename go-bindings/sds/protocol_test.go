package sds_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

// pair opens alice and bob in the channel.
func pair(t testing.TB, changes ...func(*sds.Config)) (alice, bob *sds.Manager) {
	t.Helper()
	return openIn(t, "alice", channel, sds.ChannelOptions{}, changes...), openIn(t, "bob", channel, sds.ChannelOptions{}, changes...)
}

func wrap(t testing.TB, m *sds.Manager, id sds.MessageID, now time.Time) sds.Wrapped {
	t.Helper()
	return must[sds.Wrapped](t)(m.WrapOutgoing(channel, id, []byte("content of "+id), now))
}

func unwrap(t testing.TB, m *sds.Manager, data []byte, now time.Time) sds.Unwrapped {
	t.Helper()
	return must[sds.Unwrapped](t)(m.UnwrapIncoming(data, now))
}

// profiles runs a test in both.
func profiles(t *testing.T, test func(t *testing.T, changes func(*sds.Config))) {
	t.Run("rfc", func(t *testing.T) { test(t, func(*sds.Config) {}) })
	t.Run("libsds", func(t *testing.T) { test(t, libsds) })
}

func TestMissingDependencies(t *testing.T) {
	profiles(t, func(t *testing.T, profile func(*sds.Config)) {
		alice, bob := pair(t, profile)
		var sent []sds.Wrapped
		for i := range 5 {
			sent = append(sent, wrap(t, alice, sds.MessageID(fmt.Sprintf("m%d", i)), epoch))
			check(t, alice.SetRetrievalHint(channel, sent[i].MessageID, []byte{0xff, byte(i)}))
		}
		if u := unwrap(t, bob, sent[0].Data, epoch); u.Disposition != sds.DispositionDelivered || len(u.Unmet) != 0 {
			t.Fatalf("%+v", u)
		}
		// m4 names m1, m2 and m3. Its content is there at once, its place is not.
		u := unwrap(t, bob, sent[4].Data, epoch)
		if u.Disposition != sds.DispositionWaiting || string(u.Content) != "content of m4" {
			t.Fatalf("%+v", u)
		}
		var want []sds.HistoryEntry
		var wantMissing []sds.Missing
		for i := 1; i <= 3; i++ {
			entry := sds.HistoryEntry{MessageID: sent[i].MessageID, RetrievalHint: []byte{0xff, byte(i)}, SenderID: "alice"}
			want = append(want, entry)
			wantMissing = append(wantMissing, sds.Missing{ChannelID: channel, HistoryEntry: entry})
		}
		if !reflect.DeepEqual(u.Unmet, want) {
			t.Errorf("unmet: %+v", u.Unmet)
		}
		if missing := outputs[sds.Missing](t, bob); !reflect.DeepEqual(missing, wantMissing) {
			t.Errorf("missing: %+v", missing)
		}
		status := must[sds.ChannelStatus](t)(bob.ChannelStatus(channel))
		if status.Missing != 3 || status.Waiting != 1 || status.Received != 1 {
			t.Errorf("%+v", status)
		}
		// A duplicate tells again what is unmet, and no event does.
		if u := unwrap(t, bob, sent[4].Data, epoch); u.Disposition != sds.DispositionDuplicate || string(u.Content) != "content of m4" {
			t.Errorf("duplicate: %+v", u)
		}
		if again := must[[]sds.Output](t)(bob.Drain()); len(again) != 0 {
			t.Errorf("told again: %+v", again)
		}
		// m3 and m2 come in the wrong order; m1 sets all free, in causal order.
		for _, i := range []int{3, 2} {
			if u := unwrap(t, bob, sent[i].Data, epoch); u.Disposition != sds.DispositionWaiting {
				t.Errorf("m%d: %+v", i, u)
			}
		}
		if u := unwrap(t, bob, sent[1].Data, epoch); u.Disposition != sds.DispositionDelivered {
			t.Errorf("m1: %+v", u)
		}
		var order []sds.MessageID
		for _, delivered := range outputs[sds.Delivered](t, bob) {
			order = append(order, delivered.MessageID)
			if string(delivered.Content) != "content of "+string(delivered.MessageID) || delivered.SenderID != "alice" ||
				delivered.Late || delivered.Own || delivered.Timestamp == 0 {
				t.Errorf("%+v", delivered)
			}
		}
		if !slices.Equal(order, []sds.MessageID{"m2", "m3", "m4"}) {
			t.Errorf("order: %v", order)
		}
	})
}

func TestMarkDependenciesMet(t *testing.T) {
	alice, bob := pair(t)
	wrap(t, alice, "m0", epoch)
	wrap(t, alice, "m1", epoch)
	last := wrap(t, alice, "m2", epoch)
	unwrap(t, bob, last.Data, epoch)
	check(t, bob.MarkDependenciesMet(channel, []sds.MessageID{"m0"}, epoch))
	if delivered := outputs[sds.Delivered](t, bob); len(delivered) != 0 {
		t.Fatalf("too early: %+v", delivered)
	}
	check(t, bob.MarkDependenciesMet(channel, []sds.MessageID{"m1", "never heard of"}, epoch))
	if delivered := outputs[sds.Delivered](t, bob); len(delivered) != 1 || delivered[0].MessageID != "m2" {
		t.Errorf("%+v", delivered)
	}
	check(t, bob.MarkDependenciesMet(channel, nil, epoch))
}

func TestLostAndLate(t *testing.T) {
	alice, bob := pair(t)
	first, second := wrap(t, alice, "m0", epoch), wrap(t, alice, "m1", epoch)
	unwrap(t, bob, second.Data, epoch)
	check(t, bob.Tick(after(10*time.Minute-time.Millisecond)))
	if lost := outputs[sds.Lost](t, bob); len(lost) != 0 {
		t.Fatalf("too early: %+v", lost)
	}
	check(t, bob.Tick(after(10*time.Minute)))
	var lost, delivered int
	for _, output := range must[[]sds.Output](t)(bob.Drain()) {
		switch o := output.(type) {
		case sds.Lost:
			lost++
			if o.MessageID != "m0" || delivered != 0 {
				t.Errorf("%+v after %d deliveries", o, delivered)
			}
		case sds.Delivered:
			delivered++
			if o.MessageID != "m1" || o.Late {
				t.Errorf("%+v", o)
			}
		}
	}
	if lost != 1 || delivered != 1 {
		t.Errorf("%d lost, %d delivered", lost, delivered)
	}
	if u := unwrap(t, bob, first.Data, after(11*time.Minute)); u.Disposition != sds.DispositionLate {
		t.Errorf("%+v", u)
	}
}

func TestFromNow(t *testing.T) {
	alice := openIn(t, "alice", channel, sds.ChannelOptions{})
	bob := openIn(t, "bob", channel, sds.ChannelOptions{FromNow: true})
	wrap(t, alice, "m0", epoch)
	u := unwrap(t, bob, wrap(t, alice, "m1", epoch).Data, epoch)
	if u.Disposition != sds.DispositionBeforeUs {
		t.Errorf("%+v", u)
	}
	if before := outputs[sds.BeforeUs](t, bob); len(before) != 1 || before[0].MessageID != "m0" || before[0].Channel() != channel {
		t.Errorf("%+v", before)
	}
}

func TestAcknowledgement(t *testing.T) {
	profiles(t, func(t *testing.T, profile func(*sds.Config)) {
		alice, bob := pair(t, profile)
		question := wrap(t, alice, "question", epoch)
		unwrap(t, bob, question.Data, epoch)
		before := must[sds.MessageStatus](t)(alice.MessageStatus(channel, "question"))
		if before.State != sds.StateUnacknowledged || before.Probability != 0 || before.Timestamp != question.Timestamp {
			t.Errorf("%+v", before)
		}
		unwrap(t, alice, wrap(t, bob, "answer", epoch).Data, epoch)
		if acks := outputs[sds.Acknowledged](t, alice); !reflect.DeepEqual(acks, []sds.Acknowledged{{ChannelID: channel, MessageID: "question"}}) {
			t.Errorf("%+v", acks)
		}
		status := must[sds.MessageStatus](t)(alice.MessageStatus(channel, "question"))
		if status.State != sds.StateAcknowledged || status.Probability != 1 ||
			!reflect.DeepEqual(status.Acknowledgers, []sds.Acknowledger{{ParticipantID: "bob", Certain: true}}) {
			t.Errorf("%+v", status)
		}
	})
}

// A filter alone is evidence: the message is pushed out of bob's histories, and stays in his filter.
func TestPossiblyAcknowledged(t *testing.T) {
	alice, bob := pair(t)
	unwrap(t, bob, wrap(t, alice, "question", epoch).Data, epoch)
	var last sds.Wrapped
	for i := range 4 {
		last = wrap(t, bob, sds.MessageID(fmt.Sprintf("talk %d", i)), epoch)
	}
	unwrap(t, alice, last.Data, epoch)
	status := must[sds.MessageStatus](t)(alice.MessageStatus(channel, "question"))
	possibly := outputs[sds.PossiblyAcknowledged](t, alice)
	switch status.State {
	case sds.StatePossiblyAcknowledged:
		if len(possibly) != 1 || possibly[0].MessageID != "question" || possibly[0].Probability != status.Probability ||
			status.Probability <= 0.5 || status.Probability >= 1 {
			t.Errorf("%+v, %+v", possibly, status)
		}
	case sds.StateAcknowledged: // the filter is so empty that chance is out of the question
	default:
		t.Errorf("%+v", status)
	}
	if want := []sds.Acknowledger{{ParticipantID: "bob", Certain: false}}; status.State == sds.StatePossiblyAcknowledged &&
		!reflect.DeepEqual(status.Acknowledgers, want) {
		t.Errorf("%+v", status)
	}
}

func TestResendBackoffFailRetryCancel(t *testing.T) {
	alice := openIn(t, "alice", channel, sds.ChannelOptions{}, libsds, func(c *sds.Config) {
		c.ResendJitterPercent = 0
		c.MaxResends = 3
	})
	wrapped := wrap(t, alice, "m", epoch)
	// 5 s, then doubled each time; the same bytes.
	at := time.Duration(0)
	for resend := range 3 {
		at += 5 * time.Second << resend
		deadline, ok, err := alice.NextDeadline()
		if err != nil || !ok || !deadline.Equal(after(at)) {
			t.Fatalf("resend %d: deadline %v %v %v, want %v", resend, deadline.Sub(epoch), ok, err, at)
		}
		check(t, alice.Tick(after(at-time.Millisecond)))
		if early := outputs[sds.Transmit](t, alice); len(early) != 0 {
			t.Fatalf("resend %d: too early: %+v", resend, early)
		}
		check(t, alice.Tick(after(at)))
		check(t, alice.Tick(after(at))) // harmless
		want := []sds.Transmit{{ChannelID: channel, MessageID: "m", Reason: sds.ReasonResend, Data: wrapped.Data}}
		if again := outputs[sds.Transmit](t, alice); !reflect.DeepEqual(again, want) {
			t.Fatalf("resend %d: %+v", resend, again)
		}
	}
	at += 40 * time.Second
	check(t, alice.Tick(after(at)))
	if failed := must[[]sds.Output](t)(alice.Drain()); !reflect.DeepEqual(failed, []sds.Output{sds.Failed{ChannelID: channel, MessageID: "m"}}) {
		t.Fatalf("%+v", failed)
	}
	if _, ok, err := alice.NextDeadline(); ok || err != nil {
		t.Errorf("something is due for a message that was given up, %v", err)
	}
	status := must[sds.MessageStatus](t)(alice.MessageStatus(channel, "m"))
	if status.State != sds.StateFailed || status.Resends != 3 {
		t.Errorf("%+v", status)
	}

	check(t, alice.Retry(channel, "m", after(at)))
	if again := outputs[sds.Transmit](t, alice); len(again) != 1 || !bytes.Equal(again[0].Data, wrapped.Data) {
		t.Errorf("retry: %+v", again)
	}
	check(t, alice.Tick(after(at+5*time.Second)))
	if again := outputs[sds.Transmit](t, alice); len(again) != 1 {
		t.Errorf("after the retry: %+v", again)
	}

	check(t, alice.Cancel(channel, "m", after(at)))
	check(t, alice.Tick(after(at+24*time.Hour)))
	if more := must[[]sds.Output](t)(alice.Drain()); len(more) != 0 {
		t.Errorf("cancelled: %+v", more)
	}
	if status := must[sds.MessageStatus](t)(alice.MessageStatus(channel, "m")); status.State != sds.StateCancelled {
		t.Errorf("%+v", status)
	}
}

func TestWrapAgain(t *testing.T) {
	profiles(t, func(t *testing.T, profile func(*sds.Config)) {
		alice, _ := pair(t, profile)
		first, second := wrap(t, alice, "m", epoch), wrap(t, alice, "m", after(time.Second))
		if !reflect.DeepEqual(first, second) {
			t.Errorf("%+v, %+v", first, second)
		}
	})
}

func TestAppendOutgoing(t *testing.T) {
	alice, bob := pair(t)
	memory := append(make([]byte, 0, 64<<10), "head"...)
	first := must[sds.Wrapped](t)(alice.AppendOutgoing(memory, channel, "m", []byte("one"), epoch))
	if &first.Data[0] != &memory[0] || string(first.Data[:4]) != "head" {
		t.Error("not where it was told to be")
	}
	plain := must[sds.Wrapped](t)(alice.WrapOutgoing(channel, "m", []byte("one"), epoch))
	if !bytes.Equal(first.Data[4:], plain.Data) || first.MessageID != plain.MessageID || first.Timestamp != plain.Timestamp {
		t.Errorf("%+v, %+v", first, plain)
	}
	// Whoever overwrites it harms only his own.
	clear(first.Data)
	again := must[sds.Wrapped](t)(alice.WrapOutgoing(channel, "m", []byte("one"), epoch))
	if !bytes.Equal(again.Data, plain.Data) {
		t.Error("the engine's copy was overwritten")
	}
	// Too little capacity, to the byte; what lay there moves along.
	for _, spare := range []int{0, 1, len(plain.Data) - 1, len(plain.Data), len(plain.Data) + 1} {
		dst := append(make([]byte, 0, 4+spare), "head"...)
		w := must[sds.Wrapped](t)(alice.AppendOutgoing(dst, channel, "m", []byte("one"), epoch))
		if string(w.Data) != "head"+string(plain.Data) {
			t.Fatalf("%d bytes of room: %q", spare, w.Data)
		}
		if moved := &w.Data[0] != &dst[0]; moved != (spare < len(plain.Data)) {
			t.Fatalf("%d bytes of room: moved: %v", spare, moved)
		}
	}
	// The content may lie where the message goes, and an error leaves everything as it was.
	memory = append(memory[:0], "two"...)
	if w, err := alice.AppendOutgoing(memory[:0], "nowhere", "n", memory, epoch); !errors.Is(err, sds.ErrUnknownChannel) ||
		w.Data != nil || string(memory) != "two" {
		t.Errorf("%+v, %v, %q", w, err, memory)
	}
	w := must[sds.Wrapped](t)(alice.AppendOutgoing(memory[:0], channel, "", memory, epoch))
	unwrap(t, bob, plain.Data, epoch)
	if u := unwrap(t, bob, w.Data, epoch); string(u.Content) != "two" || u.MessageID != w.MessageID {
		t.Errorf("%+v", u)
	}
}

func TestOffline(t *testing.T) {
	alice := openIn(t, "alice", channel, sds.ChannelOptions{})
	wrap(t, alice, "m", epoch)
	check(t, alice.SetOnline(false, epoch))
	check(t, alice.Tick(after(time.Hour)))
	if sent := outputs[sds.Transmit](t, alice); len(sent) != 0 {
		t.Errorf("offline: %+v", sent)
	}
	if deadline, ok, err := alice.NextDeadline(); ok && !deadline.After(after(time.Hour)) || err != nil {
		t.Errorf("offline, yet due %v after the start, %v", deadline.Sub(epoch), err)
	}
	check(t, alice.SetOnline(true, after(time.Hour)))
	if deadline, ok, err := alice.NextDeadline(); !ok || deadline.After(after(time.Hour)) || err != nil {
		t.Errorf("online again, yet not due: %v %v %v", deadline.Sub(epoch), ok, err)
	}
	check(t, alice.Tick(after(time.Hour)))
	if sent := outputs[sds.Transmit](t, alice); len(sent) == 0 {
		t.Error("online again, and nothing is sent")
	}
}

func TestEphemeral(t *testing.T) {
	alice, bob := pair(t)
	wrapped := must[sds.Wrapped](t)(alice.WrapEphemeral(channel, "typing", []byte("..."), epoch))
	if wrapped.MessageID != "typing" || wrapped.Timestamp != 0 {
		t.Errorf("%+v", wrapped)
	}
	for range 2 {
		u := unwrap(t, bob, wrapped.Data, epoch)
		if u.Disposition != sds.DispositionEphemeral || u.HasTimestamp || string(u.Content) != "..." {
			t.Errorf("%+v", u)
		}
	}
	if status := must[sds.ChannelStatus](t)(alice.ChannelStatus(channel)); status.Unacknowledged+status.Logged != 0 {
		t.Errorf("%+v", status)
	}
	if derived := must[sds.Wrapped](t)(alice.WrapEphemeral(channel, "", []byte("..."), epoch)); derived.MessageID == "" {
		t.Error("no id")
	}
}

// Nobody speaks any more: a sync message tells alice that bob has her message, before she sends it again.
func TestSync(t *testing.T) {
	alice, bob := pair(t)
	unwrap(t, bob, wrap(t, alice, "m", epoch).Data, epoch)
	deadline, ok, err := bob.NextDeadline()
	if err != nil || !ok || deadline.After(after(4*time.Second)) {
		t.Fatalf("%v %v %v", deadline.Sub(epoch), ok, err)
	}
	check(t, bob.Tick(deadline))
	sync := outputs[sds.Transmit](t, bob)
	if len(sync) != 1 || sync[0].Reason != sds.ReasonSync {
		t.Fatalf("%+v", sync)
	}
	u := unwrap(t, alice, sync[0].Data, deadline)
	if u.Disposition != sds.DispositionSync || len(u.Content) != 0 || u.SenderID != "bob" {
		t.Errorf("%+v", u)
	}
	if acks := outputs[sds.Acknowledged](t, alice); len(acks) != 1 || acks[0].MessageID != "m" {
		t.Errorf("%+v", acks)
	}
	if logged := must[sds.ChannelStatus](t)(alice.ChannelStatus(channel)).Logged; logged != 1 {
		t.Errorf("%d messages in the log", logged)
	}
}

func TestEchoAndOwn(t *testing.T) {
	alice, _ := pair(t)
	wrapped := wrap(t, alice, "m", epoch)
	if u := unwrap(t, alice, wrapped.Data, epoch); u.Disposition != sds.DispositionOwn || !u.Own || string(u.Content) != "content of m" {
		t.Errorf("%+v", u)
	}
	// A second device of alice's that never sent it.
	twin := openIn(t, "alice", channel, sds.ChannelOptions{})
	if u := unwrap(t, twin, wrapped.Data, epoch); u.Disposition != sds.DispositionDelivered || !u.Own {
		t.Errorf("%+v", u)
	}
}

func TestDerivedIDs(t *testing.T) {
	alice := openIn(t, "alice", channel, sds.ChannelOptions{DerivedIDs: true})
	bob := openIn(t, "bob", channel, sds.ChannelOptions{DerivedIDs: true})
	one := must[sds.Wrapped](t)(alice.WrapOutgoing(channel, "", []byte("same"), epoch))
	two := must[sds.Wrapped](t)(alice.WrapOutgoing(channel, "", []byte("same"), epoch))
	if len(one.MessageID) != 64 || one.MessageID == two.MessageID {
		t.Errorf("%q, %q", one.MessageID, two.MessageID)
	}
	if u := unwrap(t, bob, one.Data, epoch); u.MessageID != one.MessageID || u.Disposition != sds.DispositionDelivered {
		t.Errorf("%+v", u)
	}
}

func TestNextHistory(t *testing.T) {
	alice, _ := pair(t)
	if none := must[[]sds.HistoryEntry](t)(alice.NextHistory(channel)); none != nil {
		t.Errorf("%+v", none)
	}
	for i := range 5 {
		wrap(t, alice, sds.MessageID(fmt.Sprintf("m%d", i)), epoch)
	}
	check(t, alice.SetRetrievalHint(channel, "m3", []byte("hint")))
	want := []sds.HistoryEntry{
		{MessageID: "m2", SenderID: "alice"},
		{MessageID: "m3", RetrievalHint: []byte("hint"), SenderID: "alice"},
		{MessageID: "m4", SenderID: "alice"},
	}
	for i, entry := range must[[]sds.HistoryEntry](t)(alice.NextHistory(channel)) {
		if entry.MessageID != want[i].MessageID || !bytes.Equal(entry.RetrievalHint, want[i].RetrievalHint) {
			t.Errorf("%d: %+v", i, entry)
		}
	}
	inspection := must[sds.Inspection](t)(sds.Inspect(wrap(t, alice, "m5", epoch).Data))
	if !reflect.DeepEqual(inspection.History, want) {
		t.Errorf("%+v", inspection.History)
	}
	check(t, alice.SetRetrievalHint(channel, "m3", nil))
}

func TestInspect(t *testing.T) {
	profiles(t, func(t *testing.T, profile func(*sds.Config)) {
		alice, _ := pair(t, profile)
		wrapped := wrap(t, alice, "m", epoch)
		got := must[sds.Inspection](t)(sds.Inspect(wrapped.Data))
		if got.Kind != sds.KindContent || got.ChannelID != channel || got.MessageID != "m" || got.SenderID != "alice" ||
			got.Timestamp != wrapped.Timestamp || !got.HasTimestamp || string(got.Content) != "content of m" ||
			got.Filter.State != sds.FilterOK || got.Filter.Bits == 0 || got.Filter.Hashes == 0 || got.Filter.Bytes == 0 {
			t.Errorf("%+v", got)
		}
		config := sds.DefaultConfig()
		profile(&config)
		if got.Profile != config.Profile {
			t.Errorf("%v, not %v", got.Profile, config.Profile)
		}
	})
}

func TestDump(t *testing.T) {
	alice, _ := pair(t)
	must[sds.Wrapped](t)(alice.WrapOutgoing(channel, "m", []byte("very secret"), epoch))
	dump := must[[]byte](t)(alice.DumpChannel(channel))
	if !json.Valid(dump) || bytes.Contains(dump, []byte("secret")) {
		t.Errorf("%s", dump)
	}
}

// A batch does what the same calls one by one do, refusals included.
func TestBatchEqualsOneByOne(t *testing.T) {
	profiles(t, func(t *testing.T, profile func(*sds.Config)) {
		alice := openIn(t, "alice", channel, sds.ChannelOptions{}, profile)
		check(t, alice.OpenChannel("only alice's", sds.ChannelOptions{}, epoch))
		var data [][]byte
		for i := range 40 {
			data = append(data, wrap(t, alice, sds.MessageID(fmt.Sprintf("m%d", i)), epoch).Data)
		}
		data[3], data[9] = data[9], data[3]
		data[20] = data[19]
		stranger := must[sds.Wrapped](t)(alice.WrapOutgoing("only alice's", "", []byte("x"), epoch))
		data = append(data, []byte("plain text"), nil, stranger.Data, data[5][:len(data[5])/2], bytes.Repeat([]byte("x"), 2<<20))

		bob, carol := openIn(t, "bob", channel, sds.ChannelOptions{}), openIn(t, "bob", channel, sds.ChannelOptions{})
		results := must[[]sds.UnwrapResult](t)(bob.UnwrapIncomingBatch(data, epoch))
		if len(results) != len(data) {
			t.Fatalf("%d results of %d", len(results), len(data))
		}
		refused := 0
		for i := range data {
			u, err := carol.UnwrapIncoming(data[i], epoch)
			var want, got *sds.Error
			if errors.As(err, &want) != errors.As(results[i].Err, &got) || want != nil && *want != *got {
				t.Errorf("%d: %v in the batch, %v alone", i, results[i].Err, err)
			}
			if err != nil {
				refused++
			}
			if !reflect.DeepEqual(u, results[i].Unwrapped) {
				t.Errorf("%d: %+v in the batch, %+v alone", i, results[i].Unwrapped, u)
			}
		}
		if refused != 5 {
			t.Errorf("%d refused", refused)
		}
		if !reflect.DeepEqual(must[[]sds.Output](t)(bob.Drain()), must[[]sds.Output](t)(carol.Drain())) {
			t.Error("outputs differ")
		}
		if !reflect.DeepEqual(must[sds.ChannelStatus](t)(bob.ChannelStatus(channel)), must[sds.ChannelStatus](t)(carol.ChannelStatus(channel))) {
			t.Error("statuses differ")
		}
		if none := must[[]sds.UnwrapResult](t)(bob.UnwrapIncomingBatch(nil, epoch)); len(none) != 0 {
			t.Errorf("%+v", none)
		}
	})
}

// One record is larger than the first buffer of a drain, and all together are much larger.
func TestDrainLargeOutputs(t *testing.T) {
	alice := openIn(t, "alice", channel, sds.ChannelOptions{}, libsds)
	var sent []sds.Wrapped
	for i := range 24 {
		content := bytes.Repeat([]byte{byte(i)}, 1+i*20_000)
		sent = append(sent, must[sds.Wrapped](t)(alice.WrapOutgoing(channel, "", content, epoch)))
	}
	check(t, alice.Tick(after(time.Minute)))
	again := outputs[sds.Transmit](t, alice)
	if len(again) != len(sent) {
		t.Fatalf("%d of %d", len(again), len(sent))
	}
	bySize := func(a, b sds.Transmit) int { return len(a.Data) - len(b.Data) }
	slices.SortFunc(again, bySize)
	for i := range sent {
		if again[i].MessageID != sent[i].MessageID || !bytes.Equal(again[i].Data, sent[i].Data) {
			t.Errorf("%d: not the bytes that were sent", i)
		}
	}
}

func TestCloseOpenForgetChannel(t *testing.T) {
	alice, bob := pair(t)
	wrapped := wrap(t, alice, "m", epoch)
	check(t, bob.CloseChannel(channel))
	if _, err := bob.UnwrapIncoming(wrapped.Data, epoch); !errors.Is(err, sds.ErrUnknownChannel) {
		t.Errorf("%v", err)
	}
	check(t, alice.CloseChannel(channel))
	check(t, alice.Tick(after(time.Hour)))
	if sent := outputs[sds.Transmit](t, alice); len(sent) != 0 {
		t.Errorf("closed: %+v", sent)
	}
	check(t, alice.OpenChannel(channel, sds.ChannelOptions{}, after(time.Hour)))
	if status := must[sds.MessageStatus](t)(alice.MessageStatus(channel, "m")); status.State != sds.StateUnacknowledged {
		t.Errorf("%+v", status)
	}
	check(t, alice.ForgetChannel(channel))
	check(t, alice.OpenChannel(channel, sds.ChannelOptions{}, after(time.Hour)))
	if _, err := alice.MessageStatus(channel, "m"); !errors.Is(err, sds.ErrUnknownMessage) {
		t.Errorf("%v", err)
	}
	check(t, alice.Reset())
	if channels := must[[]string](t)(alice.Channels()); channels != nil {
		t.Errorf("%v", channels)
	}
}

func TestAutoOpenChannels(t *testing.T) {
	auto := func(c *sds.Config) { c.AutoOpenChannels = true }
	alice, bob := open(t, "alice", auto), open(t, "bob", auto)
	u := unwrap(t, bob, wrap(t, alice, "m", epoch).Data, epoch)
	if u.Disposition != sds.DispositionDelivered || !slices.Equal(must[[]string](t)(bob.Channels()), []string{channel}) {
		t.Errorf("%+v", u)
	}
}
