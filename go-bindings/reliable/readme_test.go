//go:build go1.25

package reliable_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/status-im/sds-rs/go-bindings/internal/lossy"
	"github.com/status-im/sds-rs/go-bindings/internal/memnet"
	"github.com/status-im/sds-rs/go-bindings/reliable"
)

// What the README quotes does what it says.
func TestReadme(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New(1, lossy.Options{})
		bob, err := reliable.CreateReliableChannel(
			network.Node("bob"), "garden", "/my-app/1/garden/proto", "bob-laptop", nil)
		check(t, err)
		r := read(bob)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		check(t, garden(ctx, network.Node("alice")))
		if r.count("received") != 1 {
			t.Errorf("%v", r.names)
		}
		check(t, bob.Close())
	})
}
