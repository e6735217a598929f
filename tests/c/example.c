// The library from C: what the README quotes, and the way of the message to whoever receives it.
#include <stdio.h>
#include <string.h>

#include "sds.h"

// Prints the content of the bytes that alice broadcast, as bob gets them.
static int receive(const uint8_t *bytes, size_t bytes_len, uint64_t now_ms) {
    sds_config_t config;
    if (sds_config_init(&config, sizeof config) != SDS_OK) return 1;
    sds_manager_t manager;
    sds_buffer_t out = {0};
    if (sds_manager_open(&config, &manager, NULL) != SDS_OK) return 1;
    if (sds_channel_open(manager, "garden", 6, NULL, now_ms, NULL) != SDS_OK) return 1;
    if (sds_unwrap_incoming(manager, bytes, bytes_len, now_ms, &out, NULL) != SDS_OK) return 1;
    sds_record_t record;
    record.size = sizeof record;
    size_t at = 0;
    if (sds_record_next(out.data, out.len, &at, &record) != SDS_OK) return 1;
    printf("%.*s: %.*s\n", (int)record.sender_id_len, record.sender_id, (int)record.data_len, (const char *)record.data);
    sds_buffer_free(&out);
    return 0;
}

static int run(const uint8_t *content, size_t content_len, uint64_t now_ms) {
    sds_config_t config;
    sds_config_init(&config, sizeof config);
    config.participant_id = "alice-phone";
    config.participant_id_len = 11;
    sds_manager_t manager;
    sds_buffer_t out = {0};
    if (sds_manager_open(&config, &manager, NULL) != SDS_OK) return 1;
    if (sds_channel_open(manager, "garden", 6, NULL, now_ms, NULL) != SDS_OK) return 1;
    if (sds_wrap_outgoing(manager, "garden", 6, NULL, 0, content, content_len, now_ms, &out, NULL) != SDS_OK) return 1;
    /* out holds one record: sds_record_next() gives the message id and the bytes to broadcast */
    sds_record_t record;
    record.size = sizeof record;
    size_t at = 0;
    if (sds_record_next(out.data, out.len, &at, &record) != SDS_OK) return 1;
    int status = receive(record.data, record.data_len, now_ms);
    sds_buffer_free(&out);
    return status;
}

int main(void) {
    const char *content = "hi";
    int status = run((const uint8_t *)content, strlen(content), 1700000000000);
    return sds_shutdown(NULL) == SDS_OK ? status : 1;
}
