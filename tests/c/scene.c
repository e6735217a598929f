#include "scene.h"

sds_manager_t closed, stale;

// What party_open does, another way.
static void open_kept(struct scene *it, sds_manager_t *manager, int by_host) {
    sds_config_t config;
    OK(sds_config_init(&config, sizeof config));
    config.participant_id = "alice", config.participant_id_len = 5;
    config.seed = 7, config.has_seed = 1;
    if (by_host) {
        OK(sds_manager_open_external(&config, NULL, 0, START, manager, NULL));
    } else {
        OK(sds_manager_open_store(&config, TEXT(":memory:"), SDS_SYNCHRONOUS_FULL, START, manager, NULL));
    }
    OK(sds_channel_open(*manager, CHANNEL, NULL, START, NULL));
    OK(sds_wrap_outgoing(*manager, CHANNEL, TEXT("m"), BYTES("x"), START, &it->alice.out, NULL));
}

// The host was offered what waits, among it alice's message.
static void take_offer(struct scene *it) {
    size_t at = 0;
    OK(sds_offer(it->host, &it->offered, &it->offer, NULL));
    it->message.size = sizeof it->message;
    do {
        OK(sds_record_next(it->offer.data, it->offer.len, &at, &it->message));
    } while (it->message.data[0] != SDS_KEY_MESSAGE);
}

void scene_open(struct scene *it) {
    struct party bob;
    memset(it, 0, sizeof *it);
    party_open(&bob, "bob", SDS_PROFILE_RFC);
    party_wrap(&bob, "theirs", "x", START, &it->packet);
    closed = bob.manager;
    party_open(&it->alice, "alice", SDS_PROFILE_RFC);
    stale = it->alice.manager;
    party_close(&it->alice);
    party_open(&it->alice, "alice", SDS_PROFILE_RFC);
    open_kept(it, &it->host, 1);
    open_kept(it, &it->store, 0);
    take_offer(it);
    party_close(&bob);
    OK(sds_wrap_outgoing(it->alice.manager, CHANNEL, TEXT("m"), BYTES("x"), START, &it->alice.out, NULL));
    OK(sds_next_history(it->alice.manager, CHANNEL, &it->records, NULL));
}

void scene_close(struct scene *it) {
    sds_buffer_free(&it->alice.out);
    sds_buffer_free(&it->records);
    sds_buffer_free(&it->out);
    sds_buffer_free(&it->offer);
    OK(sds_shutdown(NULL));
}

struct args scene_args(struct scene *it, unsigned takes) {
    struct args a;
    size_t at = 0;
    memset(&a, 0, sizeof a);
    a.manager = takes & HOST ? it->host : takes & STORE ? it->store : it->alice.manager;
    a.channel_id = "chat", a.channel_id_len = 4;
    a.message_id = takes & NEW_ID ? "n" : "m", a.message_id_len = 1;
    a.bytes = (const uint8_t *)"x", a.bytes_len = 1;
    // A batch succeeds whatever its messages are, and at whatever time; as two ids, "xy" is fine.
    it->lengths[0] = it->lengths[1] = 1;
    a.lengths = it->lengths, a.count = 2;
    if (takes & PACKET) {
        a.bytes = it->packet.data, a.bytes_len = it->packet.len;
    } else if (takes & RECORDS) {
        a.bytes = it->records.data, a.bytes_len = it->records.len;
    } else if (takes & ITEMS) {
        a.bytes = (const uint8_t *)"xy";
    }
    if (takes & LOGGED) {
        a.key = it->message.data, a.key_len = SDS_KEY_SIZE;
        a.bytes = a.key + SDS_KEY_SIZE, a.bytes_len = it->message.data_len - SDS_KEY_SIZE;
    }
    a.path = ":memory:", a.path_len = 8;
    a.after_id = "m", a.after_id_len = 1, a.limit = 5;
    a.number = it->offered;
    it->number = 7, a.offered = &it->number;
    // A channel that has no records yet is nothing to open: those that spoil it say that there is one.
    memset(&it->stored, 0, sizeof it->stored);
    it->stored.size = sizeof it->stored, a.stored = &it->stored;
    it->stored.key = it->message.data, it->stored.key_len = SDS_KEY_SIZE;
    memset(&it->known, 0, sizeof it->known);
    it->known.size = sizeof it->known, a.known = &it->known, a.known_count = 1;
    it->known.message_id = "k", it->known.message_id_len = 1;
    it->known.lamport_timestamp_ms = START;
    a.now_ms = START;
    a.online = 1;
    a.memory = it->memory, a.capacity = sizeof it->memory;
    it->len = 0, a.len = &it->len;
    it->deadline_ms = 7, a.deadline_ms = &it->deadline_ms;
    it->opened = 7, a.opened = &it->opened;
    a.out = &it->out;
    OK(sds_config_init(&it->config, sizeof it->config));
    a.config = &it->config, a.config_size = sizeof it->config;
    it->options.size = sizeof it->options, a.options = &it->options;
    it->options.profile = SDS_PROFILE_DEFAULT, it->options.flags = 0;
    it->status.size = sizeof it->status, a.status = &it->status;
    it->inspection.size = sizeof it->inspection, a.inspection = &it->inspection;
    it->record.size = sizeof it->record, a.record = &it->record;
    OK(sds_record_next(it->records.data, it->records.len, &at, a.record));
    it->entry.size = sizeof it->entry, a.entry = &it->entry;
    memset(&it->error, 0, sizeof it->error);
    it->error.size = sizeof it->error, a.error = &it->error;
    return a;
}
