// What callers without TypeScript pass by mistake is refused at the border: the engine would take it for something else.
import assert from "node:assert/strict";
import { test } from "node:test";

import { inspect, MemoryStore, ReliableChannel, SdsChannel, SdsError, SdsEvent } from "@status-im/sds";
import init from "../dist/wasm/sds.js";

import { bytes, record, TestClock, text } from "./support/world.js";

const refusedAs = (code) => (error) => error instanceof SdsError && error.code === code;
const invalid = refusedAs("INVALID_ARGUMENT");

async function member(name, options = {}) {
  const sent = [];
  const broadcast = (message) => void sent.push(message);
  const channel = await SdsChannel.open("garden", name, { broadcast, clock: new TestClock(), seed: 7n, ...options });
  return { channel, sent, events: record(channel, Object.values(SdsEvent)) };
}

const NO_BYTES = ["hello", "1234", undefined, null, 5, [1, 2, 3], { length: 3 }, { length: 2 ** 31 }, new Blob(["abc"])];

test("what holds no bytes is sent to nobody", async () => {
  const { channel, sent, events } = await member("alice");
  for (const value of NO_BYTES) {
    await assert.rejects(channel.pushOutgoingMessage(value), invalid);
    await assert.rejects(channel.pushOutgoingEphemeralMessage(value), invalid);
    assert.throws(() => channel.beginOutgoingMessage(value), invalid);
    await assert.rejects(channel.pushIncomingMessage(value), invalid);
    await assert.rejects(inspect(value), invalid);
    await assert.rejects(channel.setRetrievalHint("m", value), invalid);
  }
  assert.deepEqual([sent, events, channel.status().sent], [[], [], 0]);
  const network = { publish: async () => {}, subscribe: async () => () => {} };
  const reliable = await ReliableChannel.create(network, "garden", "carol");
  assert.throws(() => reliable.send("hello"), invalid);
  await assert.rejects(reliable.sendEphemeral([1]), invalid);
  await reliable.close();
});

test("a codec that makes no bytes has nothing sent", async () => {
  const clock = new TestClock();
  const published = [];
  const network = { publish: async (payload) => void published.push(payload), subscribe: async () => () => {} };
  const codec = { encode: async () => undefined, decode: async (payload) => payload };
  const channel = await ReliableChannel.create(network, "garden", "carol", { codec, clock });
  const errors = record(channel, ["error"]);
  channel.send(bytes("hello"));
  await clock.advance(1);
  assert.deepEqual(published, []);
  assert.ok(errors.length === 1 && invalid(errors[0][1]));
  await channel.close();
});

test("bytes are taken in whatever holds them", async () => {
  const [alice, bob] = [await member("alice"), await member("bob")];
  const whole = bytes("<hello>");
  const holders = [whole.buffer, new DataView(whole.buffer, 1, 5), Buffer.from("hello"), new Uint16Array([0x6568, 0x6c6c])];
  for (const held of holders) await alice.channel.pushOutgoingMessage(held);
  const contents = [];
  for (const { bytes } of alice.sent) {
    const { content } = await bob.channel.pushIncomingMessage(bytes.slice().buffer, new DataView(new ArrayBuffer(4)));
    contents.push(text(content));
    assert.equal(text((await inspect(bytes.slice().buffer)).content), contents.at(-1));
  }
  assert.deepEqual(contents, ["<hello>", "hello", "hello", "hell"]);
  assert.deepEqual(bob.channel.nextHistory()[0].retrievalHint, new Uint8Array(4));
});

test("a hint that is no bytes is refused, and from a broadcast it is told", async () => {
  const [alice, bob] = [await member("alice"), await member("bob")];
  await alice.channel.pushOutgoingMessage(bytes("one"), () => ({ success: true, retrievalHint: "0xabcdef" }));
  assert.ok(alice.events.some(([name, error]) => name === SdsEvent.ErrorTask && invalid(error)));
  assert.equal(alice.channel.nextHistory()[0].retrievalHint, undefined);
  await alice.channel.pushOutgoingMessage(bytes("two"));
  await assert.rejects(bob.channel.pushIncomingMessage(alice.sent[0].bytes, "0xabcdef"), invalid);
  assert.equal(bob.channel.status().received, 0);
});

test("ids, profiles, clocks and callbacks of another type are refused", async () => {
  const { channel } = await member("alice");
  const broadcast = () => {};
  for (const id of [5, undefined, null, {}, "\ud800"]) {
    await assert.rejects(SdsChannel.open(id, "alice", { broadcast }), invalid);
    await assert.rejects(SdsChannel.open("garden", id, { broadcast }), invalid);
    await assert.rejects(channel.retry(id), invalid);
    await assert.rejects(channel.cancel(id), invalid);
    assert.throws(() => channel.messageStatus(id), invalid);
    await assert.rejects(channel.setRetrievalHint(id, bytes("x")), invalid);
    await assert.rejects(channel.markDependenciesMet([id]), invalid);
    await assert.rejects(channel.seedHistory([{ messageId: "m", senderId: id, lamportTimestamp: 5n }]), invalid);
    if (id !== undefined) assert.throws(() => channel.beginOutgoingMessage(bytes("x"), { messageId: id }), invalid);
  }
  await assert.rejects(channel.markDependenciesMet("abc"), invalid);
  await assert.rejects(channel.seedHistory(undefined), invalid);
  for (const lamportTimestamp of [5, -5n, 2n ** 64n]) {
    await assert.rejects(channel.seedHistory([{ messageId: "m", senderId: "s", lamportTimestamp }]), invalid);
  }
  await assert.rejects(channel.pushOutgoingMessage(bytes("x"), 5), invalid);
  const wrong = [{ profile: 5 }, { seed: 5 }, { seed: 2n ** 70n }, { clock: {} }, { store: 5 }];
  for (const options of [undefined, null, {}, ...wrong.map((more) => ({ broadcast, ...more }))]) {
    await assert.rejects(SdsChannel.open("garden", "alice", options), invalid);
  }
});

test("a configuration takes numbers, and null is none", async () => {
  const open = (config) => SdsChannel.open("garden", "alice", { broadcast: () => {}, config });
  for (const value of [null, "7", "seven", 5n, [], new Date()]) {
    await assert.rejects(open({ maxResends: value }), /max_resends/);
  }
  for (const config of [null, 5]) await assert.rejects(open(config), refusedAs("INVALID_CONFIG"));
  await (await open({ maxResends: undefined, repair: false })).close();
});

test("what is too large is refused before the engine makes room for it", async () => {
  const { channel } = await member("alice", { store: new MemoryStore() });
  const { memory } = await init();
  const before = memory.buffer.byteLength;
  const large = new Uint8Array(100 << 20);
  await assert.rejects(channel.pushOutgoingMessage(large), refusedAs("TOO_LARGE"));
  await assert.rejects(channel.pushOutgoingEphemeralMessage(large), refusedAs("TOO_LARGE"));
  await assert.rejects(channel.pushIncomingMessage(large), refusedAs("TOO_LARGE"));
  await assert.rejects(channel.setRetrievalHint("m", large), refusedAs("TOO_LARGE"));
  await assert.rejects(channel.retry("m".repeat(1 << 26)), refusedAs("INVALID_ID"));
  await assert.rejects(inspect(large), refusedAs("TOO_LARGE"));
  assert.equal(memory.buffer.byteLength, before);
});

test("the limits here are the engine's", async () => {
  const { channel } = await member("alice");
  // One byte less is left to the engine, which says the same for another reason: it adds what it needs itself.
  await assert.rejects(channel.pushOutgoingMessage(new Uint8Array((1 << 20) + 1)), /at most/);
  await assert.rejects(inspect(new Uint8Array(1 << 20)), (error) => error.code !== "TOO_LARGE");
  const config = { maxMessageBytes: 3 << 20, repairBytesPerMinute: 3 << 20, maxHintBytes: 2048, maxIdBytes: 300 };
  const { channel: roomy, sent } = await member("bob", { config });
  const { messageId } = await roomy.pushOutgoingMessage(new Uint8Array(2 << 20).fill(1));
  await roomy.setRetrievalHint(messageId, new Uint8Array(2048));
  await assert.rejects(roomy.setRetrievalHint(messageId, new Uint8Array(2049)), refusedAs("TOO_LARGE"));
  await assert.rejects(roomy.retry("m".repeat(300)), refusedAs("UNKNOWN_MESSAGE"));
  await assert.rejects(roomy.retry("m".repeat(301)), refusedAs("INVALID_ID"));
  assert.equal(sent.length, 1);
});
