// This package and the real @waku/sds in one channel, in the rfc profile, on made-up time.
import assert from "node:assert/strict";
import { test } from "node:test";

import { inspect, MemoryStore, ReliableChannel } from "@status-im/sds";

import { loadTheirs } from "./support/theirs.js";
import { Bus, bytes, chance, idle, record, TestClock, text } from "./support/world.js";

const clock = new TestClock();
const theirs = await loadTheirs(clock);

async function ours(network, name, config = {}) {
  const options = { clock, seed: 3n, store: new MemoryStore(), config };
  const channel = await ReliableChannel.create(network, "garden", name, options);
  const events = record(channel, ["message-received", "message-acknowledged", "irretrievable-message", "error"]);
  return { name, channel, events };
}

async function member(network, name, options) {
  const made = theirs(network, "garden", name, options);
  await made.join();
  return made;
}

const logOf = async ({ channel }) =>
  (await channel.history({ limit: 1_000 })).map(({ messageId, content }) => [messageId, text(content)]);
const receivedBy = ({ events }) => events.filter(([name]) => name === "message-received").map(([, it]) => text(it.content));

test("each reads all that the other writes, field by field", async () => {
  const bus = new Bus(clock);
  const [alice, bob] = [await ours(bus.join(), "alice"), await member(bus.join(), "bob")];
  const packets = [];
  await bus.join().subscribe(({ payload }) => packets.push(payload));
  const first = alice.channel.send(bytes("from us"));
  await clock.advance(1_000);
  await bob.send(bytes("from them"));
  await clock.advance(1_000);

  const [seen] = bob.received.filter(({ messageId }) => messageId === first);
  assert.deepEqual([seen.senderId, seen.channelId, text(seen.content)], ["alice", "garden", "from us"]);
  assert.equal(seen.bloomFilter.length, 18_752);
  assert.deepEqual(bob.delivered, [first]);

  const sent = await inspect(packets.at(-1));
  assert.deepEqual([sent.senderId, sent.channelId, text(sent.content)], ["bob", "garden", "from them"]);
  assert.deepEqual(sent.causalHistory.map(({ messageId, senderId }) => [messageId, senderId]), [[first, "alice"]]);
  assert.deepEqual(receivedBy(alice), ["from them"]);
  // They named ours, so ours is acknowledged; the next of ours acknowledges theirs.
  assert.ok(alice.events.some(([name, detail]) => name === "message-acknowledged" && detail === first));
  alice.channel.send(bytes("thanks"));
  await clock.advance(1_000);
  assert.deepEqual([...bob.acknowledged], [sent.messageId]);
  assert.deepEqual(bob.errors, []);
});

test("sync and ephemeral messages are understood both ways", async () => {
  const bus = new Bus(clock);
  const [alice, bob] = [await ours(bus.join(), "alice"), await member(bus.join(), "bob")];
  await alice.channel.sendEphemeral(bytes("is typing"));
  await bob.sendEphemeral(bytes("is typing too"));
  await clock.advance(1_000);
  assert.deepEqual(receivedBy(alice), ["is typing too"]);
  // They have no event for it.
  const [ephemeral] = bob.received;
  assert.deepEqual([ephemeral.lamportTimestamp, text(ephemeral.content)], [undefined, "is typing"]);
  assert.deepEqual([await logOf(alice), bob.log], [[], []]);

  const theirMessage = bob.send(bytes("anybody?"));
  await clock.advance(1_000);
  await theirMessage;
  assert.equal(bob.acknowledged.size, 0);
  // Ours confirms what nobody else was heard to confirm, by a sync message that names it.
  await clock.advance(4_000);
  assert.ok(bob.received.some(({ content, lamportTimestamp }) => content === undefined && lamportTimestamp !== undefined));
  assert.equal(bob.acknowledged.size, 1);

  const ourMessage = alice.channel.send(bytes("hello"));
  await clock.advance(300);
  await bob.sendSync();
  await clock.advance(300);
  assert.ok(alice.events.some(([name, detail]) => name === "message-acknowledged" && detail === ourMessage));
  assert.deepEqual(bob.errors, []);
});

test("each repairs what the other misses, without a store (SDS-R)", async () => {
  const bus = new Bus(clock);
  const sides = [bus.join({ fetches: false }), bus.join({ fetches: false }), bus.join({ fetches: false })];
  const alice = await ours(sides[0], "alice");
  const bob = await member(sides[1], "bob");
  const carol = await ours(sides[2], "carol");
  // Bob misses one of carol's, who is gone then; alice has it.
  sides[1].online = false;
  carol.channel.send(bytes("bob misses it"));
  await clock.advance(3_000);
  sides[1].online = true;
  await carol.channel.close();
  alice.channel.send(bytes("next"));
  await clock.advance(1_000);
  assert.equal(bob.waiting, 1);
  await clock.advance(300_000);
  assert.deepEqual([bob.waiting, bob.log.length], [0, 2]);

  // And now dave, of theirs, is gone, alice missed one of his, and bob has it.
  const daveSide = bus.join({ fetches: false });
  const dave = await member(daveSide, "dave", { enableRepair: true });
  sides[0].online = false;
  await dave.send(bytes("alice misses it"));
  await clock.advance(3_000);
  sides[0].online = true;
  daveSide.online = false;
  await bob.send(bytes("and next"));
  await clock.advance(1_000);
  assert.equal(alice.channel.syncStatus.current.missing, 1);
  await clock.advance(300_000);
  assert.equal(alice.channel.syncStatus.current.missing, 0);
  assert.deepEqual(await logOf(alice), bob.log);
  assert.equal(bob.log.length, 4);
  assert.deepEqual(bob.errors, []);
});

test("two of theirs and two of ours talk at a loss of a fifth, and end with equal logs", async () => {
  const bus = new Bus(clock, { loss: 0.2, seed: 21 });
  const web = [await ours(bus.join(), "alice", { causalHistorySize: 10 }), await ours(bus.join(), "bob", { causalHistorySize: 10 })];
  const real = [await member(bus.join(), "carol"), await member(bus.join(), "dave")];
  const random = chance(9);
  for (let round = 0; round < 80; round++) {
    const content = bytes(`message ${round}`);
    const who = Math.floor(random() * 4);
    if (who < 2) web[who].channel.send(content);
    else await real[who - 2].send(content);
    await clock.advance(Math.floor(2_500 * random()));
  }
  await clock.advance(900_000);
  await idle();
  const logs = [...(await Promise.all(web.map(logOf))), ...real.map(({ log }) => log)];
  assert.equal(logs[0].length, 80);
  for (const log of logs) assert.deepEqual(log, logs[0]);
  for (const { channel, events } of web) {
    assert.deepEqual(channel.syncStatus.current.missing, 0);
    assert.deepEqual(channel.syncStatus.current.unacknowledged, 0);
    assert.deepEqual(events.filter(([name]) => name === "error" || name === "irretrievable-message"), []);
  }
  for (const { errors, waiting, unacknowledged } of real) assert.deepEqual([errors, waiting, unacknowledged], [[], 0, 0]);
});
