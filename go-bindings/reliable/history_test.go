//go:build go1.25

package reliable_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/status-im/sds-rs/go-bindings/internal/lossy"
	"github.com/status-im/sds-rs/go-bindings/internal/memnet"
	"github.com/status-im/sds-rs/go-bindings/reliable"
	"github.com/status-im/sds-rs/go-bindings/sds"
)

// An app that has a history, or gets messages in another way, says so: then they are not missing.
func TestWhatIsHereByOtherMeans(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New(1, lossy.Options{})
		network.SetStoreDown(true)
		ada := open(t, network.Node("ada"), reliable.DefaultConfig("ada"))
		defer ada.Close()
		says := mustChannel(t, ada, "room")
		var ids []reliable.RequestID
		for _, payload := range []string{"one", "two"} {
			id, err := says.Send([]byte(payload))
			check(t, err)
			ids = append(ids, id)
			time.Sleep(time.Second)
		}
		bo := open(t, network.Node("bo"), reliable.DefaultConfig("bo"))
		defer bo.Close()
		hears := create(t, bo, "room", reliable.ChannelOptions{})
		if hears.ID() != "room" {
			t.Error(hears.ID())
		}
		n, err := hears.SeedHistory([]sds.KnownMessage{{MessageID: sds.MessageID(ids[0]), Timestamp: uint64(time.Now().UnixMilli())}})
		if err != nil || n != 1 {
			t.Errorf("%d, %v", n, err)
		}
		r := read(hears)
		_, err = says.Send([]byte("three"))
		check(t, err)
		time.Sleep(500 * time.Millisecond)
		if status, err := hears.SyncStatus(); err != nil || status.Missing != 1 || status.Synced {
			t.Errorf("%+v, %v", status, err)
		}
		check(t, hears.MarkDependenciesMet([]sds.MessageID{sds.MessageID(ids[1])}))
		time.Sleep(500 * time.Millisecond)
		if status, err := hears.SyncStatus(); err != nil || !status.Synced || r.count("ready") != 1 {
			t.Errorf("%+v, %v, %v", status, err, r.names)
		}
	})
}
