// State that the host keeps: here in an array, as it would in a table with the columns channel, key and value.
#include "party.h"

#include <stdlib.h>

void external_tests(void);

struct row {
    char channel_id[32];
    uint8_t key[SDS_KEY_SIZE];
    uint8_t *value;
    size_t value_len;
};

struct table {
    struct row rows[256];
    size_t count;
};

static int same_channel(const struct row *row, const sds_record_t *record) {
    return is_text(record->channel_id, record->channel_id_len, row->channel_id);
}

// Deletes the rows of an offer's record: those of a key, those of a channel, or all.
static void table_delete(struct table *table, const sds_record_t *record) {
    size_t from, to = 0;
    for (from = 0; from < table->count; from++) {
        struct row *row = &table->rows[from];
        int hit = record->code == SDS_WRITE_WIPE || same_channel(row, record);
        if (record->code == SDS_WRITE_PUT || record->code == SDS_WRITE_DELETE) {
            hit = hit && memcmp(row->key, record->data, SDS_KEY_SIZE) == 0;
        }
        if (hit) {
            free(row->value);
        } else {
            table->rows[to++] = *row;
        }
    }
    table->count = to;
}

// Whether the key of a message is there already, or comes after those of all that are: then it is a new one.
static int is_there_or_last(const struct table *table, const sds_record_t *record) {
    int there = 0, last = 1;
    size_t i;
    for (i = 0; i < table->count; i++) {
        const struct row *row = &table->rows[i];
        if (is_text(record->channel_id, record->channel_id_len, row->channel_id) && row->key[0] == SDS_KEY_MESSAGE) {
            int order = memcmp(record->data, row->key, SDS_KEY_SIZE);
            there = there || order == 0;
            last = last && order > 0;
        }
    }
    return there || last;
}

static void table_put(struct table *table, const sds_record_t *record) {
    struct row *row = &table->rows[table->count];
    CHECK(record->data[0] != SDS_KEY_MESSAGE || is_there_or_last(table, record));
    CHECK(table->count < 256 && record->channel_id_len < 32 && record->data_len > SDS_KEY_SIZE);
    table_delete(table, record);
    row = &table->rows[table->count++];
    snprintf(row->channel_id, sizeof row->channel_id, "%.*s", (int)record->channel_id_len, record->channel_id);
    memcpy(row->key, record->data, SDS_KEY_SIZE);
    row->value_len = record->data_len - SDS_KEY_SIZE;
    row->value = (uint8_t *)malloc(row->value_len);
    memcpy(row->value, record->data + SDS_KEY_SIZE, row->value_len);
}

static void table_empty(struct table *table) {
    while (table->count > 0) {
        free(table->rows[--table->count].value);
    }
}

// Takes the offer; its number, or 0 if nothing waits. A transaction of a real host's would begin and end here.
static uint64_t commit(struct table *table, struct party *party) {
    uint64_t number = 77;
    size_t at = 0;
    OK(sds_offer(party->manager, &number, &party->out, NULL));
    party->record.size = sizeof party->record;
    while (sds_record_next(party->out.data, party->out.len, &at, &party->record) == SDS_OK) {
        CHECK(number != 0 && party->record.kind == SDS_RECORD_WRITE);
        if (party->record.code == SDS_WRITE_PUT) {
            table_put(table, &party->record);
        } else {
            table_delete(table, &party->record);
        }
    }
    return number;
}

static void commit_and_confirm(struct table *table, struct party *party) {
    uint64_t number;
    while ((number = commit(table, party)) != 0) {
        OK(sds_confirm(party->manager, number, NULL));
    }
}

static sds_status_t try_open(struct party *party, const struct table *table, const char *name, uint64_t now_ms) {
    sds_config_t config;
    sds_stored_t records[256];
    size_t i;
    memset(party, 0, sizeof *party);
    memset(records, 0, sizeof records);
    for (i = 0; i < table->count; i++) {
        const struct row *row = &table->rows[i];
        records[i].size = sizeof records[i];
        records[i].channel_id = row->channel_id, records[i].channel_id_len = strlen(row->channel_id);
        records[i].key = row->key, records[i].key_len = SDS_KEY_SIZE;
        records[i].value = row->value, records[i].value_len = row->value_len;
    }
    OK(sds_config_init(&config, sizeof config));
    config.participant_id = name;
    config.participant_id_len = strlen(name);
    config.max_unconfirmed_bytes = 200000;
    return sds_manager_open_external(&config, records, table->count, now_ms, &party->manager, NULL);
}

static void what_is_not_committed_does_not_go_out(struct table *table) {
    static struct party alice, bob;
    static struct packet packet;
    sds_buffer_t first = {NULL, 0, 0};
    uint64_t number = 0, again = 0;
    size_t len = 7;
    uint8_t memory[16];
    OK(try_open(&alice, table, "alice", START));
    OK(sds_channel_open(alice.manager, CHANNEL, NULL, START, NULL));
    commit_and_confirm(table, &alice);

    OK(sds_wrap_outgoing(alice.manager, CHANNEL, TEXT("a1"), BYTES("hello"), START, &alice.out, NULL));
    party_read(&alice);
    CHECK(alice.record.kind == SDS_RECORD_WRAPPED && (alice.record.flags & SDS_FLAG_HELD) && alice.record.data_len == 0);
    CHECK(is_text(alice.record.message_id, alice.record.message_id_len, "a1"));
    OK(sds_wrap_outgoing_into(alice.manager, CHANNEL, TEXT("a1"), BYTES("hello"), START, memory, sizeof memory, &len,
                              &alice.out, NULL));
    party_read(&alice);
    CHECK(len == 0 && (alice.record.flags & SDS_FLAG_HELD));
    party_drain(&alice);
    CHECK(!party_next(&alice));

    // The commit failed, say: the same offer comes again, also when more waits by then.
    OK(sds_offer(alice.manager, &number, &first, NULL));
    OK(sds_wrap_outgoing(alice.manager, CHANNEL, TEXT("a2"), BYTES("more"), START, &alice.out, NULL));
    OK(sds_offer(alice.manager, &again, &alice.out, NULL));
    CHECK(number != 0 && again == number);
    CHECK(first.len == alice.out.len && memcmp(first.data, alice.out.data, first.len) == 0);
    sds_buffer_free(&first);
    STATUS(SDS_INVALID_ARGUMENT, sds_confirm(alice.manager, number + 1, NULL));
    party_drain(&alice);
    CHECK(!party_next(&alice));

    // It is done: what it held back comes out, and no more.
    CHECK(commit(table, &alice) == number);
    OK(sds_confirm(alice.manager, number, NULL));
    STATUS(SDS_INVALID_ARGUMENT, sds_confirm(alice.manager, number, NULL));
    CHECK(party_told(&alice, SDS_RECORD_TRANSMIT, "a1") && alice.record.code == SDS_REASON_PUBLISH);
    memcpy(packet.data, alice.record.data, alice.record.data_len);
    packet.len = alice.record.data_len;
    CHECK(!party_told(&alice, SDS_RECORD_TRANSMIT, "a2"));
    party_open(&bob, "bob", SDS_PROFILE_RFC);
    CHECK(party_unwrap(&bob, &packet, START) == SDS_DISPOSITION_DELIVERED);

    // The process dies before the second is committed: it was never sent, and is not there.
    OK(sds_offer(alice.manager, &number, &alice.out, NULL));
    CHECK(number != 0);
    party_close(&alice);
    OK(try_open(&alice, table, "alice", START + 60000));
    STATUS(SDS_UNKNOWN_MESSAGE, sds_message_status(alice.manager, CHANNEL, TEXT("a2"), &alice.out, NULL));
    OK(sds_tick(alice.manager, START + 70000, NULL));
    party_drain(&alice);
    CHECK(!party_next(&alice));
    commit_and_confirm(table, &alice);
    CHECK(party_told(&alice, SDS_RECORD_TRANSMIT, "a1") && alice.record.code == SDS_REASON_RESEND);
    CHECK(!party_told(&alice, SDS_RECORD_TRANSMIT, "a2"));

    party_wrap(&bob, "b1", "answer", START + 1, &packet);
    CHECK(party_unwrap(&alice, &packet, START + 70001) == SDS_DISPOSITION_DELIVERED);
    OK(sds_set_retrieval_hint(alice.manager, CHANNEL, TEXT("b1"), BYTES("hint"), NULL));
    party_drain(&alice);
    CHECK(!party_next(&alice));
    commit_and_confirm(table, &alice);
    CHECK(party_told(&alice, SDS_RECORD_ACKNOWLEDGED, "a1"));
    party_close(&alice);
    party_close(&bob);
}

static const struct row *side_of(const struct table *table, const struct row *message) {
    size_t i;
    for (i = 0; i < table->count; i++) {
        const struct row *row = &table->rows[i];
        if (row->key[0] == SDS_KEY_SIDE && memcmp(row->key + 1, message->key + 1, SDS_KEY_SIZE - 1) == 0) {
            return row;
        }
    }
    return NULL;
}

static void the_host_reads_its_log(struct table *table) {
    static struct party alice;
    sds_entry_t entry;
    size_t i, at = 0, seen = 0;
    OK(try_open(&alice, table, "alice", START + 80000));
    STATUS(SDS_WRONG_STORE, sds_read_log(alice.manager, CHANNEL, 0, NULL, 0, 10, &alice.out, NULL, NULL));
    for (i = 0; i < table->count; i++) {
        const struct row *row = &table->rows[i], *side;
        if (row->key[0] != SDS_KEY_MESSAGE) {
            STATUS(SDS_INVALID_ARGUMENT, sds_read_log_record(alice.manager, row->key, SDS_KEY_SIZE, row->value,
                                                             row->value_len, NULL, 0, &alice.out, NULL));
            continue;
        }
        side = side_of(table, row);
        OK(sds_read_log_record(alice.manager, row->key, SDS_KEY_SIZE, row->value, row->value_len,
                               side ? side->value : NULL, side ? side->value_len : 0, &alice.out, NULL));
        party_read(&alice);
        CHECK(alice.record.kind == SDS_RECORD_LOGGED);
        if (is_text(alice.record.message_id, alice.record.message_id_len, "b1")) {
            CHECK(is_bytes(alice.record.data, alice.record.data_len, "answer") && alice.record.entry_count == 1);
            entry.size = sizeof entry;
            OK(sds_entry_next(&alice.record, &at, &entry));
            CHECK(is_bytes(entry.retrieval_hint, entry.retrieval_hint_len, "hint"));
        } else {
            CHECK(is_bytes(alice.record.data, alice.record.data_len, "hello"));
            CHECK(alice.record.flags & SDS_FLAG_SENT);
        }
        STATUS(SDS_STORE_UNUSABLE, sds_read_log_record(alice.manager, row->key, SDS_KEY_SIZE, row->value,
                                                       row->value_len - 1, NULL, 0, &alice.out, NULL));
        seen++;
    }
    CHECK(seen == 2);
    party_close(&alice);
}

static void what_does_not_fit_is_refused(struct table *table) {
    static struct party alice;
    struct table none;
    uint8_t kind;
    size_t i;
    none.count = 0;
    STATUS(SDS_STORE_UNUSABLE, try_open(&alice, table, "bob", START + 90000));
    kind = table->rows[0].key[0];
    table->rows[0].key[0] = 99;
    STATUS(SDS_STORE_UNUSABLE, try_open(&alice, table, "alice", START + 90000));
    table->rows[0].key[0] = kind;
    // A host that never confirms is stopped, and nothing is lost once it does.
    OK(try_open(&alice, &none, "alice", START));
    OK(sds_channel_open(alice.manager, CHANNEL, NULL, START, NULL));
    for (i = 0; i < 1000; i++) {
        sds_status_t status =
            sds_wrap_outgoing(alice.manager, CHANNEL, NULL, 0, BYTES("unconfirmed"), START, &alice.out, NULL);
        if (status != SDS_OK) {
            CHECK(status == SDS_UNCONFIRMED);
            break;
        }
    }
    CHECK(i > 2 && i < 1000);
    commit_and_confirm(&none, &alice);
    OK(sds_wrap_outgoing(alice.manager, CHANNEL, NULL, 0, BYTES("confirmed"), START, &alice.out, NULL));
    table_empty(&none);
    party_close(&alice);
}

static void what_is_forgotten_is_gone(struct table *table) {
    static struct party alice;
    size_t i;
    OK(try_open(&alice, table, "alice", START + 90000));
    OK(sds_channel_open(alice.manager, TEXT("other"), NULL, START + 90000, NULL));
    commit_and_confirm(table, &alice);
    OK(sds_channel_forget(alice.manager, CHANNEL, NULL));
    commit_and_confirm(table, &alice);
    for (i = 0; i < table->count; i++) {
        CHECK(strcmp(table->rows[i].channel_id, "chat") != 0);
    }
    CHECK(table->count >= 2);
    OK(sds_manager_reset(alice.manager, NULL));
    commit_and_confirm(table, &alice);
    // The manager itself is left.
    CHECK(table->count == 1 && table->rows[0].channel_id[0] == 0);
    OK(sds_flush(alice.manager, NULL));
    commit_and_confirm(table, &alice);
    CHECK(table->count == 1);
    party_close(&alice);
}

static void memory_keeps_nothing(void) {
    static struct party alice;
    uint64_t number = 7;
    party_open(&alice, "alice", SDS_PROFILE_RFC);
    STATUS(SDS_WRONG_STORE, sds_offer(alice.manager, &number, &alice.out, NULL));
    STATUS(SDS_WRONG_STORE, sds_read_log(alice.manager, CHANNEL, 0, NULL, 0, 10, &alice.out, NULL, NULL));
    OK(sds_flush(alice.manager, NULL));
    party_close(&alice);
}

void external_tests(void) {
    static struct table table;
    what_is_not_committed_does_not_go_out(&table);
    the_host_reads_its_log(&table);
    what_does_not_fit_is_refused(&table);
    what_is_forgotten_is_gone(&table);
    memory_keeps_nothing();
    table_empty(&table);
}
