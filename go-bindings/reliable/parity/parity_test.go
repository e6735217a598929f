package parity

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/status-im/sds-rs/go-bindings/reliable"
)

var _ reliable.ErasureCode = ReedSolomon{}

// Any so many shards as there are data shards bring all of them back: also for numbers at which Leopard changes its field.
func TestAnyShardsBringTheDataBack(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct{ data, parity int }{
		{1, 1}, {2, 1}, {3, 2}, {10, 9}, {127, 128}, {128, 127}, {224, 32}, {227, 29}, {240, 16}, {255, 1}, {300, 40},
	} {
		shards := make([][]byte, c.data)
		for i := range shards {
			shards[i] = make([]byte, 128)
			for j := range shards[i] {
				shards[i][j] = byte(random.Uint32())
			}
		}
		parity, err := ReedSolomon{}.Encode(shards, c.parity)
		if err != nil || len(parity) != c.parity {
			t.Fatalf("%+v: %d shards, %v", c, len(parity), err)
		}
		for range 5 {
			some := append(append([][]byte(nil), shards...), parity...)
			for _, lost := range random.Perm(len(some))[:c.parity] {
				some[lost] = nil
			}
			if err := (ReedSolomon{}).Reconstruct(some, c.data); err != nil {
				t.Fatalf("%+v: %v", c, err)
			}
			for i := range shards {
				if !bytes.Equal(some[i], shards[i]) {
					t.Fatalf("%+v: shard %d is another", c, i)
				}
			}
		}
	}
}

func TestWhatIsNoCodeIsRefused(t *testing.T) {
	if _, err := (ReedSolomon{}).Encode(nil, 1); err == nil {
		t.Error("no data")
	}
	if _, err := (ReedSolomon{}).Encode([][]byte{make([]byte, 64)}, 0); err == nil {
		t.Error("no parity")
	}
	if _, err := (ReedSolomon{}).Encode([][]byte{make([]byte, 65)}, 1); err == nil {
		t.Error("an odd length")
	}
	for _, data := range []int{0, 2, 3} {
		if err := (ReedSolomon{}).Reconstruct([][]byte{make([]byte, 64), nil}, data); err == nil {
			t.Errorf("%d of 2 are data", data)
		}
	}
	if err := (ReedSolomon{}).Reconstruct([][]byte{nil, nil, make([]byte, 64)}, 2); err == nil {
		t.Error("too few")
	}
}
