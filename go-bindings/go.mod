module github.com/status-im/sds-rs/go-bindings

go 1.24
