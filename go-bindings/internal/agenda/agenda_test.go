package agenda

import (
	"reflect"
	"testing"
	"time"
)

func TestQueue(t *testing.T) {
	start := time.UnixMilli(0)
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	var q Queue[string]
	q.Push(at(30), "c")
	q.Push(at(10), "a")
	q.Push(at(20), "b1")
	q.Push(at(20), "b2")
	if due, ok := q.Next(); !ok || !due.Equal(at(10)) {
		t.Fatalf("next is due at %v", due)
	}
	var got []string
	for {
		value, ok := q.Pop(at(20))
		if !ok {
			break
		}
		got = append(got, value)
	}
	if !reflect.DeepEqual(got, []string{"a", "b1", "b2"}) || q.Len() != 1 {
		t.Fatalf("got %v, %d left", got, q.Len())
	}
}
