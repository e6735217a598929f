// This package and @waku/sds in one Node process: the same payloads, on the same made-up time. Prints lines
// `bench: <name> <value> <unit>`, and fails if a figure is over its limit. `node --expose-gc bench.mjs`.
//
// Two members: one sends 200 bytes a second, the other receives them, and says something every tenth time, which acknowledges
// what was sent. What follows a history is timed call by call, in processor time, all that an application does included:
// encoding, decoding, promises. All histories are timed by turns, in blocks, so that what else the machine does falls on all of
// them.
//
// A figure is the mean of the middle half of its calls. A call takes ten microseconds, and the collector, which V8 starts for the
// many copies of messages whatever the history, takes up to ten thousand, now here and now there: in a mean of all calls, one
// such pause says more than everything else. What it takes altogether is in `web_message_mean`.
import { load, MemoryStore, SdsChannel } from "@status-im/sds";
import initialise from "./dist/wasm/sds.js";

const HISTORIES = [100, 1_000, 5_000];
const LONG = 100_000;
const LEAST_TIMES_FASTER_AT_1000 = 20;
const MOST_FLAT = 1.3;
const MOST_FLAT_FROM_100 = 1.5;
const CALLS = 100;
// As long as it takes until every id of a filter is another: the length of messages goes up and down with it.
const BLOCKS = 10;
const BLOCKS_WAKU = 3;

const realNow = Date.now;
let now = 1_700_000_000_000;
Date.now = () => now;
const { Message, MessageChannel } = await import("@waku/sds");

const clock = { now: () => now, setTimeout: () => 0, clearTimeout: () => {} };
const payloadOf = (number) => {
  const payload = new Uint8Array(200).fill(7);
  new DataView(payload.buffer).setUint32(0, number);
  return payload;
};

async function ours(store) {
  const open = async (name) => {
    let bytes;
    const broadcast = (message) => void (bytes = message.bytes);
    const options = { broadcast, clock, run: false, store: store?.() };
    const channel = await SdsChannel.open("bench", name, options);
    return {
      wrap: async (payload) => (await channel.pushOutgoingMessage(payload), bytes),
      receive: (packet) => channel.pushIncomingMessage(packet),
      close: () => channel.close(),
    };
  };
  return [await open("alice"), await open("bob")];
}

async function theirs() {
  const open = (name) => {
    const channel = new MessageChannel("bench", name);
    return {
      async wrap(payload) {
        let bytes;
        channel.pushOutgoingMessage(payload, async (message) => ((bytes = message.encode()), { success: true }));
        await channel.processTasks();
        return bytes;
      },
      async receive(packet) {
        channel.pushIncomingMessage(Message.decode(packet));
        await channel.processTasks();
      },
      close: () => channel,
    };
  };
  return [open("alice"), open("bob")];
}

const mean = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
const midmean = (numbers) => mean(numbers.toSorted((a, b) => a - b).slice(numbers.length >> 2, -(numbers.length >> 2)));
function used() {
  const { user, system } = process.cpuUsage();
  return user + system;
}
async function timed(list, call) {
  const start = used();
  const value = await call();
  list.push(used() - start);
  return value;
}

await load();
const { memory } = await initialise();
function bytesHeld() {
  globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers + memory.buffer.byteLength;
}

/** Two members with so many messages behind them. */
async function grown(make, history) {
  const [alice, bob] = await make();
  let number = 0;
  const pair = {
    size: 0,
    length: () => number,
    async run(calls, wraps, receives) {
      for (const end = number + calls; number < end; ) {
        now += 1_000;
        const packet = await timed(wraps, () => alice.wrap(payloadOf(number)));
        await timed(receives, () => bob.receive(packet));
        pair.size = packet.length;
        number += 1;
        if (number % 10 === 0) await alice.receive(await bob.wrap(payloadOf(number + 2 ** 31)));
      }
    },
    async close() {
      await alice.close();
      await bob.close();
    },
  };
  // Not kept: it would hold memory.
  const nowhere = { push: () => {} };
  await pair.run(history, nowhere, nowhere);
  return pair;
}

/** Times one block. A pair that has twice its history by now makes room for another. */
async function time(lane, make) {
  if (lane.pair.length() >= 2 * lane.history) {
    await lane.pair.close();
    lane.pair = await grown(make, lane.history);
  }
  await lane.pair.run(CALLS, lane.wrap, lane.receive);
}

/** Two members with a history, what they hold, and how long each message of it took on average. */
async function laneOf(make, history) {
  const [before, start] = [bytesHeld(), used()];
  const pair = await grown(make, history);
  const each = (used() - start) / history;
  return { history, pair, wrap: [], receive: [], each, held: bytesHeld() - before };
}

/** After each history: microseconds of a wrap and of a receive, bytes of a message, and what it is to get there. */
async function measure(make, histories, blocks) {
  const lanes = [];
  for (const history of histories) lanes.push(await laneOf(make, history));
  for (let block = 0; block < blocks; block++) for (const lane of lanes) await time(lane, make);
  for (const { pair } of lanes) await pair.close();
  const figures = ({ history, pair: { size }, wrap, receive, each, held }) => [
    history,
    { wrap: midmean(wrap), receive: midmean(receive), size, each, held },
  ];
  return Object.fromEntries(lanes.map(figures));
}

const say = (name, value, unit) => console.log(`bench: ${name} ${value} ${unit}`);
// First what is held, since WebAssembly gives no memory back; and by then it is compiled.
const alone = await measure(ours, [HISTORIES.at(-1)], 1);
const mine = await measure(ours, [...HISTORIES, LONG], BLOCKS);
const stored = await measure(() => ours(() => new MemoryStore()), [1_000], BLOCKS);
const other = await measure(theirs, HISTORIES, BLOCKS_WAKU);
Date.now = realNow;

let failed = false;
const limit = (name, holds) => {
  if (holds) return;
  console.error(`over its limit: ${name}`);
  failed = true;
};
for (const call of ["wrap", "receive"]) {
  for (const history of HISTORIES) {
    const [a, b] = [mine[history][call], other[history][call]];
    say(`web_${call}_${history}`, a.toFixed(1), "us");
    say(`web_${call}_${history}_waku`, b.toFixed(1), "us");
    say(`web_${call}_${history}_times_faster`, (b / a).toFixed(1), "ratio");
    if (history === 1_000) limit(`web_${call}_${history}_times_faster`, b / a >= LEAST_TIMES_FASTER_AT_1000);
  }
  const from = (history) => mine[LONG][call] / mine[history][call];
  say(`web_${call}_flat`, from(1_000).toFixed(2), "ratio");
  limit(`web_${call}_flat`, from(1_000) <= MOST_FLAT);
  // Up to 1,000 messages, nothing leaves the log yet, and all of it lies in the processor's cache.
  say(`web_${call}_flat_from_100`, from(100).toFixed(2), "ratio");
  limit(`web_${call}_flat_from_100`, from(100) <= MOST_FLAT_FROM_100);
  say(`web_${call}_1000_stored`, stored[1_000][call].toFixed(1), "us");
}
say("web_message_mean", mine[LONG].each.toFixed(1), "us");
say("web_message_bytes", mine[1_000].size, "bytes");
say("web_message_bytes_waku", other[1_000].size, "bytes");
say("web_held_5000", (alone[5_000].held / 2 ** 20).toFixed(1), "MiB");
say("web_held_5000_waku", (other[5_000].held / 2 ** 20).toFixed(1), "MiB");
process.exit(failed ? 1 : 0);
