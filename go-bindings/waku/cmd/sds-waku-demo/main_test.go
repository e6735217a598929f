package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestSpeed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "chat.txt")
	if err := os.WriteFile(file, []byte("ann: hi\nben: hey\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if o, err := parse([]string{"-file", file, "-speed", "200"}); err != nil || o.speed != 200 {
		t.Errorf("speed %v, %v", o.speed, err)
	}
	for _, speed := range []string{"-1", "0.01", "10001", "NaN"} {
		if _, err := parse([]string{"-file", file, "-speed", speed}); err == nil {
			t.Errorf("a speed of %s is taken", speed)
		}
	}
}
