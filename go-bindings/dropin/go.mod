module github.com/waku-org/sds-go-bindings

go 1.24.0

require (
	go.uber.org/goleak v1.3.0
	go.uber.org/zap v1.27.0
)

require go.uber.org/multierr v1.10.0 // indirect
