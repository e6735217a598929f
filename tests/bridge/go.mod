module sds.test/bridge

go 1.24.0

replace github.com/status-im/sds-rs/go-bindings => ../../go-bindings

require github.com/status-im/sds-rs/go-bindings v0.0.0-00010101000000-000000000000
