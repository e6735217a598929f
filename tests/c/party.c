#include "party.h"

#include <stdlib.h>

void party_open(struct party *party, const char *name, uint32_t profile) {
    sds_config_t config;
    memset(party, 0, sizeof *party);
    OK(sds_config_init(&config, sizeof config));
    config.participant_id = name;
    config.participant_id_len = strlen(name);
    config.seed = 7;
    config.has_seed = 1;
    config.profile = profile;
    OK(sds_manager_open(&config, &party->manager, NULL));
    OK(sds_channel_open(party->manager, CHANNEL, NULL, START, NULL));
}

void party_close(struct party *party) {
    OK(sds_manager_close(party->manager, NULL));
    sds_buffer_free(&party->out);
}

void party_read(struct party *party) {
    size_t at = 0;
    party->record.size = sizeof party->record;
    OK(sds_record_next(party->out.data, party->out.len, &at, &party->record));
    CHECK(at == party->out.len);
}

void party_wrap(struct party *party, const char *id, const char *text, uint64_t now_ms, struct packet *packet) {
    OK(sds_wrap_outgoing(party->manager, CHANNEL, TEXT(id), BYTES(text), now_ms, &party->out, NULL));
    party_read(party);
    CHECK(party->record.kind == SDS_RECORD_WRAPPED);
    CHECK(is_text(party->record.message_id, party->record.message_id_len, id));
    if (party->record.data_len > sizeof packet->data) {
        printf("packet too small\n");
        exit(1);
    }
    memcpy(packet->data, party->record.data, party->record.data_len);
    packet->len = party->record.data_len;
}

int party_unwrap(struct party *party, const struct packet *packet, uint64_t now_ms) {
    OK(sds_unwrap_incoming(party->manager, packet->data, packet->len, now_ms, &party->out, NULL));
    party_read(party);
    CHECK(party->record.kind == SDS_RECORD_UNWRAPPED);
    return party->record.code;
}

void party_drain(struct party *party) {
    size_t next_len = 1;
    OK(sds_drain(party->manager, party->drained, sizeof party->drained, &party->drained_len, &next_len, NULL));
    CHECK(next_len == 0);
    party->drained_at = 0;
}

int party_next(struct party *party) {
    sds_status_t status;
    party->record.size = sizeof party->record;
    status = sds_record_next(party->drained, party->drained_len, &party->drained_at, &party->record);
    CHECK(status == SDS_OK || status == SDS_END);
    return status == SDS_OK;
}

int party_told(struct party *party, uint16_t kind, const char *id) {
    party_drain(party);
    while (party_next(party)) {
        if (party->record.kind == kind && is_text(party->record.message_id, party->record.message_id_len, id)) {
            return 1;
        }
    }
    return 0;
}

int is_text(const char *data, size_t len, const char *wanted) {
    return len == strlen(wanted) && memcmp(data, wanted, len) == 0;
}

int is_bytes(const uint8_t *data, size_t len, const char *wanted) {
    return len == strlen(wanted) && memcmp(data, wanted, len) == 0;
}
