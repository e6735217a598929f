package main

import (
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

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
	plain                    bool
	transcript               *transcript.Transcript
}

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
	flags.Float64Var(&o.loss, "loss", 0.2, "share of packets dropped on each link, 0 to 0.9")
	flags.Float64Var(&o.duplicate, "duplicate", 0.05, "share of packets that arrive twice, 0 to 0.9")
	flags.Float64Var(&o.reorder, "reorder", 0.1, "share of packets held up until others overtake them, 0 to 0.9")
	flags.Uint64Var(&o.seed, "seed", 1, "decides which packets are dropped, duplicated and held up")
	flags.Float64Var(&o.speed, "speed", 0, "how much faster than the wall clock time runs, 0.1 to 10000; 0: so that the run ends within a minute")
	file := flags.String("file", "", "transcript to replay, lines \"speaker: line\" (default: one of ours)")
	profile := flags.String("profile", "libsds", "wire format: libsds, or rfc with its fixed filter of 18.7 kB")
	flags.BoolVar(&o.plain, "plain", false, "print plain lines even on a terminal")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return o, err
	case err != nil:
		return o, errUsage
	case flags.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q; see -help", flags.Arg(0))
	}
	for _, rate := range []struct {
		name  string
		value float64
	}{{"loss", o.loss}, {"duplicate", o.duplicate}, {"reorder", o.reorder}} {
		if !(rate.value >= 0 && rate.value <= 0.9) { // also refuses what is not a number
			return o, fmt.Errorf("-%s is %v; it must be 0 to 0.9", rate.name, rate.value)
		}
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
