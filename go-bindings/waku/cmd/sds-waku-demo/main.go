// Command sds-waku-demo replays a chat among several participants, each on a go-waku node of its own, that lose a share of
// what is relayed, with a store node beside them, and compares the logs of all of them at the end.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/status-im/sds-rs/go-bindings/internal/transcript"
)

type options struct {
	loss       float64
	seed       uint64
	speed      float64
	store      bool
	patience   time.Duration
	transcript *transcript.Transcript
}

func main() {
	o, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		err = run(ctx, o, os.Stdout)
		stop()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "sds-waku-demo:", err)
		os.Exit(1)
	}
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("sds-waku-demo", flag.ContinueOnError)
	flags.Float64Var(&o.loss, "loss", 0.2, "share of relayed messages that each participant loses, 0 to 0.5")
	flags.Uint64Var(&o.seed, "seed", 1, "decides which are lost, and the pace of the chat")
	flags.Float64Var(&o.speed, "speed", 0, "how much faster than people everybody types, 0.1 to 10000; all else takes the time that it takes.\n"+
		"0: so that the last line is typed within a minute")
	flags.BoolVar(&o.store, "store", true, "a store node has all messages to fetch; -store=false: resends and repair among members only")
	flags.DurationVar(&o.patience, "patience", 3*time.Minute, "after the last line, how long until everybody must have everything")
	file := flags.String("file", "", "transcript to replay, lines \"speaker: line\" (required)")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if !(o.loss >= 0 && o.loss <= 0.5) {
		return o, fmt.Errorf("-loss is %v; it must be 0 to 0.5", o.loss)
	}
	if o.speed != 0 && !(o.speed >= 0.1 && o.speed <= 10_000) {
		return o, fmt.Errorf("-speed is %v; it must be 0.1 to 10000, or 0", o.speed)
	}
	text, err := os.Open(*file)
	if err != nil {
		return o, fmt.Errorf("the transcript: %w", err)
	}
	defer text.Close()
	o.transcript, err = transcript.Parse(text, *file)
	return o, err
}

// run is the program.
func run(ctx context.Context, o options, w io.Writer) error {
	plan := o.transcript.Schedule(o.seed, o.speed)
	fmt.Fprintf(w, "sds-waku-demo: %d messages, %d go-waku nodes on loopback, loss %.0f %%, speed %.4g, store %v\n",
		len(o.transcript.Lines), len(o.transcript.Speakers), 100*o.loss, plan.Speed, o.store)
	chat, err := open(ctx, o, w)
	if err != nil {
		return err
	}
	defer chat.close()
	start := time.Now()
	for i, line := range o.transcript.Lines {
		at := start.Add(time.Duration(float64(plan.At[i]) / plan.Speed))
		if err := wait(ctx, time.Until(at)); err != nil {
			return err
		}
		if err := chat.say(line); err != nil {
			return err
		}
	}
	if err := chat.settle(ctx, o.patience); err != nil {
		return err
	}
	return chat.report(w)
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return errors.New("interrupted")
	case <-time.After(d):
		return nil
	}
}
