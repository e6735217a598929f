// Package parity has an erasure code for the segments of package reliable: Reed-Solomon as Leopard encodes it, which the
// specification of segments (LIP 243) names.
package parity

import (
	"fmt"
	"math/bits"

	"github.com/klauspost/reedsolomon"
)

// ReedSolomon is a reliable.ErasureCode. It may be used from any goroutine.
type ReedSolomon struct{}

// Encode returns parity shards for data shards.
func (ReedSolomon) Encode(data [][]byte, parity int) ([][]byte, error) {
	if len(data) == 0 {
		return nil, fmt.Errorf("parity: no data")
	}
	code, err := newCode(len(data), parity)
	if err != nil {
		return nil, err
	}
	shards := make([][]byte, len(data)+parity)
	copy(shards, data)
	for i := range parity {
		shards[len(data)+i] = make([]byte, len(data[0]))
	}
	if err := code.Encode(shards); err != nil {
		return nil, err
	}
	return shards[len(data):], nil
}

// Reconstruct fills in the data shards that are nil.
func (ReedSolomon) Reconstruct(shards [][]byte, data int) error {
	if data < 1 || data >= len(shards) {
		return fmt.Errorf("parity: %d of %d shards are data", data, len(shards))
	}
	code, err := newCode(data, len(shards)-data)
	if err != nil {
		return err
	}
	return code.ReconstructData(shards)
}

// newCode makes the code for so many shards. As Leopard does, it takes the small field if the numbers, rounded up, fit in.
func newCode(data, parity int) (reedsolomon.Encoder, error) {
	if data < 1 || parity < 1 {
		return nil, fmt.Errorf("parity: %d data and %d parity shards", data, parity)
	}
	field := reedsolomon.WithLeopardGF16(true)
	if powerOfTwo(powerOfTwo(parity)+data) <= 256 {
		field = reedsolomon.WithLeopardGF(true)
	}
	// One goroutine: it is called under the lock of a client.
	return reedsolomon.New(data, parity, field, reedsolomon.WithMaxGoroutines(1))
}

func powerOfTwo(n int) int { return 1 << bits.Len(uint(n-1)) }
