module sds.test/dropin

go 1.24.0

require (
	github.com/mattn/go-sqlite3 v1.14.32
	github.com/waku-org/sds-go-bindings v0.0.0-20251120000000-000000000000
	go.uber.org/zap v1.27.0
)

require go.uber.org/multierr v1.10.0 // indirect

replace github.com/waku-org/sds-go-bindings => ../../go-bindings/dropin
