package main

import (
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/status-im/sds-rs/go-bindings/internal/transcript"
	"github.com/status-im/sds-rs/go-bindings/sds"
)

//go:embed transcript.txt
var ownTranscript string

type options struct {
	loss, duplicate, reorder float64
	seed                     uint64
	speed                    float64
	profile                  sds.Profile
	// history is how many message ids each message names.
	history    int
	store      bool
	plain      bool
	transcript *transcript.Transcript
}

// What the demo is up to, as measured with its own transcript over many seeds.
//
// A message is named by some that follow, each of which names the last few that its sender had. Who receives neither a
// message nor one that names it never learns that it misses it. With 3 names, the default, that happened to somebody in
// none of 32 runs with a loss of 0.3, in 4 of 30 with 0.4, in 4 of 6 with 0.5 and in all of 12 with 0.6; with 10, in none of
// 18 with 0.4 to 0.8. They double the bytes.
//
// Without a store messages wait for minutes, so that those sent meanwhile name older ones: with 3 names, 4 of 6 runs failed
// at a loss of 0.2. And a request and its answer, each of which may be lost, take minutes too, as RFC 109 has it: the default
// patience of ten minutes was over before some were answered, at 0.3 in 5 of 22 runs.
const (
	maxLoss       = 0.8
	maxLossAlone  = 0.3 // without a store
	defaultsLoss  = 0.3
	longHistory   = 10
	patienceAlone = time.Hour
)

// errUsage was told already.
var errUsage = errors.New("usage")

func parseOptions(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("sds-demo", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintln(stderr, "Usage: sds-demo [flags]\n\nReplays a chat over UDP sockets that lose packets, and compares all logs at the end.\n\nFlags:")
		flags.PrintDefaults()
	}
	flags.Float64Var(&o.loss, "loss", 0.2, "share of packets dropped on each link, 0 to 0.8; 0 to 0.3 with -store=false")
	flags.Float64Var(&o.duplicate, "duplicate", 0.05, "share of packets that arrive twice, 0 to 0.9")
	flags.Float64Var(&o.reorder, "reorder", 0.1, "share of packets held up until others overtake them, 0 to 0.9")
	flags.Uint64Var(&o.seed, "seed", 1, "decides which packets are dropped, duplicated and held up")
	flags.Float64Var(&o.speed, "speed", 0, "how much faster than the wall clock time runs, 0.1 to 10000; 0: so that the run ends within a minute")
	file := flags.String("file", "", "transcript to replay, lines \"speaker: line\" (default: one of ours)")
	profile := flags.String("profile", "libsds", "wire format: libsds, or rfc with its fixed filter of 18.7 kB")
	flags.IntVar(&o.history, "history", 0, "messages that each message names, 1 to 1000; if few are named and many lost, gaps go unnoticed.\n"+
		"0: the default of the library, 3, up to a loss of 0.3; 10 beyond, and with -store=false")
	flags.BoolVar(&o.store, "store", true, "a store has all messages to fetch; -store=false: resends and repair among members (SDS-R) only,\n"+
		"which takes minutes rather than seconds; missing messages are then waited for up to an hour")
	flags.BoolVar(&o.plain, "plain", false, "print plain lines even on a terminal")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return o, err
	case err != nil:
		return o, errUsage
	case flags.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q; see -help", flags.Arg(0))
	}
	if !o.store && o.loss > maxLossAlone && o.loss <= maxLoss {
		return o, fmt.Errorf("-loss is %v; without a store it must be 0 to %v: requests and answers among members are lost "+
			"like everything else, and take minutes each", o.loss, maxLossAlone)
	}
	for _, rate := range []struct {
		name       string
		value, max float64
		why        string
	}{
		{"loss", o.loss, maxLoss, ": with more, chance decides whether everything arrives within an hour"},
		{"duplicate", o.duplicate, 0.9, ""},
		{"reorder", o.reorder, 0.9, ""},
	} {
		if !(rate.value >= 0 && rate.value <= rate.max) { // also refuses what is not a number
			return o, fmt.Errorf("-%s is %v; it must be 0 to %v%s", rate.name, rate.value, rate.max, rate.why)
		}
	}
	switch {
	case o.history < 0 || o.history > 1_000:
		return o, fmt.Errorf("-history is %d; it must be 1 to 1000, or 0", o.history)
	case o.history == 0 && o.loss <= defaultsLoss && o.store:
		o.history = sds.DefaultConfig().CausalHistorySize
	case o.history == 0:
		o.history = longHistory
	}
	if o.speed != 0 && !(o.speed >= 0.1 && o.speed <= 10_000) {
		return o, fmt.Errorf("-speed is %v; it must be 0.1 to 10000, or 0", o.speed)
	}
	switch *profile {
	case "libsds":
		o.profile = sds.ProfileLibsds
	case "rfc":
		o.profile = sds.ProfileRFC
	default:
		return o, fmt.Errorf("-profile is %q; it must be libsds or rfc", *profile)
	}
	var err error
	o.transcript, err = readTranscript(*file)
	return o, err
}

func readTranscript(path string) (*transcript.Transcript, error) {
	if path == "" {
		return transcript.Parse(strings.NewReader(ownTranscript), "transcript.txt")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("the transcript: %w", err)
	}
	defer file.Close()
	return transcript.Parse(file, path)
}
