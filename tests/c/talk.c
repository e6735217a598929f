// Two managers talk: in order, out of order, by batch, and in passing.
#include "party.h"

void talk_tests(void);

static void in_order(void) {
    struct party alice, bob;
    struct packet packet;
    party_open(&alice, "alice", SDS_PROFILE_RFC);
    party_open(&bob, "bob", SDS_PROFILE_RFC);

    party_wrap(&alice, "m1", "hello", START, &packet);
    CHECK(party_unwrap(&bob, &packet, START + 50) == SDS_DISPOSITION_DELIVERED);
    CHECK(is_text(bob.record.channel_id, bob.record.channel_id_len, "chat"));
    CHECK(is_text(bob.record.message_id, bob.record.message_id_len, "m1"));
    CHECK(is_text(bob.record.sender_id, bob.record.sender_id_len, "alice"));
    CHECK(is_bytes(bob.record.data, bob.record.data_len, "hello"));
    CHECK((bob.record.flags & SDS_FLAG_TIMESTAMP) && bob.record.lamport_timestamp_ms >= START);
    CHECK(bob.record.entry_count == 0);

    CHECK(party_unwrap(&bob, &packet, START + 60) == SDS_DISPOSITION_DUPLICATE);
    CHECK(party_unwrap(&alice, &packet, START + 60) == SDS_DISPOSITION_OWN);

    party_close(&alice);
    party_close(&bob);
}

// m1 is lost: m2 names it, waits for it, and is delivered once it is here.
static void out_of_order(void) {
    struct party alice, bob;
    struct packet first, second;
    sds_entry_t entry;
    size_t at = 0;
    party_open(&alice, "alice", SDS_PROFILE_RFC);
    party_open(&bob, "bob", SDS_PROFILE_RFC);

    party_wrap(&alice, "m1", "one", START, &first);
    OK(sds_set_retrieval_hint(alice.manager, CHANNEL, TEXT("m1"), BYTES("hash of m1"), NULL));
    party_wrap(&alice, "m2", "two", START + 1, &second);

    CHECK(party_unwrap(&bob, &second, START + 50) == SDS_DISPOSITION_WAITING);
    CHECK(is_bytes(bob.record.data, bob.record.data_len, "two"));
    CHECK(bob.record.entry_count == 1);
    entry.size = sizeof entry;
    OK(sds_entry_next(&bob.record, &at, &entry));
    CHECK(is_text(entry.message_id, entry.message_id_len, "m1"));
    CHECK(is_bytes(entry.retrieval_hint, entry.retrieval_hint_len, "hash of m1"));
    STATUS(SDS_END, sds_entry_next(&bob.record, &at, &entry));
    CHECK(party_told(&bob, SDS_RECORD_MISSING, "m1"));
    CHECK(bob.record.entry_count == 1);

    CHECK(party_unwrap(&bob, &first, START + 70) == SDS_DISPOSITION_DELIVERED);
    CHECK(party_told(&bob, SDS_RECORD_DELIVERED, "m2"));
    CHECK(is_bytes(bob.record.data, bob.record.data_len, "two"));

    party_close(&alice);
    party_close(&bob);
}

// The host found m1 elsewhere, as Status does in its database.
static void met_elsewhere(void) {
    struct party alice, bob;
    struct packet packet;
    const size_t lengths[] = {2, 7};
    party_open(&alice, "alice", SDS_PROFILE_RFC);
    party_open(&bob, "bob", SDS_PROFILE_RFC);

    party_wrap(&alice, "m1", "one", START, &packet);
    party_wrap(&alice, "m2", "two", START + 1, &packet);
    CHECK(party_unwrap(&bob, &packet, START + 50) == SDS_DISPOSITION_WAITING);
    OK(sds_mark_dependencies_met(bob.manager, CHANNEL, "m1unknown", lengths, 2, START + 60, NULL));
    CHECK(party_told(&bob, SDS_RECORD_DELIVERED, "m2"));

    party_close(&alice);
    party_close(&bob);
}

static void by_batch(void) {
    struct party alice, bob;
    struct packet first, second;
    uint8_t flat[65536];
    size_t lengths[3], at = 0;
    party_open(&alice, "alice", SDS_PROFILE_RFC);
    party_open(&bob, "bob", SDS_PROFILE_RFC);

    party_wrap(&alice, "m1", "one", START, &first);
    party_wrap(&alice, "m2", "two", START + 1, &second);
    memcpy(flat, first.data, first.len);
    memcpy(flat + first.len, "noise", 5);
    memcpy(flat + first.len + 5, second.data, second.len);
    lengths[0] = first.len;
    lengths[1] = 5;
    lengths[2] = second.len;
    OK(sds_unwrap_incoming_batch(bob.manager, flat, lengths, 3, START + 50, &bob.out, NULL));

    bob.record.size = sizeof bob.record;
    OK(sds_record_next(bob.out.data, bob.out.len, &at, &bob.record));
    CHECK(bob.record.kind == SDS_RECORD_UNWRAPPED && bob.record.code == SDS_DISPOSITION_DELIVERED);
    OK(sds_record_next(bob.out.data, bob.out.len, &at, &bob.record));
    CHECK(bob.record.kind == SDS_RECORD_REFUSED && bob.record.data_len > 0);
    CHECK(bob.record.code == SDS_NOT_SDS || bob.record.code == SDS_MALFORMED);
    OK(sds_record_next(bob.out.data, bob.out.len, &at, &bob.record));
    CHECK(bob.record.kind == SDS_RECORD_UNWRAPPED && is_bytes(bob.record.data, bob.record.data_len, "two"));
    STATUS(SDS_END, sds_record_next(bob.out.data, bob.out.len, &at, &bob.record));

    party_close(&alice);
    party_close(&bob);
}

// The bytes go where the caller wants them, or into the record if they do not fit.
static void into_memory(void) {
    struct party alice;
    static uint8_t memory[64 << 10], untouched[sizeof memory];
    size_t len = 7;
    party_open(&alice, "alice", SDS_PROFILE_RFC);
    memset(untouched, 0xee, sizeof untouched);
    memcpy(memory, untouched, sizeof memory);

    OK(sds_wrap_outgoing_into(alice.manager, CHANNEL, TEXT("m"), BYTES("x"), START, NULL, 0, &len, &alice.out, NULL));
    party_read(&alice);
    CHECK(alice.record.kind == SDS_RECORD_WRAPPED && alice.record.data_len == len && len > 7 && len < sizeof memory);
    OK(sds_wrap_outgoing_into(alice.manager, CHANNEL, TEXT("m"), BYTES("x"), START, memory, len - 1, &len, &alice.out,
                              NULL));
    party_read(&alice);
    CHECK(alice.record.data_len == len && memcmp(memory, untouched, sizeof memory) == 0);
    OK(sds_wrap_outgoing_into(alice.manager, CHANNEL, TEXT("m"), BYTES("x"), START, memory, len, &len, &alice.out, NULL));
    party_read(&alice);
    CHECK(alice.record.data_len == 0 && alice.record.message_id_len == 1 && alice.record.message_id[0] == 'm');
    CHECK(memcmp(memory + len, untouched + len, sizeof memory - len) == 0);
    OK(sds_wrap_outgoing(alice.manager, CHANNEL, TEXT("m"), BYTES("x"), START, &alice.out, NULL));
    party_read(&alice);
    CHECK(alice.record.data_len == len && memcmp(alice.record.data, memory, len) == 0);

    // A refused call writes nothing, and what is wrong is found before anything is sent.
    len = 7;
    STATUS(SDS_INVALID_ARGUMENT, sds_wrap_outgoing_into(alice.manager, CHANNEL, TEXT("n"), BYTES("x"), START, NULL, 5, &len,
                                                        &alice.out, NULL));
    STATUS(SDS_INVALID_ARGUMENT, sds_wrap_outgoing_into(alice.manager, CHANNEL, TEXT("n"), BYTES("x"), START, memory,
                                                        sizeof memory, NULL, &alice.out, NULL));
    STATUS(SDS_INVALID_ARGUMENT, sds_wrap_outgoing_into(alice.manager, CHANNEL, TEXT("n"), BYTES("x"), START, memory,
                                                        sizeof memory, &len, NULL, NULL));
    STATUS(SDS_UNKNOWN_MESSAGE, sds_cancel(alice.manager, CHANNEL, TEXT("n"), START, NULL));
    CHECK(len == 7);

    party_close(&alice);
}

static void in_passing(void) {
    struct party alice, bob, status_user;
    struct packet packet;
    sds_error_t error;
    party_open(&alice, "alice", SDS_PROFILE_RFC);
    party_open(&bob, "bob", SDS_PROFILE_RFC);
    party_open(&status_user, "carol", SDS_PROFILE_LIBSDS);

    OK(sds_wrap_ephemeral(alice.manager, CHANNEL, NULL, 0, BYTES("typing"), START, &alice.out, NULL));
    party_read(&alice);
    CHECK(!(alice.record.flags & SDS_FLAG_TIMESTAMP) && alice.record.message_id_len > 0);
    memcpy(packet.data, alice.record.data, alice.record.data_len);
    packet.len = alice.record.data_len;
    CHECK(party_unwrap(&bob, &packet, START + 50) == SDS_DISPOSITION_EPHEMERAL);
    CHECK(is_bytes(bob.record.data, bob.record.data_len, "typing"));

    error.size = sizeof error;
    STATUS(SDS_EPHEMERAL_UNSUPPORTED, sds_wrap_ephemeral(status_user.manager, CHANNEL, NULL, 0, BYTES("typing"), START,
                                                         &status_user.out, &error));
    CHECK(error.status == SDS_EPHEMERAL_UNSUPPORTED && strstr(error.text, "libsds"));
    CHECK(status_user.out.data == NULL && status_user.out.len == 0);

    // Both formats are always read.
    party_wrap(&status_user, "s1", "from Status", START, &packet);
    CHECK(party_unwrap(&bob, &packet, START + 50) == SDS_DISPOSITION_DELIVERED);
    CHECK(bob.record.flags & SDS_FLAG_LIBSDS);

    party_close(&alice);
    party_close(&bob);
    party_close(&status_user);
}

void talk_tests(void) {
    in_order();
    out_of_order();
    met_elsewhere();
    by_batch();
    into_memory();
    in_passing();
}
