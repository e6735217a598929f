package packetstore

import (
	"bytes"
	"fmt"
	"testing"
)

func TestStore(t *testing.T) {
	s := New(3)
	var hints [][]byte
	for i := range 4 {
		packet := fmt.Appendf(nil, "packet %d", i)
		hint := s.Put(packet)
		if !bytes.Equal(hint, Hint(packet)) || !bytes.Equal(s.Get(hint), packet) {
			t.Fatalf("packet %d is not there under its hash", i)
		}
		s.Put(packet) // again: counts once
		hints = append(hints, hint)
	}
	if s.Get(hints[0]) != nil || s.Get(hints[1]) == nil {
		t.Fatal("the oldest leaves first, and only when there are too many")
	}
	if s.Get(nil) != nil || s.Get([]byte("short")) != nil {
		t.Fatal("a broken hint finds nothing")
	}
}

func TestServiceFailsAsItsSeedSays(t *testing.T) {
	store := New(1)
	hint := store.Put([]byte("packet"))
	const n = 2_000
	a, b := NewService(store, 1, 0.25), NewService(store, 1, 0.25)
	failed := 0
	for range n {
		packet, takes := a.Ask(hint)
		again, takesAgain := b.Ask(hint)
		if !bytes.Equal(packet, again) || takes != takesAgain {
			t.Fatal("the same seed answered otherwise")
		}
		if packet == nil {
			failed++
		}
	}
	if failed < n/5 || failed > n*3/10 {
		t.Fatalf("%d of %d failed, want a quarter", failed, n)
	}
	if packet, _ := NewService(store, 1, 0).Ask(Hint([]byte("another"))); packet != nil {
		t.Fatal("found what nobody put there")
	}
}
