// Command sds-demo replays a chat among several participants over UDP on loopback, on a network that drops, duplicates
// and reorders packets, and shows how everybody ends up with the same log.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr, hooks{})
	stop()
	os.Exit(status)
}
