// Package link is one program with three C libraries in it: our static one, SQLite, and another Rust archive.
package link

/*
#cgo CFLAGS: -I${SRCDIR}/../../include
#cgo LDFLAGS: ${SRCDIR}/../../target/lib/libsds.a ${SRCDIR}/../../target/link/release/libother.a
#cgo linux LDFLAGS: -lpthread -ldl -lm
#include <string.h>
#include "sds.h"

extern int32_t other_count(uint32_t count, uint32_t divisor);

// Alice sends a text to bob; what bob received, and its length, or 0 if anything failed.
static size_t exchange(const uint8_t *content, size_t content_len, uint8_t *received, size_t capacity) {
	const uint64_t now_ms = 1700000000000;
	sds_config_t config;
	sds_manager_t alice, bob;
	sds_buffer_t out = {NULL, 0, 0}, in = {NULL, 0, 0};
	sds_record_t record;
	size_t at = 0, len = 0;
	record.size = sizeof record;
	if (sds_config_init(&config, sizeof config) || sds_manager_open(&config, &alice, NULL)) return 0;
	if (sds_manager_open(&config, &bob, NULL)) return 0;
	if (!sds_channel_open(alice, "chat", 4, NULL, now_ms, NULL) && !sds_channel_open(bob, "chat", 4, NULL, now_ms, NULL) &&
		!sds_wrap_outgoing(alice, "chat", 4, NULL, 0, content, content_len, now_ms, &out, NULL) &&
		!sds_record_next(out.data, out.len, &at, &record) &&
		!sds_unwrap_incoming(bob, record.data, record.data_len, now_ms, &in, NULL)) {
		at = 0;
		if (!sds_record_next(in.data, in.len, &at, &record) && record.data_len <= capacity) {
			memcpy(received, record.data, record.data_len);
			len = record.data_len;
		}
	}
	sds_buffer_free(&out);
	sds_buffer_free(&in);
	if (sds_manager_close(alice, NULL) || sds_manager_close(bob, NULL)) return 0;
	return len;
}
*/
import "C"

import "unsafe"

// exchange sends a text from one manager to another and returns what arrived.
func exchange(content string) string {
	sent := []byte(content)
	received := make([]byte, 256)
	length := C.exchange((*C.uint8_t)(unsafe.Pointer(&sent[0])), C.size_t(len(sent)),
		(*C.uint8_t)(unsafe.Pointer(&received[0])), C.size_t(len(received)))
	return string(received[:length])
}

// count asks the other Rust archive; it panics and catches it for a divisor of 0.
func count(numbers, divisor uint32) int32 {
	return int32(C.other_count(C.uint32_t(numbers), C.uint32_t(divisor)))
}
