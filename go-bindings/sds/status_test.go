package sds

import "testing"

// The texts here are those of the library, so that both sides of the boundary speak alike.
func TestStatusTexts(t *testing.T) {
	for i := range len(statusTexts) {
		if text := cStatusText(Status(i)); text != statusTexts[i] {
			t.Errorf("%d: the library says %q, this package %q", i, text, statusTexts[i])
		}
	}
	if cStatusText(Status(len(statusTexts))) != "unknown status" {
		t.Error("the library knows a status that this package does not")
	}
}
