// The library in ten lines, as the README shows it: alice sends, bob receives.
#include <stdio.h>
#include <string.h>

#include "sds.h"

static const uint64_t now_ms = 1700000000000;

// What main does for alice, in short: 0 stands for a failure.
static sds_manager_t join(const char *name) {
    sds_manager_t manager = 0;
    sds_config_t config;
    if (sds_config_init(&config, sizeof config) != SDS_OK) return 0;
    config.participant_id = name, config.participant_id_len = strlen(name);
    if (sds_manager_open(&config, &manager, NULL) != SDS_OK) return 0;
    return sds_channel_open(manager, "chat", 4, NULL, now_ms, NULL) == SDS_OK ? manager : 0;
}

int main(void) {
    sds_manager_t alice, bob = join("bob");
    sds_config_t config;
    sds_buffer_t out = {NULL, 0, 0}, in = {NULL, 0, 0};
    sds_record_t wrapped, received;
    size_t at = 0, from = 0;
    wrapped.size = received.size = sizeof wrapped;

    if (sds_config_init(&config, sizeof config) != SDS_OK) return 1;
    config.participant_id = "alice", config.participant_id_len = 5;
    if (sds_manager_open(&config, &alice, NULL) != SDS_OK) return 1;
    if (sds_channel_open(alice, "chat", 4, NULL, now_ms, NULL) != SDS_OK) return 1;
    if (sds_wrap_outgoing(alice, "chat", 4, NULL, 0, (const uint8_t *)"hi", 2, now_ms, &out, NULL) != SDS_OK) return 1;
    if (sds_record_next(out.data, out.len, &at, &wrapped) != SDS_OK) return 1;
    // Broadcast wrapped.data. Whoever receives it, say bob:
    if (sds_unwrap_incoming(bob, wrapped.data, wrapped.data_len, now_ms, &in, NULL) != SDS_OK) return 1;
    if (sds_record_next(in.data, in.len, &from, &received) != SDS_OK) return 1;
    printf("%.*s says %.*s\n", (int)received.sender_id_len, received.sender_id, (int)received.data_len, received.data);

    sds_buffer_free(&out);
    sds_buffer_free(&in);
    return sds_shutdown(NULL) == SDS_OK ? 0 : 1;
}
