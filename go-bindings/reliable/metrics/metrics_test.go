package metrics

import (
	"reflect"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/status-im/sds-rs/go-bindings/reliable"
)

// Every count is offered, under a name that Prometheus likes, and none twice.
func TestEveryCountIsOffered(t *testing.T) {
	var stats reliable.Stats
	next := 1.0
	want := make(map[float64]string)
	var fill func(reflect.Value, string)
	fill = func(v reflect.Value, name string) {
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				fill(v.Field(i), name+"."+v.Type().Field(i).Name)
			}
		case reflect.Uint64:
			v.SetUint(uint64(next))
		case reflect.Int:
			v.SetInt(int64(next))
		}
		if v.Kind() != reflect.Struct {
			want[next] = name
			next++
		}
	}
	fill(reflect.ValueOf(&stats).Elem(), "Stats")

	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(NewCollector(func() reliable.Stats { return stats }, prometheus.Labels{"client": "ada"})); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if !strings.HasPrefix(family.GetName(), "sds_reliable_") {
			t.Error(family.GetName())
		}
		for _, m := range family.GetMetric() {
			value := m.GetCounter().GetValue() + m.GetGauge().GetValue()
			if want[value] == "" {
				t.Errorf("%s has %v, which is no count or was offered before", family.GetName(), value)
			}
			delete(want, value)
			if m.GetLabel()[len(m.GetLabel())-1].GetValue() == "" {
				t.Errorf("%s: %v", family.GetName(), m.GetLabel())
			}
		}
	}
	if len(want) != 0 {
		t.Errorf("not offered: %v", want)
	}
	if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) != 0 {
		t.Errorf("%v, %v", problems, err)
	}
}
