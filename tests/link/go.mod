module sds.test/link

go 1.24.0

require (
	github.com/mattn/go-sqlite3 v1.14.32
	github.com/status-im/sds-rs/go-bindings v0.0.0
)

replace github.com/status-im/sds-rs/go-bindings => ../../go-bindings
