package reliable

import (
	"testing"
	"time"
)

// What the package's documentation says of the defaults, beside those of LIP 173.
func TestDefaults(t *testing.T) {
	config := DefaultConfig("ada")
	engine := config.SDS
	if engine.CausalHistorySize != 3 || engine.ResendInterval != 5*time.Second || engine.MaxResends != 5 ||
		engine.PossiblyResendInterval != 15*time.Second {
		t.Errorf("%+v", engine)
	}
	if config.RateLimiter != nil || config.StorePath != "" || config.External != nil || DefaultEpoch != 600*time.Second {
		t.Errorf("%+v", config)
	}
	var options ChannelOptions
	check(t, options.complete(&config))
	if options.Encryption != nil || options.Segmentation != nil {
		t.Errorf("%+v", options)
	}
	segmentation, err := new(Segmentation).complete(&config)
	check(t, err)
	if segmentation.SegmentBytes != 100<<10 || segmentation.Parity != nil || segmentation.ParityRate != 0 {
		t.Errorf("%+v", segmentation)
	}
}
