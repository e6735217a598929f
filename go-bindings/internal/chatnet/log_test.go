package chatnet

import (
	"slices"
	"testing"
)

// The order is that of the dump, whatever the timestamps say.
func TestParseLogDoesNotSort(t *testing.T) {
	log, err := parseLog([]byte(`{"channel_id":"c","log_latest_first":[[5,"b"],[18446744073709551615,"c"],[1,"a"]]}`))
	want := []Logline{{1, "a"}, {18446744073709551615, "c"}, {5, "b"}}
	if err != nil || !slices.Equal(log, want) {
		t.Errorf("%v, %v", log, err)
	}
	for _, dump := range []string{`{}`, `{"log_latest_first":[["x","y"]]}`, `no JSON`} {
		if log, err := parseLog([]byte(dump)); err == nil {
			t.Errorf("%s: %v", dump, log)
		}
	}
}
