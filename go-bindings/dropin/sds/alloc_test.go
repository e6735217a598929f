//go:build go1.25 && !race

package sds_test

import (
	"math"
	"testing"
)

// A call allocates what it returns, and twice besides at most. (The race detector allocates on its own.) What the goroutine
// of the manager allocates meanwhile counts, too.
func TestAllocations(t *testing.T) {
	for _, row := range []struct {
		name  string
		round func(testing.TB, int) costs
	}{{"wrap", wrapRound}, {"unwrap", unwrapRound}} {
		least := math.MaxFloat64
		for range 3 { // the first calls make memory that later ones use again
			least = min(least, row.round(t, shortHistory).allocs)
		}
		// The returned bytes, two more, and now and then memory that is used again later.
		if least > 3.1 {
			t.Errorf("%s: %.2f allocations", row.name, least)
		}
	}
}
