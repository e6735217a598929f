package sds

import (
	"errors"
	"runtime"
	"testing"
	"unsafe"
)

// A manager that was forgotten is closed when the garbage collector finds it.
func TestForgottenManagerIsClosed(t *testing.T) {
	forgotten := func() handle {
		m, err := Open(DefaultConfig())
		if err != nil {
			t.Fatal(err)
		}
		return m.handle
	}()
	for range 1000 {
		runtime.GC()
		if _, _, err := cNextDeadline(forgotten); errors.Is(err, ErrClosed) {
			return
		}
		runtime.Gosched()
	}
	t.Error("it is still open")
}

// A buffer that once was huge does not stay so, and one of usual size stays.
func TestScratchIsCapped(t *testing.T) {
	s := getScratch()
	if err := cUnwrapIncoming(0, nil, 0, s); !errors.Is(err, ErrInvalidHandle) {
		t.Fatal(err)
	}
	m, err := Open(DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for _, size := range []int{10_000, 1 << 20} {
		_ = cUnwrapIncoming(m.handle, make([]byte, size), 0, s)
		grown := int(s.c.out.capacity)
		if grown < size {
			t.Fatalf("%d bytes of room for a message of %d", grown, size)
		}
		s.put()
		if kept := int(s.c.out.capacity); kept > keepCapacity || grown <= keepCapacity && kept != grown {
			t.Errorf("%d bytes are kept of %d", kept, grown)
		}
		s = getScratch()
	}
	s.put()
	if unsafe.Sizeof(*s.c) > 1024 {
		t.Errorf("a scratch of %d bytes", unsafe.Sizeof(*s.c))
	}
}
