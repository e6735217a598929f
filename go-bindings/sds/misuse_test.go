package sds_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

// calls are all methods, with arguments that are fine on a manager whose channel is open.
var calls = map[string]func(m *sds.Manager) error{
	"Reset":          func(m *sds.Manager) error { return m.Reset() },
	"SetOnline":      func(m *sds.Manager) error { return m.SetOnline(true, epoch) },
	"OpenChannel":    func(m *sds.Manager) error { return m.OpenChannel("new", sds.ChannelOptions{}, epoch) },
	"CloseChannel":   func(m *sds.Manager) error { return m.CloseChannel(channel) },
	"ForgetChannel":  func(m *sds.Manager) error { return m.ForgetChannel(channel) },
	"Channels":       func(m *sds.Manager) error { _, err := m.Channels(); return err },
	"ChannelStatus":  func(m *sds.Manager) error { _, err := m.ChannelStatus(channel); return err },
	"DumpChannel":    func(m *sds.Manager) error { _, err := m.DumpChannel(channel); return err },
	"WrapOutgoing":   func(m *sds.Manager) error { _, err := m.WrapOutgoing(channel, "", []byte("x"), epoch); return err },
	"WrapEphemeral":  func(m *sds.Manager) error { _, err := m.WrapEphemeral(channel, "", []byte("x"), epoch); return err },
	"UnwrapIncoming": func(m *sds.Manager) error { _, err := m.UnwrapIncoming(message, epoch); return err },
	"UnwrapBatch":    func(m *sds.Manager) error { _, err := m.UnwrapIncomingBatch([][]byte{message}, epoch); return err },
	"MarkMet":        func(m *sds.Manager) error { return m.MarkDependenciesMet(channel, []sds.MessageID{"x"}, epoch) },
	"SetHint":        func(m *sds.Manager) error { return m.SetRetrievalHint(channel, "m", []byte("x")) },
	"Missing":        func(m *sds.Manager) error { _, err := m.Missing(channel); return err },
	"NextHistory":    func(m *sds.Manager) error { _, err := m.NextHistory(channel); return err },
	"ProvideHints":   func(m *sds.Manager) error { return m.ProvideHints(channel, func(sds.MessageID) []byte { return nil }) },
	"Tick":           func(m *sds.Manager) error { return m.Tick(epoch) },
	"NextDeadline":   func(m *sds.Manager) error { _, _, err := m.NextDeadline(); return err },
	"Drain":          func(m *sds.Manager) error { _, err := m.Drain(); return err },
	"MessageStatus":  func(m *sds.Manager) error { _, err := m.MessageStatus(channel, "m"); return err },
	"Retry":          func(m *sds.Manager) error { return m.Retry(channel, "m", epoch) },
	"Cancel":         func(m *sds.Manager) error { return m.Cancel(channel, "m", epoch) },
	"Run":            func(m *sds.Manager) error { return m.Run(context.Background(), func(sds.Output) {}) },
}

// message is an SDS message for the channel of the tests.
var message = func() []byte {
	m, err := sds.Open(sds.DefaultConfig())
	if err != nil {
		panic(err)
	}
	defer m.Close()
	if err := m.OpenChannel(channel, sds.ChannelOptions{}, epoch); err != nil {
		panic(err)
	}
	wrapped, err := m.WrapOutgoing(channel, "from a stranger", []byte("content"), epoch)
	if err != nil {
		panic(err)
	}
	return wrapped.Data
}()

// refused checks the status of an error, and that both ways of asking for it work.
func refused(t *testing.T, what string, err error, want sds.Status) {
	t.Helper()
	var failure *sds.Error
	if !errors.Is(err, want) || !errors.As(err, &failure) || failure.Status != want || failure.Detail == "" {
		t.Errorf("%s: %v (%#v), want %v", what, err, failure, want)
	}
}

func TestClosedNilAndZeroManagers(t *testing.T) {
	closed := must[*sds.Manager](t)(sds.Open(sds.DefaultConfig()))
	check(t, closed.Close())
	check(t, closed.Close())
	for name, call := range calls {
		refused(t, name+" of a closed manager", call(closed), sds.ErrClosed)
		refused(t, name+" of a nil manager", call(nil), sds.ErrInvalidHandle)
		refused(t, name+" of a zero manager", call(&sds.Manager{}), sds.ErrInvalidHandle)
	}
	refused(t, "Close of a nil manager", (*sds.Manager)(nil).Close(), sds.ErrInvalidHandle)
	refused(t, "Close of a zero manager", (&sds.Manager{}).Close(), sds.ErrInvalidHandle)
}

func TestUnknownChannel(t *testing.T) {
	for name, call := range calls {
		switch name {
		case "Reset", "SetOnline", "OpenChannel", "Channels", "UnwrapBatch", "Tick", "NextDeadline", "Drain", "Run":
			continue // concern no channel, or tell per message
		}
		err := call(open(t, "alice"))
		refused(t, name, err, sds.ErrUnknownChannel)
		if !strings.Contains(err.Error(), channel) {
			t.Errorf("%s: %v does not name the channel", name, err)
		}
	}
}

func TestConfigErrors(t *testing.T) {
	cases := []struct {
		field  string
		change func(c *sds.Config)
		want   sds.Status
	}{
		{"participant_id", func(c *sds.Config) { c.ParticipantID = sds.ParticipantID(strings.Repeat("x", 300)) }, sds.ErrInvalidConfig},
		{"participant_id", func(c *sds.Config) { c.ParticipantID = "\xff" }, sds.ErrNotUTF8},
		{"profile", func(c *sds.Config) { c.Profile = 9 }, sds.ErrInvalidArgument},
		{"causal_history_size", func(c *sds.Config) { c.CausalHistorySize = 0 }, sds.ErrInvalidConfig},
		{"causal_history_size", func(c *sds.Config) { c.CausalHistorySize = -1 }, sds.ErrInvalidConfig},
		{"resend_interval_ms", func(c *sds.Config) { c.ResendInterval = 5 }, sds.ErrInvalidConfig}, // 5 ns
		{"resend_interval_ms", func(c *sds.Config) { c.ResendInterval = -time.Second }, sds.ErrInvalidConfig},
		{"possibly_resend_interval_ms", func(c *sds.Config) { c.PossiblyResendInterval = time.Second }, sds.ErrInvalidConfig},
		{"max_resends", func(c *sds.Config) { c.MaxResends = 33 }, sds.ErrInvalidConfig},
		{"max_resends", func(c *sds.Config) { c.MaxResends = math.MaxInt }, sds.ErrInvalidConfig},
		{"resend_jitter_percent", func(c *sds.Config) { c.ResendJitterPercent = 101 }, sds.ErrInvalidConfig},
		{"bloom_error_rate", func(c *sds.Config) { c.BloomErrorRate = math.NaN() }, sds.ErrInvalidConfig},
		{"ack_false_positive", func(c *sds.Config) { c.AckFalsePositive = 0 }, sds.ErrInvalidConfig},
		{"sync_interval_max_ms", func(c *sds.Config) { c.SyncIntervalMax = time.Second }, sds.ErrInvalidConfig},
		{"max_id_bytes", func(c *sds.Config) { c.MaxIDBytes = 1 }, sds.ErrInvalidConfig},
		{"max_outputs", func(c *sds.Config) { c.MaxOutputs = 0 }, sds.ErrInvalidConfig},
		{"max_channels", func(c *sds.Config) { c.MaxChannels = 0 }, sds.ErrInvalidConfig},
	}
	for _, c := range cases {
		config := sds.DefaultConfig()
		c.change(&config)
		m, err := sds.Open(config)
		if m != nil {
			t.Errorf("%s: opened", c.field)
		}
		refused(t, c.field, err, c.want)
		if err != nil && !strings.Contains(err.Error(), c.field) {
			t.Errorf("%v does not name %s", err, c.field)
		}
	}
	if _, err := sds.Open(sds.Config{}); !errors.Is(err, sds.ErrInvalidConfig) {
		t.Errorf("the zero Config: %v", err)
	}
}

// The defaults arrive where they belong.
func TestConfigDefaults(t *testing.T) {
	c := sds.DefaultConfig()
	if c.ParticipantID != "" || c.Seed != nil || c.Profile != sds.ProfileRFC || c.AutoOpenChannels || c.SyncInLibsds ||
		c.CausalHistorySize != 3 || c.MaxClockDriftRFC != 10*time.Minute || c.MaxClockDriftLibsds != 7*24*time.Hour ||
		c.ClockStep != time.Minute || c.LogMessages != 1000 || c.LogBytes != 8<<20 || c.SeenLimit != 20_000 ||
		c.BloomCapacity != 10_000 || c.BloomErrorRate != 0.001 || c.AckWindow != 10*time.Minute ||
		c.AckFalsePositive != 1e-6 || c.ResendInterval != 5*time.Second || c.PossiblyResendInterval != 15*time.Second ||
		c.MaxResends != 5 || c.ResendJitterPercent != 20 || c.MaxUnacknowledged != 10_000 || c.MaxUnacknowledgedBytes != 256<<20 ||
		c.DependencyTimeout != 10*time.Minute || c.SyncInterval != 30*time.Second || c.SyncIntervalMax != 30*time.Minute ||
		c.SyncConfirm != 2*time.Second || c.MaxMessageBytes != 1<<20 || c.MaxIDBytes != 256 || c.MaxOutputs != 65_536 || c.MaxOutputBytes != 64<<20 ||
		!c.Repair || c.RepairTMin != 30*time.Second || c.RepairTMax != 2*time.Minute || c.NumParticipants != 100 ||
		c.RepairRequestSize != 3 || c.RepairRequestInterval != 5*time.Second || c.MaxRepairAnswers != 256 || c.RepairWindow != time.Hour ||
		c.RepairAnswersPerMinute != 64 || c.RepairBytesPerMinute != 2<<20 {
		t.Errorf("%+v", c)
	}
}

// Every number is guarded, under its own name: -1 would be a huge count to C.
func TestConfigNegative(t *testing.T) {
	fields := reflect.TypeFor[sds.Config]()
	for i := range fields.NumField() {
		config := sds.DefaultConfig()
		field := fields.Field(i)
		want := inC(field.Name)
		switch value := reflect.ValueOf(&config).Elem().Field(i); value.Interface().(type) {
		case int:
			value.SetInt(-1)
		case time.Duration:
			value.SetInt(-int64(time.Second))
			want += "_ms"
		case float64:
			value.SetFloat(-1)
		default:
			continue
		}
		_, err := sds.Open(config)
		refused(t, field.Name, err, sds.ErrInvalidConfig)
		if err != nil && !strings.Contains(err.Error(), " "+want+": ") {
			t.Errorf("%v does not name %s", err, want)
		}
	}
}

// inC is the name of a field in the header: MaxIDBytes is max_id_bytes.
func inC(name string) string {
	for _, word := range []string{"RFC", "ID"} {
		name = strings.ReplaceAll(name, word, word[:1]+strings.ToLower(word[1:]))
	}
	var b strings.Builder
	for i, letter := range name {
		if unicode.IsUpper(letter) && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(letter))
	}
	return b.String()
}

func TestRefusals(t *testing.T) {
	long := strings.Repeat("x", 257)
	config := func(change func(*sds.Config)) *sds.Manager {
		return openIn(t, "alice", channel, sds.ChannelOptions{}, change)
	}
	usual := config(func(*sds.Config) {})
	wrap(t, usual, "m", epoch)

	_, err := usual.WrapOutgoing(channel, "m", []byte("other content"), epoch)
	refused(t, "id reuse", err, sds.ErrIDReused)
	_, err = usual.WrapOutgoing(channel, "empty", nil, epoch)
	refused(t, "no content", err, sds.ErrEmptyContent)
	_, err = usual.WrapEphemeral(channel, "empty", []byte{}, epoch)
	refused(t, "no ephemeral content", err, sds.ErrEmptyContent)
	_, err = usual.WrapOutgoing(channel, sds.MessageID(long), []byte("x"), epoch)
	refused(t, "long message id", err, sds.ErrInvalidID)
	_, err = usual.WrapOutgoing(channel, "\xff", []byte("x"), epoch)
	refused(t, "message id not UTF-8", err, sds.ErrNotUTF8)
	_, err = usual.WrapOutgoing("\xff", "id", []byte("x"), epoch)
	refused(t, "channel id not UTF-8", err, sds.ErrNotUTF8)
	_, err = usual.WrapOutgoing("", "id", []byte("x"), epoch)
	refused(t, "wrap for no channel", err, sds.ErrInvalidID)
	_, err = usual.WrapOutgoing(channel, "big", make([]byte, 1<<20), epoch)
	refused(t, "oversized", err, sds.ErrTooLarge)
	refused(t, "no channel id", usual.OpenChannel("", sds.ChannelOptions{}, epoch), sds.ErrInvalidID)
	refused(t, "long channel id", usual.OpenChannel(long, sds.ChannelOptions{}, epoch), sds.ErrInvalidID)
	refused(t, "other options", usual.OpenChannel(channel, sds.ChannelOptions{FromNow: true}, epoch), sds.ErrChannelOptionsDiffer)
	refused(t, "unknown profile", usual.OpenChannel("new", sds.ChannelOptions{Profile: 77}, epoch), sds.ErrInvalidArgument)
	refused(t, "empty dependency", usual.MarkDependenciesMet(channel, []sds.MessageID{"a", ""}, epoch), sds.ErrInvalidID)
	refused(t, "dependency not UTF-8", usual.MarkDependenciesMet(channel, []sds.MessageID{"\xff"}, epoch), sds.ErrNotUTF8)
	refused(t, "hint for no id", usual.SetRetrievalHint(channel, "", []byte("x")), sds.ErrInvalidID)
	refused(t, "retry of no id", usual.Retry(channel, "", epoch), sds.ErrInvalidID)
	refused(t, "cancel of a long id", usual.Cancel(channel, sds.MessageID(long), epoch), sds.ErrInvalidID)
	refused(t, "close of a long id", usual.CloseChannel(long), sds.ErrInvalidID)
	refused(t, "hint for nothing", usual.SetRetrievalHint(channel, "?", []byte("x")), sds.ErrUnknownMessage)
	refused(t, "long hint", usual.SetRetrievalHint(channel, "m", make([]byte, 1025)), sds.ErrTooLarge)
	_, err = usual.MessageStatus(channel, "?")
	refused(t, "status of nothing", err, sds.ErrUnknownMessage)
	refused(t, "retry of nothing", usual.Retry(channel, "?", epoch), sds.ErrUnknownMessage)
	refused(t, "cancel of nothing", usual.Cancel(channel, "?", epoch), sds.ErrUnknownMessage)
	refused(t, "time before 1970", usual.Tick(time.Time{}), sds.ErrInvalidArgument)
	refused(t, "unknown log level", sds.SetLogLevel(99), sds.ErrInvalidArgument)
	refused(t, "run without handle", usual.Run(context.Background(), nil), sds.ErrInvalidArgument)

	one := config(func(c *sds.Config) { c.MaxChannels = 1 })
	refused(t, "one channel too many", one.OpenChannel("second", sds.ChannelOptions{}, epoch), sds.ErrTooManyChannels)

	_, err = config(libsds).WrapEphemeral(channel, "", []byte("x"), epoch)
	refused(t, "ephemeral in libsds", err, sds.ErrEphemeralUnsupported)

	derived := openIn(t, "alice", channel, sds.ChannelOptions{DerivedIDs: true})
	_, err = derived.WrapOutgoing(channel, "my own id", []byte("x"), epoch)
	refused(t, "id given where it is derived", err, sds.ErrIDMismatch)
	_, err = derived.UnwrapIncoming(message, epoch)
	refused(t, "id received where it is derived", err, sds.ErrIDMismatch)

	few := config(func(c *sds.Config) { c.MaxUnacknowledged = 2 })
	wrap(t, few, "a", epoch)
	wrap(t, few, "b", epoch)
	_, err = few.WrapOutgoing(channel, "c", []byte("x"), epoch)
	refused(t, "too many unacknowledged", err, sds.ErrTooManyUnacknowledged)
}

// Times that do not fit into milliseconds are refused: they would wrap around, the third of them to a time of our days.
func TestTimesTooFarAhead(t *testing.T) {
	const wrap = math.MaxUint64/1000 + 1
	alice := open(t, "alice")
	for _, seconds := range []int64{1 << 62, math.MaxInt64, wrap + 1_700_000_000, math.MaxInt64/1000 + 1, math.MaxInt64 / 1000} {
		far := time.Unix(seconds, 0)
		what := fmt.Sprintf("%d s (%d ms)", seconds, far.UnixMilli())
		refused(t, what, alice.Tick(far), sds.ErrInvalidArgument)
		refused(t, what, alice.OpenChannel(channel, sds.ChannelOptions{}, far), sds.ErrInvalidArgument)
		_, err := alice.WrapOutgoing(channel, "", []byte("x"), far)
		refused(t, what, err, sds.ErrInvalidArgument)
		if err != nil && !strings.Contains(err.Error(), fmt.Sprintf("now is too far ahead to count in milliseconds: %d s", seconds)) {
			t.Errorf("%s: %v", what, err)
		}
	}
	refused(t, "a moment before 1970", alice.Tick(time.Unix(0, -1)), sds.ErrInvalidArgument)
	check(t, alice.Tick(time.Unix(0, 0)))
	check(t, alice.Tick(time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC)))
}

func TestRefusedBytes(t *testing.T) {
	alice := openIn(t, "alice", channel, sds.ChannelOptions{})
	other := openIn(t, "bob", "elsewhere", sds.ChannelOptions{})
	stranger := must[sds.Wrapped](t)(other.WrapOutgoing("elsewhere", "", []byte("x"), epoch))
	cases := []struct {
		name string
		data []byte
		want sds.Status
	}{
		{"nothing", nil, sds.ErrNotSDS},
		{"empty", []byte{}, sds.ErrNotSDS},
		{"plain text", []byte("hello, world"), sds.ErrNotSDS},
		{"noise", []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, sds.ErrNotSDS},
		{"cut off", message[:len(message)-1], sds.ErrMalformed},
		{"oversized", make([]byte, 1<<20+1), sds.ErrTooLarge},
		{"another channel", stranger.Data, sds.ErrUnknownChannel},
	}
	before := must[sds.ChannelStatus](t)(alice.ChannelStatus(channel))
	for _, c := range cases {
		_, err := alice.UnwrapIncoming(c.data, epoch)
		refused(t, c.name, err, c.want)
		results := must[[]sds.UnwrapResult](t)(alice.UnwrapIncomingBatch([][]byte{c.data}, epoch))
		refused(t, c.name+" in a batch", results[0].Err, c.want)
		if c.want != sds.ErrUnknownChannel {
			_, err = sds.Inspect(c.data)
			refused(t, c.name+" inspected", err, c.want)
		}
	}
	if after := must[sds.ChannelStatus](t)(alice.ChannelStatus(channel)); after != before {
		t.Errorf("refused bytes changed something: %+v, before %+v", after, before)
	}
	// Any cut of a message is refused or, at a field's end, taken; nothing worse.
	for end := range message {
		_, _ = alice.UnwrapIncoming(message[:end], epoch)
	}
}

func TestOutputsFull(t *testing.T) {
	alice := openIn(t, "alice", channel, sds.ChannelOptions{}, func(c *sds.Config) { c.MaxOutputs = 16 })
	for i := range 40 {
		wrap(t, alice, sds.MessageID(fmt.Sprint(i)), epoch)
	}
	check(t, alice.OpenChannel("second", sds.ChannelOptions{}, epoch))
	must[sds.Wrapped](t)(alice.WrapOutgoing("second", "", []byte("x"), epoch))
	at, sent, full := after(6*time.Second), 0, false
	for range 100 {
		err := alice.Tick(at)
		if err != nil {
			refused(t, "tick", err, sds.ErrOutputsFull)
			full = true
			_, err = alice.UnwrapIncoming(message, at)
			refused(t, "unwrap", err, sds.ErrOutputsFull)
		}
		sent += len(outputs[sds.Transmit](t, alice))
		if err == nil {
			break
		}
	}
	if !full || sent != 41 {
		t.Errorf("full: %v, %d sent", full, sent)
	}
}

// An id that was sent is never free again, also when nothing but its hash is left.
func TestSentAndForgotten(t *testing.T) {
	alice := openIn(t, "alice", channel, sds.ChannelOptions{}, func(c *sds.Config) {
		c.MaxResends = 0
		c.MaxUnacknowledged = 2
		c.LogMessages = 3
	})
	for i := range 6 {
		now := after(time.Duration(i) * time.Minute)
		wrap(t, alice, sds.MessageID(fmt.Sprint(i)), now)
		check(t, alice.Tick(now.Add(50*time.Second)))
	}
	_, err := alice.WrapOutgoing(channel, "0", []byte("content of 0"), after(time.Hour))
	if !errors.Is(err, sds.ErrBytesGone) && !errors.Is(err, sds.ErrIDReused) {
		t.Errorf("%v", err)
	}
}

func TestErrorTexts(t *testing.T) {
	for status, want := range map[error]string{
		sds.ErrClosed:                     "sds: manager is closed",
		sds.Status(999):                   "sds: unknown status 999",
		sds.Status(-1):                    "sds: unknown status -1",
		&sds.Error{Status: sds.ErrNotSDS}: "sds: not an SDS message",
		&sds.Error{Status: sds.ErrNotSDS, Detail: "why"}: "sds: why",
	} {
		if status.Error() != want {
			t.Errorf("%q, not %q", status.Error(), want)
		}
	}
	for value, want := range map[fmt.Stringer]string{
		sds.ProfileLibsds: "libsds", sds.Profile(9): "profile 9", sds.DispositionLate: "late", sds.ReasonSync: "sync",
		sds.ReasonRepairRequest: "repair request", sds.ReasonRepairAnswer: "repair answer",
		sds.StateUnconfirmed: "unconfirmed", sds.KindContent: "content", sds.Kind(0): "kind 0", sds.FilterRefused: "refused",
		sds.LogDebug: "debug",
	} {
		if value.String() != want {
			t.Errorf("%q, not %q", value, want)
		}
	}
}

func TestVersions(t *testing.T) {
	if sds.Version() == "" || sds.ABIVersion() == 0 {
		t.Errorf("%q, %d", sds.Version(), sds.ABIVersion())
	}
	check(t, sds.SetLogLevel(sds.LogOff))
}
