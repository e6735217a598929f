// One participant of a chat and what a host keeps for it.
#ifndef SDS_TEST_PARTY_H
#define SDS_TEST_PARTY_H

#include "check.h"

#define CHANNEL TEXT("chat")
// Some moment; every test moves on from here by itself.
#define START UINT64_C(1700000000000)

// A manager, the buffer its results come in, and the record decoded last.
struct party {
    sds_manager_t manager;
    sds_buffer_t out;
    sds_record_t record;
    uint8_t drained[262144];
    size_t drained_len;
    size_t drained_at;
};

// Bytes on their way through the network.
struct packet {
    uint8_t data[32768];
    size_t len;
};

void party_open(struct party *party, const char *name, uint32_t profile);
void party_close(struct party *party);

// Makes the only record in `out` the current one.
void party_read(struct party *party);

// Wraps a text under an id; the bytes to send lie in `packet`.
void party_wrap(struct party *party, const char *id, const char *text, uint64_t now_ms, struct packet *packet);
// Hands bytes in; tells the disposition. The record is the current one.
int party_unwrap(struct party *party, const struct packet *packet, uint64_t now_ms);

// Takes all that waits, then steps through it: 1 and the current record, or 0 at the end.
void party_drain(struct party *party);
int party_next(struct party *party);
// Drains and looks for a record of this kind about this message; it is the current one then.
int party_told(struct party *party, uint16_t kind, const char *id);

int is_text(const char *data, size_t len, const char *wanted);
int is_bytes(const uint8_t *data, size_t len, const char *wanted);

#endif
