// What every.c calls functions on, and with what.
#ifndef SDS_TEST_SCENE_H
#define SDS_TEST_SCENE_H

#include "party.h"

// The arguments of all functions together: each takes some of them.
struct args {
    sds_manager_t manager;
    const char *channel_id, *message_id;
    size_t channel_id_len, message_id_len;
    const uint8_t *bytes;
    size_t bytes_len;
    const size_t *lengths;
    size_t count;
    uint64_t now_ms;
    uint32_t online, level;
    uint8_t *memory;
    size_t capacity;
    size_t *len;
    uint64_t *deadline_ms, *offered;
    sds_manager_t *opened;
    size_t config_size;
    const char *path, *after_id;
    size_t path_len, after_id_len, limit, stored_count, known_count;
    uint32_t synchronous;
    uint64_t number;
    const uint8_t *key, *side;
    size_t key_len, side_len;
    sds_stored_t *stored;
    sds_known_t *known;
    sds_buffer_t *out;
    sds_config_t *config;
    sds_channel_options_t *options;
    sds_channel_status_t *status;
    sds_inspection_t *inspection;
    sds_record_t *record;
    sds_entry_t *entry;
    sds_error_t *error;
};

enum {
    MANAGER = 1 << 0,
    CHANNEL_ID = 1 << 1,
    MESSAGE_ID = 1 << 2,  // of alice's message
    NEW_ID = 1 << 3,      // of none yet
    CONTENT = 1 << 4,     // also a hint
    PACKET = 1 << 5,      // a message from the network
    RECORDS = 1 << 6,
    ITEMS = 1 << 7,  // lengths, count, and what they are the lengths of
    TIME = 1 << 8,
    OUT = 1 << 9,
    MAY_LACK_OUT = 1 << 10,
    MEMORY = 1 << 11,
    LEN = 1 << 12,  // also an offset
    CONFIG = 1 << 13,
    OPTIONS = 1 << 14,
    CHANNEL_STATUS = 1 << 15,
    INSPECTION = 1 << 16,
    RECORD = 1 << 17,
    ENTRY = 1 << 18,
    ERROR = 1 << 19,
    OPENS = 1 << 20,  // a manager, from CONFIG
    HOST = 1 << 21,   // the manager is one whose host keeps the state
    STORE = 1 << 22,  // the manager is one over a store
    LOGGED = 1 << 23, // a record of the host's log
    KNOWN = 1 << 24,
    BYTES_AND_LENGTH = CONTENT | PACKET | RECORDS | LOGGED,
    ABOUT_CHANNEL = MANAGER | CHANNEL_ID | ERROR,
    ABOUT_MESSAGE = ABOUT_CHANNEL | MESSAGE_ID,
    WRAPS = ABOUT_CHANNEL | NEW_ID | CONTENT | TIME | OUT
};

// Alice, who sent "m", and good arguments for any call on her: in memory, with a host that keeps her state, and in a store.
struct scene {
    struct party alice;
    sds_manager_t host, store;
    struct packet packet;
    sds_buffer_t records, out, offer;
    sds_record_t message;
    sds_stored_t stored;
    sds_known_t known;
    uint64_t offered, number;
    uint8_t memory[32768];
    size_t lengths[2], len;
    uint64_t deadline_ms;
    sds_manager_t opened;
    sds_config_t config;
    sds_channel_options_t options;
    sds_channel_status_t status;
    sds_inspection_t inspection;
    sds_record_t record;
    sds_entry_t entry;
    sds_error_t error;
};

// A handle that was closed, and one whose place another manager has by now.
extern sds_manager_t closed, stale;

void scene_open(struct scene *it);
void scene_close(struct scene *it);
// Good arguments for a function that takes these.
struct args scene_args(struct scene *it, unsigned takes);

#endif
