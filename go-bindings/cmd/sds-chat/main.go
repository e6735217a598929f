// Command sds-chat is a chat among the terminals of one machine, over UDP on loopback.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"os/user"
	"syscall"

	"github.com/status-im/sds-rs/go-bindings/internal/chat"
	"github.com/status-im/sds-rs/go-bindings/internal/ui"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "sds-chat:", err)
		os.Exit(1)
	}
}

// errUsage was told already.
var errUsage = errors.New("usage")

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	var options chat.Options
	flags := flag.NewFlagSet("sds-chat", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintln(stderr, "Usage: sds-chat [flags]\n\nChats with everybody who runs sds-chat in another terminal of this machine.\n\nFlags:")
		flags.PrintDefaults()
	}
	flags.StringVar(&options.Name, "name", "", "what others see (default: your user name)")
	flags.StringVar(&options.Room, "room", "lobby", "who is in the same room sees each other")
	flags.Float64Var(&options.Loss, "loss", 0, "share of our packets dropped on their way to each other participant, 0 to 0.9")
	plain := flags.Bool("plain", false, "print plain lines even on a terminal")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return err
	case err != nil:
		return errUsage
	case flags.NArg() > 0:
		return fmt.Errorf("unexpected argument %q; see -help", flags.Arg(0))
	}
	if options.Name == "" {
		options.Name = userName()
	}
	session, err := chat.New(options)
	if err != nil {
		return err
	}
	if !*plain && ui.IsTerminal(stdin) && ui.IsTerminal(stdout) {
		live, err := ui.OpenLive()
		if err == nil {
			return session.Live(ctx, live)
		}
		fmt.Fprintf(stderr, "sds-chat: no picture on this terminal (%v): plain lines\n", err)
	}
	return session.Plain(ctx, stdin, stdout)
}

func userName() string {
	if me, err := user.Current(); err == nil && me.Username != "" {
		return me.Username
	}
	return "somebody"
}
