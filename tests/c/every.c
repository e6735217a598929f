// Every function, with every argument that it takes wrong in every way that a library can notice. Each time: the
// status, a text that says what was wrong, nothing written, nothing changed. run.sh sees to it that none is left out.
#include "scene.h"

#include <stdlib.h>

void every_tests(void);

#define CALL(name, ...) \
    static sds_status_t name(const struct args *a) { return sds_##name(__VA_ARGS__); }
#define CHANNEL_ARGS a->manager, a->channel_id, a->channel_id_len
#define MESSAGE_ARGS CHANNEL_ARGS, a->message_id, a->message_id_len
#define BYTES_ARGS a->bytes, a->bytes_len

CALL(config_init, a->config, a->config_size)
CALL(manager_open, a->config, a->opened, a->error)
CALL(manager_open_store, a->config, a->path, a->path_len, a->synchronous, a->now_ms, a->opened, a->error)
CALL(manager_open_external, a->config, a->stored, a->stored_count, a->now_ms, a->opened, a->error)
CALL(manager_close, a->manager, a->error)
CALL(manager_reset, a->manager, a->error)
CALL(set_online, a->manager, a->online, a->now_ms, a->error)
CALL(tick, a->manager, a->now_ms, a->error)
CALL(next_deadline, a->manager, a->deadline_ms, a->error)
CALL(drain, a->manager, a->memory, a->capacity, a->len, NULL, a->error)
CALL(channel_open, CHANNEL_ARGS, a->options, a->now_ms, a->error)
CALL(channel_close, CHANNEL_ARGS, a->error)
CALL(channel_forget, CHANNEL_ARGS, a->error)
CALL(channel_list, a->manager, a->out, a->error)
CALL(channel_status, CHANNEL_ARGS, a->status, a->error)
CALL(channel_dump, CHANNEL_ARGS, a->out, a->error)
CALL(missing, CHANNEL_ARGS, a->out, a->error)
CALL(next_history, CHANNEL_ARGS, a->out, a->error)
CALL(wrap_outgoing, MESSAGE_ARGS, BYTES_ARGS, a->now_ms, a->out, a->error)
CALL(wrap_outgoing_into, MESSAGE_ARGS, BYTES_ARGS, a->now_ms, a->memory, a->capacity, a->len, a->out, a->error)
CALL(wrap_ephemeral, MESSAGE_ARGS, BYTES_ARGS, a->now_ms, a->out, a->error)
CALL(unwrap_incoming, a->manager, BYTES_ARGS, a->now_ms, a->out, a->error)
CALL(unwrap_incoming_batch, a->manager, a->bytes, a->lengths, a->count, a->now_ms, a->out, a->error)
CALL(mark_dependencies_met, CHANNEL_ARGS, (const char *)a->bytes, a->lengths, a->count, a->now_ms, a->error)
CALL(set_retrieval_hint, MESSAGE_ARGS, BYTES_ARGS, a->error)
CALL(message_status, MESSAGE_ARGS, a->out, a->error)
CALL(retry, MESSAGE_ARGS, a->now_ms, a->error)
CALL(cancel, MESSAGE_ARGS, a->now_ms, a->error)
CALL(offer, a->manager, a->offered, a->out, a->error)
CALL(confirm, a->manager, a->number, a->error)
CALL(flush, a->manager, a->error)
CALL(read_log, CHANNEL_ARGS, START, a->after_id, a->after_id_len, a->limit, a->out, NULL, a->error)
CALL(read_log_record, a->manager, a->key, a->key_len, BYTES_ARGS, a->side, a->side_len, a->out, a->error)
CALL(seed_history, CHANNEL_ARGS, a->known, a->known_count, a->now_ms, a->len, a->error)
CALL(inspect, BYTES_ARGS, a->inspection, a->out, a->error)
CALL(record_next, BYTES_ARGS, a->len, a->record)
CALL(entry_next, a->record, a->len, a->entry)
CALL(set_log_level, a->level, a->error)
CALL(shutdown, a->error)

struct function {
    const char *name;
    sds_status_t (*call)(const struct args *);
    unsigned takes;
};

#define ROW(name, takes) {"sds_" #name, name, (takes)}
static const struct function functions[] = {
    ROW(config_init, CONFIG),
    ROW(manager_open, CONFIG | OPENS | ERROR),
    ROW(manager_open_store, CONFIG | OPENS | TIME | ERROR),
    ROW(manager_open_external, CONFIG | OPENS | TIME | ERROR),
    ROW(manager_close, MANAGER | ERROR),
    ROW(manager_reset, MANAGER | ERROR),
    ROW(set_online, MANAGER | TIME | ERROR),
    ROW(tick, MANAGER | TIME | ERROR),
    ROW(next_deadline, MANAGER | ERROR),
    ROW(drain, MANAGER | MEMORY | LEN | ERROR),
    ROW(channel_open, ABOUT_CHANNEL | OPTIONS | TIME),
    ROW(channel_close, ABOUT_CHANNEL),
    ROW(channel_forget, ABOUT_CHANNEL),
    ROW(channel_list, MANAGER | OUT | ERROR),
    ROW(channel_status, ABOUT_CHANNEL | CHANNEL_STATUS),
    ROW(channel_dump, ABOUT_CHANNEL | OUT),
    ROW(missing, ABOUT_CHANNEL | OUT),
    ROW(next_history, ABOUT_CHANNEL | OUT),
    ROW(wrap_outgoing, WRAPS),
    ROW(wrap_outgoing_into, WRAPS | MEMORY | LEN),
    ROW(wrap_ephemeral, WRAPS),
    ROW(unwrap_incoming, MANAGER | PACKET | TIME | OUT | ERROR),
    ROW(unwrap_incoming_batch, MANAGER | ITEMS | OUT | ERROR),
    ROW(mark_dependencies_met, ABOUT_CHANNEL | ITEMS | TIME),
    ROW(set_retrieval_hint, ABOUT_MESSAGE | CONTENT),
    ROW(message_status, ABOUT_MESSAGE | OUT),
    ROW(retry, ABOUT_MESSAGE | TIME),
    ROW(cancel, ABOUT_MESSAGE | TIME),
    ROW(offer, MANAGER | HOST | OUT | ERROR),
    ROW(confirm, MANAGER | HOST | ERROR),
    ROW(flush, MANAGER | STORE | ERROR),
    ROW(read_log, ABOUT_CHANNEL | STORE | OUT),
    ROW(read_log_record, MANAGER | HOST | LOGGED | OUT | ERROR),
    ROW(seed_history, ABOUT_CHANNEL | STORE | KNOWN | TIME),
    ROW(inspect, PACKET | INSPECTION | OUT | MAY_LACK_OUT | ERROR),
    ROW(record_next, RECORDS | LEN | RECORD),
    ROW(entry_next, LEN | RECORD | ENTRY),
    ROW(set_log_level, ERROR),
    ROW(shutdown, ERROR),
};

struct defect {
    const char *what;
    unsigned of;
    // The only function that it is for, or NULL.
    const char *only;
    void (*spoil)(struct args *);
    sds_status_t status;
    const char *says;
};

static sds_buffer_t no_data, no_capacity;
static uint8_t a_byte;
static size_t beyond[2] = {SIZE_MAX, 2};
static size_t impossible[1] = {SIZE_MAX};
static char long_id[257];
static uint8_t long_hint[1025];
static const uint8_t other_key[SDS_KEY_SIZE] = {SDS_KEY_SIDE};

#define SPOIL(name, change) \
    static void name(struct args *a) { change; }
SPOIL(handle_zero, a->manager = 0)
SPOIL(handle_garbage, a->manager = UINT64_C(0x1234567890abcdef))
SPOIL(handle_ones, a->manager = UINT64_MAX)
SPOIL(handle_ahead, a->manager += 1000)
SPOIL(handle_closed, a->manager = closed)
SPOIL(handle_stale, a->manager = stale)
SPOIL(channel_null, a->channel_id = NULL)
SPOIL(channel_over_isize, a->channel_id_len = SIZE_MAX)
SPOIL(channel_not_utf8, a->channel_id = "\xff\xff\xff\xff")
SPOIL(channel_empty, a->channel_id = NULL; a->channel_id_len = 0)
SPOIL(channel_long, a->channel_id = long_id; a->channel_id_len = sizeof long_id)
SPOIL(message_null, a->message_id = NULL)
SPOIL(message_over_isize, a->message_id_len = SIZE_MAX)
SPOIL(message_not_utf8, a->message_id = "\xff")
SPOIL(message_empty, a->message_id_len = 0)
SPOIL(message_long, a->message_id = long_id; a->message_id_len = sizeof long_id)
SPOIL(bytes_null, a->bytes = NULL)
SPOIL(bytes_over_isize, a->bytes_len = (SIZE_MAX >> 1) + 1)
SPOIL(lengths_null, a->lengths = NULL)
SPOIL(lengths_beyond, a->lengths = beyond)
SPOIL(length_over_isize, a->lengths = impossible; a->count = 1)
SPOIL(count_over_isize, a->count = SIZE_MAX)
SPOIL(id_not_utf8, a->bytes = (const uint8_t *)"x\xff")
SPOIL(year_10000, a->now_ms = UINT64_C(253402300800000))
SPOIL(time_ones, a->now_ms = UINT64_MAX)
SPOIL(out_null, a->out = NULL)
SPOIL(out_no_data, a->out = &no_data)
SPOIL(out_no_capacity, a->out = &no_capacity)
SPOIL(memory_null, a->memory = NULL)
SPOIL(memory_over_isize, a->capacity = SIZE_MAX)
SPOIL(len_null, a->len = NULL)
SPOIL(deadline_null, a->deadline_ms = NULL)
SPOIL(opened_null, a->opened = NULL)
SPOIL(online_two, a->online = 2)
SPOIL(level_99, a->level = 99)
SPOIL(flags_other, a->options->flags = 4096)
SPOIL(options_profile, a->options->profile = 77)
SPOIL(size_argument, a->config_size = 3)
SPOIL(participant_null, a->config->participant_id_len = 5)
SPOIL(participant_over_isize, a->config->participant_id = "x"; a->config->participant_id_len = SIZE_MAX)
SPOIL(participant_not_utf8, a->config->participant_id = "\xff"; a->config->participant_id_len = 1)
SPOIL(config_profile, a->config->profile = 77)
SPOIL(config_flag, a->config->has_seed = 2)
SPOIL(config_value, a->config->max_outputs = 1)
SPOIL(path_null, a->path = NULL)
SPOIL(path_over_isize, a->path_len = SIZE_MAX)
SPOIL(path_not_utf8, a->path = "\xff"; a->path_len = 1)
SPOIL(path_empty, a->path_len = 0)
SPOIL(path_of_two, a->path = "a\0b"; a->path_len = 3)
SPOIL(synchronous_3, a->synchronous = 3)
SPOIL(stored_null, a->stored = NULL; a->stored_count = 1)
SPOIL(stored_beyond, a->stored_count = SIZE_MAX)
SPOIL(stored_size, a->stored->size--; a->stored_count = 1)
SPOIL(stored_channel, a->stored->channel_id = "\xff"; a->stored->channel_id_len = 1; a->stored_count = 1)
SPOIL(stored_key_null, a->stored->key = NULL; a->stored_count = 1)
SPOIL(stored_key_short, a->stored->key_len = 16; a->stored_count = 1)
SPOIL(stored_key_kind, a->stored->key = (const uint8_t *)long_id; a->stored_count = 1)
SPOIL(stored_value_null, a->stored->value_len = 9; a->stored_count = 1)
SPOIL(stored_value, a->stored->value = (const uint8_t *)long_id; a->stored->value_len = 9; a->stored_count = 1)
SPOIL(offered_null, a->offered = NULL)
SPOIL(number_other, a->number++)
SPOIL(number_none, a->number = 0)
SPOIL(after_null, a->after_id = NULL)
SPOIL(after_not_utf8, a->after_id = "\xff")
SPOIL(limit_none, a->limit = 0)
SPOIL(key_null, a->key = NULL)
SPOIL(key_short, a->key_len = 1)
SPOIL(key_kind, a->key = (const uint8_t *)long_id)
SPOIL(key_of_another, a->key = other_key)
SPOIL(value_cut, a->bytes_len--)
SPOIL(side_null, a->side_len = 1)
SPOIL(side_other, a->side = (const uint8_t *)long_id; a->side_len = sizeof long_id)
SPOIL(known_nothing, a->known = NULL)
SPOIL(known_beyond, a->known_count = SIZE_MAX)
SPOIL(known_id_null, a->known->message_id = NULL)
SPOIL(known_id_not_utf8, a->known->message_id = "\xff")
SPOIL(known_id_empty, a->known->message_id_len = 0)
SPOIL(known_id_long, a->known->message_id = long_id; a->known->message_id_len = sizeof long_id)
SPOIL(known_sender_not_utf8, a->known->sender_id = "\xff"; a->known->sender_id_len = 1)
SPOIL(known_sender_long, a->known->sender_id = long_id; a->known->sender_id_len = sizeof long_id)
SPOIL(known_hint_null, a->known->retrieval_hint_len = 1)
SPOIL(known_hint_long, a->known->retrieval_hint = long_hint; a->known->retrieval_hint_len = sizeof long_hint)
SPOIL(entries_null, a->record->entries = NULL)
SPOIL(entries_over_isize, a->record->entries_len = SIZE_MAX)
// A structure of a size that no release had, and one that is not there.
#define SPOIL_SIZES(name) \
    SPOIL(name##_0, a->name->size = 0) \
    SPOIL(name##_short, a->name->size--) \
    SPOIL(name##_over, a->name->size++)
#define SPOIL_SIZED(name) \
    SPOIL(name##_null, a->name = NULL) \
    SPOIL_SIZES(name)
SPOIL_SIZES(options)
SPOIL_SIZED(config)
SPOIL_SIZED(status)
SPOIL_SIZED(inspection)
SPOIL_SIZED(record)
SPOIL_SIZED(entry)
SPOIL_SIZES(known)

#define DEFECT(of, spoil, status, says) {#spoil, of, NULL, spoil, SDS_##status, says}
#define ONLY(function, spoil, status, says) {#spoil, 0, function, spoil, SDS_##status, says}
#define SIZES(of, name, text) \
    DEFECT(of, name##_0, INVALID_SIZE, "size of " text " is 0"), \
        DEFECT(of, name##_short, INVALID_SIZE, "size of " text), \
        DEFECT(of, name##_over, INVALID_SIZE, "size of " text)
#define SIZED(of, name) DEFECT(of, name##_null, INVALID_ARGUMENT, #name " is NULL"), SIZES(of, name, #name)

static const struct defect defects[] = {
    DEFECT(MANAGER, handle_zero, INVALID_HANDLE, "0x0 is no manager handle"),
    DEFECT(MANAGER, handle_garbage, INVALID_HANDLE, "0x1234567890abcdef is no manager handle"),
    DEFECT(MANAGER, handle_ones, INVALID_HANDLE, "is no manager handle"),
    DEFECT(MANAGER, handle_ahead, INVALID_HANDLE, "is no manager handle"),
    DEFECT(MANAGER, handle_closed, CLOSED, "closed"),
    DEFECT(MANAGER, handle_stale, CLOSED, "closed"),
    DEFECT(CHANNEL_ID, channel_null, INVALID_ARGUMENT, "channel id is NULL with a length of 4"),
    DEFECT(CHANNEL_ID, channel_over_isize, INVALID_ARGUMENT, "channel id has an impossible length"),
    DEFECT(CHANNEL_ID, channel_not_utf8, NOT_UTF8, "channel id is not UTF-8"),
    DEFECT(CHANNEL_ID, channel_empty, INVALID_ID, "channel id is empty"),
    DEFECT(CHANNEL_ID, channel_long, INVALID_ID, "channel id of 257 bytes is over the limit of 256"),
    DEFECT(MESSAGE_ID | NEW_ID, message_null, INVALID_ARGUMENT, "message id is NULL with a length of 1"),
    DEFECT(MESSAGE_ID | NEW_ID, message_over_isize, INVALID_ARGUMENT, "message id has an impossible length"),
    DEFECT(MESSAGE_ID | NEW_ID, message_not_utf8, NOT_UTF8, "message id is not UTF-8"),
    DEFECT(MESSAGE_ID | NEW_ID, message_empty, INVALID_ID, "message id is empty"),
    DEFECT(MESSAGE_ID | NEW_ID, message_long, INVALID_ID, "message id of 257 bytes is over the limit of 256"),
    DEFECT(BYTES_AND_LENGTH, bytes_null, INVALID_ARGUMENT, "NULL with a length of"),
    DEFECT(BYTES_AND_LENGTH, bytes_over_isize, INVALID_ARGUMENT, "impossible length"),
    DEFECT(ITEMS, bytes_null, INVALID_ARGUMENT, "NULL with a length of 2"),
    DEFECT(ITEMS, lengths_null, INVALID_ARGUMENT, "NULL with a count of 2"),
    DEFECT(ITEMS, lengths_beyond, INVALID_ARGUMENT, "add up to more than memory"),
    DEFECT(ITEMS, length_over_isize, INVALID_ARGUMENT, "impossible length"),
    DEFECT(ITEMS, count_over_isize, INVALID_ARGUMENT, "impossible count"),
    ONLY("sds_mark_dependencies_met", id_not_utf8, NOT_UTF8, "message id is not UTF-8"),
    DEFECT(TIME, year_10000, INVALID_ARGUMENT, "beyond the year 9999"),
    DEFECT(TIME, time_ones, INVALID_ARGUMENT, "beyond the year 9999"),
    DEFECT(OUT, out_null, INVALID_ARGUMENT, "out is NULL"),
    DEFECT(OUT, out_no_data, INVALID_ARGUMENT, "buffer has a capacity that does not fit its data"),
    DEFECT(OUT, out_no_capacity, INVALID_ARGUMENT, "buffer has a capacity that does not fit its data"),
    DEFECT(MEMORY, memory_null, INVALID_ARGUMENT, "memory is NULL"),
    DEFECT(MEMORY, memory_over_isize, INVALID_ARGUMENT, "impossible with a length"),
    DEFECT(LEN, len_null, INVALID_ARGUMENT, "len is NULL"),
    ONLY("sds_next_deadline", deadline_null, INVALID_ARGUMENT, "deadline_ms is NULL"),
    DEFECT(OPENS, opened_null, INVALID_ARGUMENT, "manager is NULL"),
    ONLY("sds_set_online", online_two, INVALID_ARGUMENT, "online is 2"),
    ONLY("sds_set_log_level", level_99, INVALID_ARGUMENT, "99 is no log level"),
    DEFECT(CONFIG, config_null, INVALID_ARGUMENT, "config is NULL"),
    ONLY("sds_config_init", size_argument, INVALID_SIZE, ""),
    DEFECT(OPENS, config_0, INVALID_SIZE, "size of config is 0"),
    DEFECT(OPENS, config_short, INVALID_SIZE, "size of config"),
    DEFECT(OPENS, config_over, INVALID_SIZE, "size of config"),
    DEFECT(OPENS, participant_null, INVALID_ARGUMENT, "participant_id is NULL with a length of 5"),
    DEFECT(OPENS, participant_over_isize, INVALID_ARGUMENT, "participant_id has an impossible length"),
    DEFECT(OPENS, participant_not_utf8, NOT_UTF8, "participant_id is not UTF-8"),
    DEFECT(OPENS, config_profile, INVALID_ARGUMENT, "profile is 77"),
    DEFECT(OPENS, config_flag, INVALID_ARGUMENT, "has_seed is 2"),
    DEFECT(OPENS, config_value, INVALID_CONFIG, "max_outputs"),
    ONLY("sds_manager_open_store", path_null, INVALID_ARGUMENT, "path is NULL with a length of 8"),
    ONLY("sds_manager_open_store", path_over_isize, INVALID_ARGUMENT, "path has an impossible length"),
    ONLY("sds_manager_open_store", path_not_utf8, NOT_UTF8, "path is not UTF-8"),
    ONLY("sds_manager_open_store", path_empty, INVALID_ARGUMENT, "path is empty"),
    ONLY("sds_manager_open_store", path_of_two, STORE_FAILED, "nul byte"),
    ONLY("sds_manager_open_store", synchronous_3, INVALID_ARGUMENT, "synchronous is 3"),
    ONLY("sds_manager_open_external", stored_null, INVALID_ARGUMENT, "records are NULL with a count of 1"),
    ONLY("sds_manager_open_external", stored_beyond, INVALID_ARGUMENT, "impossible count of"),
    ONLY("sds_manager_open_external", stored_size, INVALID_SIZE, "size of records"),
    ONLY("sds_manager_open_external", stored_channel, NOT_UTF8, "channel id of a record is not UTF-8"),
    ONLY("sds_manager_open_external", stored_key_null, INVALID_ARGUMENT, "key of a record is NULL"),
    ONLY("sds_manager_open_external", stored_key_short, STORE_UNUSABLE, "key of the wrong length"),
    ONLY("sds_manager_open_external", stored_key_kind, STORE_UNUSABLE, "unknown kind"),
    ONLY("sds_manager_open_external", stored_value_null, INVALID_ARGUMENT, "value of a record is NULL"),
    ONLY("sds_manager_open_external", stored_value, STORE_UNUSABLE, "does not decode"),
    ONLY("sds_offer", offered_null, INVALID_ARGUMENT, "number is NULL"),
    ONLY("sds_confirm", number_other, INVALID_ARGUMENT, "offer 2 is not the one that waits"),
    ONLY("sds_confirm", number_none, INVALID_ARGUMENT, "offer 0 is not the one that waits"),
    ONLY("sds_read_log", after_null, INVALID_ARGUMENT, "after_id is NULL"),
    ONLY("sds_read_log", after_not_utf8, NOT_UTF8, "after_id is not UTF-8"),
    ONLY("sds_read_log", limit_none, INVALID_ARGUMENT, "limit is 0"),
    DEFECT(LOGGED, key_null, INVALID_ARGUMENT, "key is NULL"),
    DEFECT(LOGGED, key_short, STORE_UNUSABLE, "key of the wrong length"),
    DEFECT(LOGGED, key_kind, STORE_UNUSABLE, "unknown kind"),
    DEFECT(LOGGED, key_of_another, INVALID_ARGUMENT, "not that of a message"),
    DEFECT(LOGGED, value_cut, STORE_UNUSABLE, "does not decode"),
    DEFECT(LOGGED, side_null, INVALID_ARGUMENT, "side is NULL"),
    DEFECT(LOGGED, side_other, STORE_UNUSABLE, "does not decode"),
    DEFECT(KNOWN, known_nothing, INVALID_ARGUMENT, "known are NULL with a count of 1"),
    DEFECT(KNOWN, known_beyond, INVALID_ARGUMENT, "impossible count of"),
    SIZES(KNOWN, known, "known"),
    DEFECT(KNOWN, known_id_null, INVALID_ARGUMENT, "message id is NULL"),
    DEFECT(KNOWN, known_id_not_utf8, NOT_UTF8, "message id is not UTF-8"),
    DEFECT(KNOWN, known_id_empty, INVALID_ID, "message id is empty"),
    DEFECT(KNOWN, known_id_long, INVALID_ID, "message id of 257 bytes is over the limit of 256"),
    DEFECT(KNOWN, known_sender_not_utf8, NOT_UTF8, "sender id is not UTF-8"),
    DEFECT(KNOWN, known_sender_long, INVALID_ID, "sender id of 257 bytes is over the limit of 256"),
    DEFECT(KNOWN, known_hint_null, INVALID_ARGUMENT, "hint is NULL"),
    DEFECT(KNOWN, known_hint_long, TOO_LARGE, "hint of 1025 bytes is over the limit of 1024"),
    // Without options a channel has the usual ones.
    SIZES(OPTIONS, options, "options"),
    DEFECT(OPTIONS, flags_other, INVALID_ARGUMENT, "unknown channel flags 0x1000"),
    DEFECT(OPTIONS, options_profile, INVALID_ARGUMENT, "profile is 77"),
    SIZED(CHANNEL_STATUS, status),
    SIZED(INSPECTION, inspection),
    SIZED(RECORD, record),
    SIZED(ENTRY, entry),
    ONLY("sds_entry_next", entries_null, INVALID_ARGUMENT, ""),
    ONLY("sds_entry_next", entries_over_isize, INVALID_ARGUMENT, ""),
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static int applies(const struct defect *defect, const struct function *function) {
    if (defect->only) {
        return strcmp(defect->only, function->name) == 0;
    }
    return (defect->of & function->takes) && !(defect->spoil == out_null && (function->takes & MAY_LACK_OUT));
}

static void refused(struct scene *it, const struct function *function, const struct defect *defect,
                    const sds_buffer_t *before, uint64_t deadline_ms) {
    char what[128];
    sds_buffer_t after = {NULL, 0, 0};
    sds_channel_status_t status;
    uint64_t deadline_after = 0;
    struct args args = scene_args(it, function->takes);
    sds_manager_t manager = args.manager;
    int says = 1, same, unwritten;
    snprintf(what, sizeof what, "%s, %s", function->name, defect->what);
    defect->spoil(&args);
    check_status(function->call(&args), defect->status, what, __FILE__, __LINE__);
    if (function->takes & ERROR) {
        says = it->error.status == (int32_t)defect->status && strstr(it->error.text, defect->says);
    }
    if (!says) {
        printf("%s: \"%s\", wanted \"%s\"\n", what, it->error.text, defect->says);
    }
    check(says, what, __FILE__, __LINE__);
    unwritten = it->len == 0 && it->out.len == 0 && it->opened == 7 && it->deadline_ms == 7 && it->number == 7 && no_data.len == 0 &&
                no_capacity.len == 0;
    check(unwritten, what, __FILE__, __LINE__);
    status.size = sizeof status;
    OK(sds_channel_status(manager, CHANNEL, &status, NULL));
    OK(sds_channel_dump(manager, CHANNEL, &after, NULL));
    OK(sds_next_deadline(manager, &deadline_after, NULL));
    same = after.len == before->len && memcmp(after.data, before->data, after.len) == 0;
    check(same && status.sent == 1 && deadline_after == deadline_ms, what, __FILE__, __LINE__);
    sds_buffer_free(&after);
}

void every_tests(void) {
    struct scene *it = (struct scene *)malloc(sizeof *it);
    sds_buffer_t before = {NULL, 0, 0};
    uint64_t deadline_ms = 0;
    size_t f, d;
    memset(long_id, 'x', sizeof long_id);
    no_data.capacity = 64;
    no_capacity.data = &a_byte;

    scene_open(it);
    OK(sds_channel_dump(it->alice.manager, CHANNEL, &before, NULL));
    OK(sds_next_deadline(it->alice.manager, &deadline_ms, NULL));
    for (f = 0; f < COUNT(functions); f++) {
        for (d = 0; d < COUNT(defects); d++) {
            if (applies(&defects[d], &functions[f])) {
                refused(it, &functions[f], &defects[d], &before, deadline_ms);
            }
        }
    }
    scene_close(it);
    sds_buffer_free(&before);

    // With nothing spoiled each call succeeds: what was refused above was refused for its defect.
    for (f = 0; f < COUNT(functions); f++) {
        struct args args;
        scene_open(it);
        args = scene_args(it, functions[f].takes);
        check_status(functions[f].call(&args), SDS_OK, functions[f].name, __FILE__, __LINE__);
        scene_close(it);
    }
    free(it);
}
