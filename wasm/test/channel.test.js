// The channel, in memory: what comes out of calls, in which order, and what is refused.
import assert from "node:assert/strict";
import { test } from "node:test";

import { inspect, SdsChannel, SdsError, SdsEvent } from "@status-im/sds";

import { bytes, idle, NOW, record, TestClock, text } from "./support/world.js";

/** A channel whose broadcasts are kept. */
async function member(name, options = {}) {
  const sent = [];
  const clock = options.clock ?? new TestClock();
  const broadcast = (message) => void sent.push(message);
  const channel = await SdsChannel.open("garden", name, { broadcast, clock, seed: 7n, ...options });
  return { channel, sent, clock, events: record(channel, Object.values(SdsEvent)) };
}

const refusedAs = (code) => (error) => error instanceof SdsError && error.code === code;

test("a message is delivered, and acknowledged by the next one of whoever has it", async () => {
  const alice = await member("alice");
  const bob = await member("bob", { clock: alice.clock });
  const { messageId, broadcast } = await alice.channel.pushOutgoingMessage(bytes("hello"));
  assert.equal(broadcast, true);
  assert.deepEqual(alice.events, [[SdsEvent.OutMessageSent, alice.sent[0]]]);
  assert.equal(alice.sent[0].reason, "publish");

  const received = await bob.channel.pushIncomingMessage(alice.sent[0].bytes);
  assert.equal(received.disposition, "delivered");
  assert.equal(received.messageId, messageId);
  assert.equal(received.senderId, "alice");
  assert.equal(received.profile, "rfc");
  // The channel was opened at that time.
  assert.equal(received.lamportTimestamp, BigInt(NOW + 1));
  assert.equal(text(received.content), "hello");
  assert.deepEqual(bob.events.map(([name]) => name), [SdsEvent.InMessageReceived, SdsEvent.InMessageDelivered]);
  assert.equal(bob.events[1][1].messageId, messageId);

  await bob.channel.pushOutgoingMessage(bytes("hi"));
  assert.equal(alice.channel.messageStatus(messageId).state, "unacknowledged");
  await alice.channel.pushIncomingMessage(bob.sent[0].bytes);
  assert.deepEqual(alice.events.filter(([name]) => name === SdsEvent.OutMessageAcknowledged), [
    [SdsEvent.OutMessageAcknowledged, messageId],
  ]);
  const status = alice.channel.messageStatus(messageId);
  assert.equal(status.state, "acknowledged");
  assert.deepEqual(status.acknowledgers, [{ participantId: "bob", certain: true }]);
  assert.equal(alice.channel.messageStatus("none"), undefined);
});

test("what is missing is told, with its hint, and what waits for it follows it", async () => {
  const alice = await member("alice");
  const bob = await member("bob", { clock: alice.clock });
  const hint = new Uint8Array([1, 2, 3]);
  const callback = (message) => {
    alice.sent.push(message);
    return { success: true, retrievalHint: hint };
  };
  const { messageId: first } = await alice.channel.pushOutgoingMessage(bytes("one"), callback);
  await alice.channel.pushOutgoingMessage(bytes("two"), callback);
  const received = await bob.channel.pushIncomingMessage(alice.sent[1].bytes);
  assert.equal(received.disposition, "waiting");
  assert.deepEqual(received.unmet, [{ messageId: first, retrievalHint: hint, senderId: "alice" }]);
  assert.deepEqual(bob.events.map(([name]) => name), [SdsEvent.InMessageReceived, SdsEvent.InMessageMissing]);
  assert.deepEqual(bob.events[1][1], received.unmet);
  assert.deepEqual(bob.channel.sweepIncomingBuffer(), received.unmet);

  bob.events.length = 0;
  await bob.channel.pushIncomingMessage(alice.sent[0].bytes, hint);
  const delivered = bob.events.filter(([name]) => name === SdsEvent.InMessageDelivered);
  assert.deepEqual(delivered.map(([, { content }]) => text(content)), ["one", "two"]);
  assert.deepEqual(bob.channel.sweepIncomingBuffer(), []);
  // What others need to fetch it is named on.
  assert.deepEqual(bob.channel.nextHistory()[0].retrievalHint, hint);
});

test("an unacknowledged message is resent by itself, and given up with an event", async () => {
  const { channel, sent, clock, events } = await member("alice");
  const { messageId } = await channel.pushOutgoingMessage(bytes("anybody?"));
  assert.deepEqual(channel.sweepOutgoingBuffer(), {
    unacknowledged: [messageId],
    possiblyAcknowledged: [],
    givenUp: [],
  });
  await clock.advance(20 * 60_000);
  const resends = sent.filter(({ reason }) => reason === "resend");
  assert.equal(resends.length, 5);
  assert.ok(resends.every(({ bytes }) => Buffer.compare(bytes, sent[0].bytes) === 0));
  assert.deepEqual(events.filter(([name]) => name === SdsEvent.OutMessageFailed), [[SdsEvent.OutMessageFailed, messageId]]);
  assert.deepEqual(channel.sweepOutgoingBuffer().givenUp, [messageId]);
  await channel.retry(messageId);
  assert.equal(channel.messageStatus(messageId).state, "unacknowledged");
  await channel.cancel(messageId);
  assert.equal(channel.messageStatus(messageId).state, "cancelled");
});

test("without a run loop nothing is due by itself, and processTasks does it", async () => {
  const { channel, sent, clock } = await member("alice", { run: false });
  await channel.pushOutgoingMessage(bytes("anybody?"));
  assert.equal(clock.timers, 0);
  await clock.advance(channel.nextDeadlineMs - clock.now());
  assert.equal(sent.length, 1);
  while (!sent.some(({ reason }) => reason === "resend")) {
    await clock.advance(Math.max(channel.nextDeadlineMs - clock.now(), 0));
    await channel.processTasks();
  }
  channel.start();
  assert.equal(clock.timers, 1);
  channel.stop();
  assert.equal(clock.timers, 0);
});

test("offline nothing is resent", async () => {
  const { channel, sent, clock } = await member("alice");
  await channel.pushOutgoingMessage(bytes("hello"));
  await channel.setOnline(false);
  await clock.advance(3_600_000);
  assert.equal(sent.length, 1);
  await channel.setOnline(true);
  await clock.advance(60_000);
  assert.ok(sent.some(({ reason }) => reason === "resend"));
});

test("a broadcast that fails is told, and made up for by a resend", async () => {
  let failing = true;
  const sent = [];
  const broadcast = async (message) => {
    if (failing) throw new Error("no network");
    sent.push(message);
  };
  const { channel, clock, events } = await member("alice", { broadcast });
  assert.equal((await channel.pushOutgoingMessage(bytes("a"))).broadcast, false);
  assert.equal((await channel.pushOutgoingMessage(bytes("b"), () => ({ success: false }))).broadcast, false);
  assert.deepEqual(events.map(([name, detail]) => [name, detail.message]), [[SdsEvent.ErrorTask, "no network"]]);
  failing = false;
  await clock.advance(20_000);
  const ids = new Set(sent.filter(({ reason }) => reason === "resend").map(({ messageId }) => messageId));
  assert.equal(ids.size, 2);
});

test("ephemeral messages are delivered, and remembered nowhere", async () => {
  const alice = await member("alice");
  const bob = await member("bob");
  const sent = await alice.channel.pushOutgoingEphemeralMessage(bytes("is typing"));
  assert.equal(sent.lamportTimestamp, undefined);
  await bob.channel.pushIncomingMessage(alice.sent[0].bytes);
  const [, [, delivered]] = bob.events;
  assert.deepEqual([delivered.ephemeral, text(delivered.content)], [true, "is typing"]);
  assert.equal(bob.channel.status().logged, 0);
  const libsds = await member("carol", { profile: "libsds" });
  await assert.rejects(libsds.channel.pushOutgoingEphemeralMessage(bytes("x")), refusedAs("EPHEMERAL_UNSUPPORTED"));
});

test("sync messages are sent and told, and deliver nothing", async () => {
  const alice = await member("alice");
  const bob = await member("bob", { clock: alice.clock });
  await alice.channel.pushOutgoingMessage(bytes("hello"));
  await bob.channel.pushIncomingMessage(alice.sent[0].bytes);
  await alice.clock.advance(4_000);
  const sync = bob.sent.find(({ reason }) => reason === "sync");
  assert.ok(bob.events.some(([name, detail]) => name === SdsEvent.OutSyncSent && detail === sync));
  const received = await alice.channel.pushIncomingMessage(sync.bytes);
  assert.equal(received.disposition, "sync");
  assert.ok(alice.events.some(([name]) => name === SdsEvent.InSyncReceived));
  assert.ok(alice.events.some(([name]) => name === SdsEvent.OutMessageAcknowledged));
  assert.ok(!alice.events.some(([name]) => name === SdsEvent.InMessageDelivered));
});

test("duplicates and echoes are told to the caller, and to nobody else", async () => {
  const alice = await member("alice");
  const bob = await member("bob");
  await alice.channel.pushOutgoingMessage(bytes("hello"));
  assert.equal((await alice.channel.pushIncomingMessage(alice.sent[0].bytes)).disposition, "own");
  await bob.channel.pushIncomingMessage(alice.sent[0].bytes);
  const before = bob.events.length;
  const again = await bob.channel.pushIncomingMessage(alice.sent[0].bytes);
  assert.deepEqual([again.disposition, text(again.content), bob.events.length], ["duplicate", "hello", before]);
});

test("a listener that calls the channel does not change the order in which others are told", async () => {
  const alice = await member("alice");
  const bob = await member("bob");
  for (const word of ["one", "two", "three"]) await alice.channel.pushOutgoingMessage(bytes(word));
  const carol = await member("carol");
  await carol.channel.pushOutgoingMessage(bytes("other"));
  const seen = [];
  bob.channel.addEventListener(SdsEvent.InMessageDelivered, ({ detail }) => {
    seen.push(text(detail.content));
    if (seen.length === 1) bob.channel.pushIncomingMessage(carol.sent[0].bytes);
  });
  await bob.channel.pushIncomingMessage(alice.sent[2].bytes);
  await bob.channel.pushIncomingMessage(alice.sent[1].bytes);
  await bob.channel.pushIncomingMessage(alice.sent[0].bytes);
  assert.deepEqual(seen, ["one", "two", "three", "other"]);
});

test("a first start with a history names it, and misses none of it", async () => {
  const { channel } = await member("alice");
  const known = { messageId: "m1", senderId: "bob", lamportTimestamp: BigInt(NOW - 1_000) };
  assert.equal(await channel.seedHistory([known, { ...known, messageId: "m2" }]), 2);
  assert.equal(await channel.seedHistory([known]), 0);
  assert.deepEqual(channel.nextHistory().map(({ messageId }) => messageId), ["m1", "m2"]);
  await channel.markDependenciesMet(["m3"]);
});

test("an application's own ids: a retry gives the same bytes, other content is refused", async () => {
  const { channel, sent } = await member("alice");
  await channel.beginOutgoingMessage(bytes("hello"), { messageId: "m1" }).sent;
  await channel.beginOutgoingMessage(bytes("hello"), { messageId: "m1" }).sent;
  assert.deepEqual(sent[0], sent[1]);
  assert.throws(() => channel.beginOutgoingMessage(bytes("other"), { messageId: "m1" }), refusedAs("ID_REUSED"));
});

test("what is refused says so by a code, and changes nothing", async () => {
  const { channel, events } = await member("alice");
  const stranger = await SdsChannel.open("kitchen", "bob", { broadcast: () => {}, run: false });
  let foreign;
  await stranger.pushOutgoingMessage(bytes("hi"), ({ bytes }) => void (foreign = bytes));
  const before = channel.status();
  await assert.rejects(channel.pushIncomingMessage(foreign), refusedAs("UNKNOWN_CHANNEL"));
  await assert.rejects(channel.pushIncomingMessage(bytes("not a message")), refusedAs("NOT_SDS"));
  await assert.rejects(channel.pushIncomingMessage(new Uint8Array()), refusedAs("NOT_SDS"));
  await assert.rejects(channel.pushIncomingMessage(foreign.slice(0, 200)), refusedAs("MALFORMED"));
  await assert.rejects(channel.pushOutgoingMessage(new Uint8Array()), refusedAs("EMPTY_CONTENT"));
  await assert.rejects(channel.pushOutgoingMessage(new Uint8Array(2 ** 21)), refusedAs("TOO_LARGE"));
  await assert.rejects(channel.retry("none"), refusedAs("UNKNOWN_MESSAGE"));
  await assert.rejects(channel.setRetrievalHint("none", bytes("x")), refusedAs("UNKNOWN_MESSAGE"));
  await assert.rejects(channel.history(), refusedAs("WRONG_STORE"));
  assert.deepEqual(channel.status(), before);
  assert.deepEqual(events, []);
});

test("a configuration that cannot work is refused, with the name of the field", async () => {
  const open = (config, more = {}) => SdsChannel.open("garden", "alice", { broadcast: () => {}, config, ...more });
  await assert.rejects(open({ resendIntervalMs: 1 }), /resend_interval_ms/);
  await assert.rejects(open({ maxResends: 1.5 }), /max_resends/);
  await assert.rejects(open({ maxResends: -1 }), refusedAs("INVALID_CONFIG"));
  await assert.rejects(open({ repair: 2 }), refusedAs("INVALID_CONFIG"));
  await assert.rejects(open({ nonsense: 1 }), /no nonsense/);
  await assert.rejects(open({}, { profile: "other" }), refusedAs("INVALID_ARGUMENT"));
  await assert.rejects(SdsChannel.open("", "alice", { broadcast: () => {} }), refusedAs("INVALID_ID"));
  const clock = { ...new TestClock(), now: () => Number.NaN, setTimeout() {}, clearTimeout() {} };
  await assert.rejects(open({}, { clock }), refusedAs("INVALID_ARGUMENT"));
});

test("closed, every call fails, and close again is nothing", async () => {
  const { channel, sent, clock } = await member("alice");
  const pending = channel.beginOutgoingMessage(bytes("hello"), { callback: () => new Promise(() => {}) });
  await idle();
  await channel.close();
  await channel.close();
  assert.equal(channel.isClosed, true);
  assert.equal((await pending.sent).broadcast, false);
  assert.equal(clock.timers, 0);
  await assert.rejects(channel.pushOutgoingMessage(bytes("x")), refusedAs("CLOSED"));
  await assert.rejects(channel.pushIncomingMessage(bytes("x")), refusedAs("CLOSED"));
  await assert.rejects(channel.processTasks(), refusedAs("CLOSED"));
  assert.throws(() => channel.status(), refusedAs("CLOSED"));
  assert.throws(() => channel.nextDeadlineMs, refusedAs("CLOSED"));
  assert.deepEqual(sent, []);
});

test("both profiles are read, whatever is written", async () => {
  const rfc = await member("alice");
  const libsds = await member("bob", { profile: "libsds", clock: rfc.clock });
  await rfc.channel.pushOutgoingMessage(bytes("from the web"));
  const there = await libsds.channel.pushIncomingMessage(rfc.sent[0].bytes);
  assert.deepEqual([there.profile, there.disposition], ["rfc", "delivered"]);
  await libsds.channel.pushOutgoingMessage(bytes("from the app"));
  const here = await rfc.channel.pushIncomingMessage(libsds.sent[0].bytes);
  assert.deepEqual([here.profile, here.disposition], ["libsds", "delivered"]);
  assert.equal(rfc.channel.sweepOutgoingBuffer().unacknowledged.length, 0);
});

test("bytes can be looked into", async () => {
  const { channel, sent } = await member("alice");
  const { messageId: first } = await channel.pushOutgoingMessage(bytes("one"));
  await channel.pushOutgoingMessage(bytes("two"));
  const seen = await inspect(sent[1].bytes);
  assert.deepEqual(
    [seen.profile, seen.channelId, seen.senderId, seen.filterBytes, text(seen.content)],
    ["rfc", "garden", "alice", 18_752, "two"],
  );
  assert.deepEqual(seen.causalHistory.map(({ messageId }) => messageId), [first]);
  await assert.rejects(inspect(bytes("x")), refusedAs("NOT_SDS"));
});

test("equal seeds and calls give equal bytes; without a seed they differ by chance", async () => {
  const run = async (seed) => {
    const { channel, sent, clock } = await member("alice", { seed, profile: "libsds" });
    await channel.pushOutgoingMessage(bytes("hello"));
    await clock.advance(600_000);
    return sent.map(({ bytes }) => Buffer.from(bytes).toString("hex"));
  };
  assert.deepEqual(await run(1n), await run(1n));
  assert.notDeepEqual(await run(undefined), await run(undefined));
});

test("a callback that returns false, as those of @waku/sds do, has not sent", async () => {
  const { channel, clock, sent, events } = await member("alice");
  for (const callback of [() => false, async () => false, () => ({ success: false })]) {
    assert.equal((await channel.pushOutgoingMessage(bytes(String(callback)), callback)).broadcast, false);
    assert.equal((await channel.pushOutgoingEphemeralMessage(bytes("x"), callback)).broadcast, false);
  }
  for (const callback of [() => true, async () => undefined, () => ({ success: true })]) {
    assert.equal((await channel.pushOutgoingEphemeralMessage(bytes("x"), callback)).broadcast, true);
  }
  assert.equal(events.filter(([name]) => name === SdsEvent.OutMessageSent).length, 3);
  await clock.advance(20_000);
  assert.equal(new Set(sent.filter(({ reason }) => reason === "resend").map(({ messageId }) => messageId)).size, 3);
});
