// Looking without touching: inspect, next history, channel status, dump, list.
#include "party.h"

void look_tests(void);

static void into_bytes(void) {
    struct party alice;
    struct packet packet;
    sds_inspection_t numbers;
    sds_entry_t entry;
    size_t at = 0;
    party_open(&alice, "alice", SDS_PROFILE_RFC);

    party_wrap(&alice, "m1", "one", START, &packet);
    party_wrap(&alice, "m2", "two", START + 1, &packet);
    numbers.size = sizeof numbers;
    OK(sds_inspect(packet.data, packet.len, &numbers, &alice.out, NULL));
    CHECK(numbers.profile == SDS_PROFILE_RFC && numbers.kind == SDS_KIND_CONTENT);
    CHECK(numbers.history_count == 1 && numbers.repair_count == 0);
    CHECK(numbers.filter == SDS_FILTER_NONE || numbers.filter_bits > 0);
    party_read(&alice);
    CHECK(alice.record.kind == SDS_RECORD_INSPECTED && alice.record.code == SDS_PROFILE_RFC);
    CHECK(is_text(alice.record.sender_id, alice.record.sender_id_len, "alice"));
    CHECK(is_bytes(alice.record.data, alice.record.data_len, "two"));
    entry.size = sizeof entry;
    OK(sds_entry_next(&alice.record, &at, &entry));
    CHECK(is_text(entry.message_id, entry.message_id_len, "m1"));
    CHECK(entry.retrieval_hint == NULL && entry.retrieval_hint_len == 0);
    OK(sds_inspect(packet.data, packet.len, &numbers, NULL, NULL));

    party_close(&alice);
}

static void into_a_channel(void) {
    struct party alice, bob;
    struct packet packet;
    sds_channel_status_t status;
    sds_entry_t entry;
    size_t at = 0;
    party_open(&alice, "alice", SDS_PROFILE_RFC);

    party_wrap(&alice, "m1", "a secret", START, &packet);
    OK(sds_next_history(alice.manager, CHANNEL, &alice.out, NULL));
    party_read(&alice);
    CHECK(alice.record.kind == SDS_RECORD_HISTORY && alice.record.entry_count == 1);
    entry.size = sizeof entry;
    OK(sds_entry_next(&alice.record, &at, &entry));
    CHECK(is_text(entry.message_id, entry.message_id_len, "m1"));

    memset(&status, 0xff, sizeof status);
    status.size = sizeof status;
    OK(sds_channel_status(alice.manager, CHANNEL, &status, NULL));
    CHECK(status.sent == 1 && status.logged == 1 && status.unacknowledged == 1);
    CHECK(status.received == 0 && status.missing == 0 && status.waiting == 0);
    CHECK(status.lamport_timestamp_ms >= START);

    party_wrap(&alice, "m2", "another", START, &packet);
    party_open(&bob, "bob", SDS_PROFILE_RFC);
    OK(sds_missing(bob.manager, CHANNEL, &bob.out, NULL));
    party_read(&bob);
    CHECK(bob.record.kind == SDS_RECORD_HISTORY && bob.record.entry_count == 0);
    OK(sds_unwrap_incoming(bob.manager, packet.data, packet.len, START, &bob.out, NULL));
    OK(sds_missing(bob.manager, CHANNEL, &bob.out, NULL));
    party_read(&bob);
    CHECK(bob.record.entry_count == 1);
    at = 0;
    OK(sds_entry_next(&bob.record, &at, &entry));
    CHECK(is_text(entry.message_id, entry.message_id_len, "m1"));
    party_close(&bob);

    OK(sds_channel_dump(alice.manager, CHANNEL, &alice.out, NULL));
    CHECK(alice.out.len > 2 && alice.out.data[0] == '{' && alice.out.data[alice.out.len - 1] == '}');

    party_close(&alice);
}

static void channels(void) {
    struct party alice;
    sds_channel_options_t options = {sizeof options, SDS_PROFILE_LIBSDS, SDS_CHANNEL_FROM_NOW};
    size_t at = 0;
    party_open(&alice, "alice", SDS_PROFILE_RFC);

    OK(sds_channel_open(alice.manager, CHANNEL, NULL, START, NULL));
    STATUS(SDS_CHANNEL_OPTIONS_DIFFER, sds_channel_open(alice.manager, CHANNEL, &options, START, NULL));
    OK(sds_channel_open(alice.manager, TEXT("another"), &options, START, NULL));
    OK(sds_channel_list(alice.manager, &alice.out, NULL));
    alice.record.size = sizeof alice.record;
    OK(sds_record_next(alice.out.data, alice.out.len, &at, &alice.record));
    CHECK(alice.record.kind == SDS_RECORD_CHANNEL);
    CHECK(is_text(alice.record.channel_id, alice.record.channel_id_len, "another"));
    OK(sds_record_next(alice.out.data, alice.out.len, &at, &alice.record));
    CHECK(is_text(alice.record.channel_id, alice.record.channel_id_len, "chat"));

    OK(sds_channel_close(alice.manager, CHANNEL, NULL));
    STATUS(SDS_UNKNOWN_CHANNEL, sds_channel_close(alice.manager, CHANNEL, NULL));
    OK(sds_channel_forget(alice.manager, CHANNEL, NULL));
    OK(sds_manager_reset(alice.manager, NULL));
    OK(sds_channel_list(alice.manager, &alice.out, NULL));
    CHECK(alice.out.len == 0);

    party_close(&alice);
}

void look_tests(void) {
    into_bytes();
    into_a_channel();
    channels();
}
