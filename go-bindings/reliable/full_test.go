//go:build linux

package reliable

import (
	"errors"
	"fmt"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

// fullDisk lets no file of this process grow beyond so many bytes, until it is called off.
func fullDisk(t *testing.T, bytes uint64) (callOff func()) {
	var before syscall.Rlimit
	check(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before))
	signal.Ignore(syscall.SIGXFSZ)
	check(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: bytes, Max: before.Max}))
	return func() {
		check(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before))
		signal.Reset(syscall.SIGXFSZ)
	}
}

// Bytes that a store has no room for are handed in again, not lost; and it is told, once.
func TestADiskThatIsFull(t *testing.T) {
	w := newWorld(t)
	config := simConfig("ada")
	config.StorePath = filepath.Join(t.TempDir(), "ada")
	ada, bo := w.join("ada", config, ChannelOptions{}), w.simple("bo")
	bo.say("before")
	w.until(time.Minute, "received", func() bool { return ada.count("received") == 1 })
	callOff := fullDisk(t, 1)
	defer func() { callOff() }()
	for i := range 10 {
		bo.say(fmt.Sprint(i))
		w.run(100 * time.Millisecond)
	}
	if _, err := ada.trySay([]byte("mine")); !errors.Is(err, sds.ErrStoreFailed) {
		t.Error(err)
	}
	w.run(20 * time.Second)
	if len(ada.ch.held) == 0 || len(ada.payloads()) != 1 || ada.count("problem") != 1 {
		t.Errorf("%d held, %d received, %v", len(ada.ch.held), len(ada.payloads()), ada.names())
	}
	callOff()
	w.until(10*time.Minute, "all there", func() bool { return len(ada.payloads()) == 11 })
	id := ada.say("mine after all")
	w.until(10*time.Minute, "delivered", func() bool { return ada.count("delivered") >= 1 })
	if got := ada.find("delivered"); got[len(got)-1].(Delivered).RequestID != id {
		t.Errorf("%+v", got)
	}
}
