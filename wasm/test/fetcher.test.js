// Fetching from a network's store that hangs, while stopped, and when somebody names what nobody has.
import assert from "node:assert/strict";
import { test } from "node:test";

import { ReliableChannel, SdsChannel } from "@status-im/sds";

import { bytes, idle, record, TestClock, text } from "./support/world.js";

/** Messages of somebody, each with a hint, as they go over the network. */
async function packets(count, clock, { name = "bob", known = 0, hints = true, config } = {}) {
  const sent = [];
  const broadcast = ({ bytes }) => {
    sent.push({ payload: bytes, hash: new Uint8Array([sent.length]) });
    return { success: true, retrievalHint: hints ? sent.at(-1).hash : undefined };
  };
  const channel = await SdsChannel.open("garden", name, { broadcast, clock, seed: 3n, config });
  const seeded = Array.from({ length: known }, (_, at) => {
    return { messageId: `unknown ${at}`, senderId: "mallory", lamportTimestamp: BigInt(clock.now() - 1_000 + at) };
  });
  if (known > 0) await channel.seedHistory(seeded);
  for (const { messageId } of seeded) await channel.setRetrievalHint(messageId, bytes(messageId));
  for (let number = 0; number < count; number++) await channel.pushOutgoingMessage(bytes(`message ${number}`));
  await channel.close();
  return sent;
}

async function member(clock, fetch) {
  const network = { asked: [], fetch: undefined, receive: undefined, publish: async () => {} };
  network.subscribe = async (receive) => {
    network.receive = receive;
    return () => {};
  };
  network.fetch = (hashes) => {
    network.asked.push({ atMs: clock.now(), hashes });
    return fetch(hashes);
  };
  const channel = await ReliableChannel.create(network, "garden", "alice", { clock, seed: 1n, config: { repair: false } });
  return { network, channel, events: record(channel, ["message-received", "error"]) };
}

const textsOf = (events) => events.filter(([name]) => name === "message-received").map(([, { content }]) => text(content));

test("a store that never answers is asked again, after a while, and at once when online again", async () => {
  const clock = new TestClock();
  const [lost, next] = await packets(2, clock);
  let answer = () => new Promise(() => {});
  const { network, channel, events } = await member(clock, () => answer());
  network.receive(next);
  await clock.advance(29_000);
  assert.equal(network.asked.length, 1);
  await clock.advance(2_000);
  assert.equal(network.asked.length, 2);
  assert.match(events.find(([name]) => name === "error")[1].message, /did not answer/);
  await channel.setOnline(false);
  await clock.advance(60_000);
  assert.equal(network.asked.length, 2);
  answer = async () => [lost];
  await channel.setOnline(true);
  await clock.advance(1);
  assert.deepEqual(textsOf(events), ["message 0", "message 1"]);
  await channel.close();
  assert.equal(clock.timers, 0);
});

test("stopped, nothing is fetched; started again, what is missing is", async () => {
  const clock = new TestClock();
  const [lost, next] = await packets(2, clock);
  let found = [];
  const { network, channel, events } = await member(clock, async () => found);
  network.receive(next);
  await clock.advance(2_000);
  await channel.stop();
  const before = network.asked.length;
  assert.ok(before > 0);
  await clock.advance(120_000);
  assert.equal(network.asked.length, before);
  found = [lost];
  await channel.start();
  await clock.advance(1);
  assert.deepEqual(textsOf(events), ["message 0", "message 1"]);
  await channel.close();
});

test("a hint that is told later is used", async () => {
  const clock = new TestClock();
  const [first, second] = await packets(2, clock, { hints: false });
  const [, , third] = await packets(3, clock);
  const { network, channel, events } = await member(clock, async () => [first]);
  network.receive(second);
  await clock.advance(5_000);
  assert.equal(network.asked.length, 0);
  network.receive(third);
  await clock.advance(11_000);
  assert.ok(network.asked.some(({ hashes }) => Buffer.compare(hashes[0], new Uint8Array([0])) === 0));
  assert.deepEqual(textsOf(events), ["message 0", "message 1", "message 2"]);
  await channel.close();
});

test("names of what nobody has keep neither us nor the store busy", async () => {
  const clock = new TestClock();
  const config = { causalHistorySize: 900, maxHistoryEntries: 3_600, maxMessageBytes: 8 << 20, repairBytesPerMinute: 8 << 20 };
  const [hostile] = await packets(1, clock, { name: "mallory", known: 900, config });
  const honest = await packets(200, clock);
  const { network, channel } = await member(clock, async () => []);
  let sweeps = 0;
  const sweep = channel.sds.sweepIncomingBuffer.bind(channel.sds);
  channel.sds.sweepIncomingBuffer = () => (sweeps++, sweep());
  network.receive(hostile);
  await clock.advance(5_000);
  assert.ok(channel.syncStatus.current.missing >= 900);
  for (const message of honest) {
    network.receive(message);
    await idle();
  }
  await clock.advance(5_000);
  assert.equal(channel.sds.status().received, 200);
  assert.ok(sweeps <= 3, `${sweeps} sweeps`);
  for (const { atMs } of network.asked) {
    assert.ok(network.asked.filter((other) => other.atMs >= atMs && other.atMs < atMs + 1_000).length <= 5);
  }
  // All of it was asked for all the same.
  assert.equal(new Set(network.asked.flatMap(({ hashes }) => hashes.map(text))).size, 900);
  await channel.close();
});
