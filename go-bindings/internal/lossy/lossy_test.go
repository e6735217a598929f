package lossy

import (
	"reflect"
	"testing"
	"time"
)

var bad = Options{Loss: 0.2, Duplicate: 0.05, Reorder: 0.1,
	MinDelay: 10 * time.Millisecond, MaxDelay: 50 * time.Millisecond, HeldUp: time.Second}

func fates(seed uint64, from, to string, options Options, n int) []Fate {
	link := NewLink(seed, from, to, options)
	all := make([]Fate, n)
	for i := range all {
		all[i] = link.Next()
	}
	return all
}

func TestSameSeedSameFate(t *testing.T) {
	first := fates(7, "ada", "bo", bad, 500)
	if !reflect.DeepEqual(first, fates(7, "ada", "bo", bad, 500)) {
		t.Fatal("the same seed decided otherwise")
	}
	for name, other := range map[string][]Fate{
		"seed": fates(8, "ada", "bo", bad, 500), "sender": fates(7, "cy", "bo", bad, 500),
		"receiver": fates(7, "ada", "cy", bad, 500), "direction": fates(7, "bo", "ada", bad, 500),
	} {
		if reflect.DeepEqual(first, other) {
			t.Errorf("another %s decided the same", name)
		}
	}
}

func TestMoreLossDropsMoreOfTheSame(t *testing.T) {
	worse := bad
	worse.Loss = 0.4
	a, b := fates(7, "ada", "bo", bad, 500), fates(7, "ada", "bo", worse, 500)
	for i := range a {
		if len(a[i].Delays) == 0 && len(b[i].Delays) != 0 {
			t.Fatalf("packet %d is dropped at 20 %% and not at 40 %%", i)
		}
	}
}

func TestRates(t *testing.T) {
	const n = 20_000
	dropped, duplicated, held := 0, 0, 0
	for _, fate := range fates(1, "ada", "bo", bad, n) {
		switch len(fate.Delays) {
		case 0:
			dropped++
		case 2:
			duplicated++
		}
		if fate.HeldUp {
			held++
		}
		for _, delay := range fate.Delays {
			if delay < bad.MinDelay || delay > bad.MaxDelay+bad.HeldUp {
				t.Fatalf("delay %v", delay)
			}
		}
	}
	near := func(name string, got int, want float64) {
		if share := float64(got) / n; share < want*0.9 || share > want*1.1 {
			t.Errorf("%s: %.4f, want about %.4f", name, share, want)
		}
	}
	near("dropped", dropped, 0.2)
	near("duplicated", duplicated, 0.8*0.05)
	near("held up", held, 0.8*0.1)
}

func TestGoodNetworkDeliversAllOnce(t *testing.T) {
	for _, fate := range fates(1, "ada", "bo", Options{MinDelay: time.Millisecond, MaxDelay: time.Millisecond}, 1_000) {
		if len(fate.Delays) != 1 || fate.Delays[0] != time.Millisecond || fate.HeldUp {
			t.Fatalf("got %+v", fate)
		}
	}
}
