// What time brings: resends, acknowledgements, sync messages, losses. No test waits: the clock is an argument.
#include "party.h"

void repair_tests(void);

// Ticks at every deadline until a record of this kind about this message comes out ("" for any); gives up after an hour.
static int tick_until(struct party *party, uint16_t kind, const char *id, uint64_t *now_ms) {
    const uint64_t end = *now_ms + 3600000;
    while (*now_ms < end) {
        uint64_t deadline = 0;
        OK(sds_next_deadline(party->manager, &deadline, NULL));
        if (deadline == SDS_NO_DEADLINE) {
            return 0;
        }
        *now_ms = deadline > *now_ms ? deadline : *now_ms + 1;
        OK(sds_tick(party->manager, *now_ms, NULL));
        party_drain(party);
        while (party_next(party)) {
            int about_it = *id == '\0' || is_text(party->record.message_id, party->record.message_id_len, id);
            if (party->record.kind == kind && about_it) {
                return 1;
            }
        }
    }
    return 0;
}

static void state_is(struct party *party, const char *id, uint16_t state) {
    OK(sds_message_status(party->manager, CHANNEL, TEXT(id), &party->out, NULL));
    party_read(party);
    CHECK(party->record.kind == SDS_RECORD_MESSAGE_STATUS);
    CHECK(party->record.code == state);
}

// m1 is lost on the way; it goes out again with the same bytes, and an answer that names it acknowledges it.
static void resent_and_acknowledged(void) {
    struct party alice, bob;
    struct packet first, again, answer;
    uint64_t now_ms = START;
    size_t at = 0;
    sds_entry_t entry;
    party_open(&alice, "alice", SDS_PROFILE_RFC);
    party_open(&bob, "bob", SDS_PROFILE_RFC);

    party_wrap(&alice, "m1", "hello", now_ms, &first);
    state_is(&alice, "m1", SDS_STATE_UNACKNOWLEDGED);
    OK(sds_tick(alice.manager, now_ms + 1, NULL));
    party_drain(&alice);
    CHECK(!party_next(&alice));

    CHECK(tick_until(&alice, SDS_RECORD_TRANSMIT, "m1", &now_ms));
    CHECK(now_ms >= START + 5000 && now_ms <= START + 6000);
    CHECK(alice.record.code == SDS_REASON_RESEND);
    again.len = alice.record.data_len;
    memcpy(again.data, alice.record.data, again.len);
    CHECK(again.len == first.len && memcmp(again.data, first.data, first.len) == 0);

    CHECK(party_unwrap(&bob, &again, now_ms) == SDS_DISPOSITION_DELIVERED);
    party_wrap(&bob, "b1", "hello yourself", now_ms + 10, &answer);
    CHECK(party_unwrap(&alice, &answer, now_ms + 20) == SDS_DISPOSITION_DELIVERED);
    CHECK(party_told(&alice, SDS_RECORD_ACKNOWLEDGED, "m1"));
    state_is(&alice, "m1", SDS_STATE_ACKNOWLEDGED);
    CHECK(alice.record.number == 1.0);
    CHECK(alice.record.flags >> SDS_RESENDS_SHIFT == 1);
    entry.size = sizeof entry;
    OK(sds_entry_next(&alice.record, &at, &entry));
    CHECK(is_text(entry.sender_id, entry.sender_id_len, "bob"));
    CHECK(is_text(entry.message_id, entry.message_id_len, "certain"));

    party_close(&alice);
    party_close(&bob);
}

// Bob has nothing to say; his sync message confirms what he received.
static void confirmed_by_sync(void) {
    struct party alice, bob;
    struct packet packet;
    uint64_t now_ms = START;
    party_open(&alice, "alice", SDS_PROFILE_RFC);
    party_open(&bob, "bob", SDS_PROFILE_RFC);

    party_wrap(&alice, "m1", "hello", now_ms, &packet);
    CHECK(party_unwrap(&bob, &packet, now_ms) == SDS_DISPOSITION_DELIVERED);
    CHECK(tick_until(&bob, SDS_RECORD_TRANSMIT, "", &now_ms));
    CHECK(bob.record.code == SDS_REASON_SYNC);
    packet.len = bob.record.data_len;
    memcpy(packet.data, bob.record.data, packet.len);
    CHECK(party_unwrap(&alice, &packet, now_ms) == SDS_DISPOSITION_SYNC);
    CHECK(alice.record.data_len == 0);
    state_is(&alice, "m1", SDS_STATE_ACKNOWLEDGED);

    party_close(&alice);
    party_close(&bob);
}

static void nobody_there(void) {
    struct party alice;
    struct packet packet;
    uint64_t now_ms = START;
    party_open(&alice, "alice", SDS_PROFILE_RFC);

    party_wrap(&alice, "m1", "hello", now_ms, &packet);
    CHECK(tick_until(&alice, SDS_RECORD_FAILED, "m1", &now_ms));
    state_is(&alice, "m1", SDS_STATE_FAILED);
    OK(sds_retry(alice.manager, CHANNEL, TEXT("m1"), now_ms, NULL));
    CHECK(party_told(&alice, SDS_RECORD_TRANSMIT, "m1"));
    OK(sds_cancel(alice.manager, CHANNEL, TEXT("m1"), now_ms, NULL));
    state_is(&alice, "m1", SDS_STATE_CANCELLED);
    CHECK(!tick_until(&alice, SDS_RECORD_TRANSMIT, "m1", &now_ms));

    party_close(&alice);
}

// m1 never comes: m2 is delivered without it in the end, and m1 late, should it turn up after all.
static void lost(void) {
    struct party alice, bob;
    struct packet first, second;
    uint64_t now_ms = START;
    int delivered = 0;
    party_open(&alice, "alice", SDS_PROFILE_RFC);
    party_open(&bob, "bob", SDS_PROFILE_RFC);

    party_wrap(&alice, "m1", "one", now_ms, &first);
    party_wrap(&alice, "m2", "two", now_ms + 1, &second);
    CHECK(party_unwrap(&bob, &second, now_ms) == SDS_DISPOSITION_WAITING);
    CHECK(tick_until(&bob, SDS_RECORD_LOST, "m1", &now_ms));
    CHECK(now_ms >= START + 600000);
    while (party_next(&bob)) {
        delivered |= bob.record.kind == SDS_RECORD_DELIVERED && is_bytes(bob.record.data, bob.record.data_len, "two");
    }
    CHECK(delivered);
    CHECK(party_unwrap(&bob, &first, now_ms + 1) == SDS_DISPOSITION_LATE);
    CHECK(bob.record.flags & SDS_FLAG_LATE);

    party_close(&alice);
    party_close(&bob);
}

static uint64_t answers_counted(struct party *party) {
    sds_channel_status_t status;
    status.size = sizeof status;
    OK(sds_channel_status(party->manager, CHANNEL, &status, NULL));
    return status.repairs_answered;
}

// Alice is gone, and bob misses m1: he asks for it (SDS-R), and carol answers with the bytes that she received.
static void asked_for_and_answered(void) {
    struct party alice, bob, carol;
    struct packet first, second, packet;
    uint64_t now_ms = START;
    party_open(&alice, "alice", SDS_PROFILE_RFC);
    party_open(&bob, "bob", SDS_PROFILE_RFC);
    party_open(&carol, "carol", SDS_PROFILE_RFC);

    party_wrap(&alice, "m1", "one", now_ms, &first);
    party_wrap(&alice, "m2", "two", now_ms + 1, &second);
    CHECK(party_unwrap(&carol, &first, now_ms) == SDS_DISPOSITION_DELIVERED);
    CHECK(party_unwrap(&carol, &second, now_ms) == SDS_DISPOSITION_DELIVERED);
    CHECK(party_unwrap(&bob, &second, now_ms) == SDS_DISPOSITION_WAITING);

    CHECK(tick_until(&bob, SDS_RECORD_REPAIR_REQUESTED, "m1", &now_ms));
    CHECK(bob.record.number == 1.0);
    CHECK(now_ms >= START + 30000 && now_ms < START + 120000);
    do {
        CHECK(party_next(&bob));
    } while (bob.record.kind != SDS_RECORD_TRANSMIT);
    CHECK(bob.record.code == SDS_REASON_REPAIR_REQUEST);
    packet.len = bob.record.data_len;
    memcpy(packet.data, bob.record.data, packet.len);

    CHECK(party_unwrap(&carol, &packet, now_ms) == SDS_DISPOSITION_SYNC);
    CHECK(answers_counted(&carol) == 0);
    CHECK(tick_until(&carol, SDS_RECORD_TRANSMIT, "m1", &now_ms));
    CHECK(carol.record.code == SDS_REASON_REPAIR_ANSWER);
    CHECK(carol.record.data_len == first.len && memcmp(carol.record.data, first.data, first.len) == 0);
    CHECK(answers_counted(&carol) == 1);

    CHECK(party_unwrap(&bob, &first, now_ms) == SDS_DISPOSITION_DELIVERED);
    CHECK(party_told(&bob, SDS_RECORD_REPAIRED, "m1"));

    party_close(&alice);
    party_close(&bob);
    party_close(&carol);
}

static void offline(void) {
    struct party alice;
    struct packet packet;
    party_open(&alice, "alice", SDS_PROFILE_RFC);

    party_wrap(&alice, "m1", "hello", START, &packet);
    OK(sds_set_online(alice.manager, 0, START + 1, NULL));
    OK(sds_tick(alice.manager, START + 60000, NULL));
    CHECK(!party_told(&alice, SDS_RECORD_TRANSMIT, "m1"));
    OK(sds_set_online(alice.manager, 1, START + 60001, NULL));
    OK(sds_tick(alice.manager, START + 60001, NULL));
    CHECK(party_told(&alice, SDS_RECORD_TRANSMIT, "m1"));

    party_close(&alice);
}

void repair_tests(void) {
    resent_and_acknowledged();
    confirmed_by_sync();
    nobody_there();
    lost();
    asked_for_and_answered();
    offline();
}
