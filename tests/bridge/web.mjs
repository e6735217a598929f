// Participants of web apps, driven over stdin and stdout: a JSON request per line in, a JSON reply per line out. Bytes are
// base64. Some are on our package, some on @waku/sds. Nothing happens between requests, and each brings the time.
import { createHash } from "node:crypto";
import { createInterface } from "node:readline";

let now = 0;
let chance = 1;
// Before @waku/sds is loaded: its clock and chance are ours.
Date.now = () => now;
Math.random = () => (chance = (chance * 48271) % 0x7fffffff) / 0x7fffffff;

const wasm = new URL("../../wasm/", import.meta.url);
const { MemoryStore, SdsChannel, SdsError } = await import(new URL("dist/node.js", wasm));
const { Message, MessageChannel, MessageChannelEvent } = await import(new URL("node_modules/@waku/sds/dist/index.js", wasm));

const clock = { now: () => now, setTimeout() {}, clearTimeout() {} };
const base64 = (bytes) => Buffer.from(bytes).toString("base64");
const bytes = (text) => new Uint8Array(Buffer.from(text, "base64"));
const logged = ({ messageId, lamportTimestamp, content }) => ({
  id: messageId,
  timestamp: Number(lamportTimestamp),
  content: base64(content),
});

/** A web app on our package. */
class Web {
  out = [];
  shown = [];
  acknowledged = [];

  async open({ channel, sender, profile, seed }) {
    const broadcast = ({ bytes }) => void this.out.push(base64(bytes));
    const config = { repairTMinMs: 5_000, repairTMaxMs: 20_000 };
    const options = { broadcast, profile, config, clock, run: false, store: new MemoryStore(), seed: BigInt(seed) };
    this.channel = await SdsChannel.open(channel, sender, options);
    this.channel.addEventListener("sds:in:message-delivered", ({ detail }) => this.shown.push(detail.messageId));
    this.channel.addEventListener("sds:out:message-acknowledged", ({ detail }) => this.acknowledged.push(detail));
  }

  async send(content) {
    return (await this.channel.pushOutgoingMessage(content)).messageId;
  }

  async receive(packet) {
    const { profile } = await this.channel.pushIncomingMessage(packet);
    return profile;
  }

  async tick() {
    if (this.channel.nextDeadlineMs <= now) await this.channel.processTasks();
  }

  async log() {
    return (await this.channel.history({ limit: 10_000 })).map(logged);
  }
}

/** A web app on @waku/sds, with what its README says that the app has to do. */
class Waku {
  out = [];
  shown = [];
  acknowledged = [];
  #sweepAt = 0;
  #resendAt = new Map();

  async open({ channel, sender }) {
    this.channel = new MessageChannel(channel, sender, { causalHistorySize: 10 });
    this.channel.addEventListener(MessageChannelEvent.InMessageDelivered, ({ detail }) => this.shown.push(detail));
    this.channel.addEventListener(MessageChannelEvent.OutMessageAcknowledged, ({ detail }) => this.acknowledged.push(detail));
  }

  async send(content) {
    let id;
    this.channel.pushOutgoingMessage(content, async (message) => {
      id = message.messageId;
      this.#resendAt.set(id, now + 10_000);
      await this.#publish(message);
      return { success: true, retrievalHint: new Uint8Array(createHash("sha256").update(message.encode()).digest()) };
    });
    await this.channel.processTasks();
    return id;
  }

  async receive(packet) {
    const message = Message.decode(packet);
    if (!message) throw new SdsError("NOT_SDS", "@waku/sds reads no message in it");
    this.channel.pushIncomingMessage(message);
    await this.channel.processTasks();
    return "rfc";
  }

  async tick() {
    if (now < this.#sweepAt) return;
    this.#sweepAt = now + 5_000;
    this.channel.sweepIncomingBuffer();
    const { unacknowledged, possiblyAcknowledged } = this.channel.sweepOutgoingBuffer();
    for (const message of [...unacknowledged, ...possiblyAcknowledged]) {
      if (now < this.#resendAt.get(message.messageId)) continue;
      this.#resendAt.set(message.messageId, now + 10_000);
      await this.#publish(message);
    }
    await this.channel.sweepRepairIncomingBuffer((message) => this.#publish(message));
    if (now % 30_000 < 5_000) await this.channel.pushOutgoingSyncMessage((message) => this.#publish(message));
  }

  async log() {
    return this.channel.localHistory.slice(0).map(logged);
  }

  async #publish(message) {
    this.out.push(base64(message.encode()));
    return true;
  }
}

const kinds = { web: Web, waku: Waku };
const members = new Map();

const actions = {
  async open(_, request) {
    const member = new kinds[request.kind]();
    await member.open(request);
    members.set(request.member, member);
    return {};
  },
  send: async (member, { content }) => ({ id: await member.send(bytes(content)) }),
  async receive(member, { packet }) {
    try {
      return { profile: await member.receive(bytes(packet)) };
    } catch (error) {
      return { refused: error.code ?? String(error) };
    }
  },
  tick: async (member) => void (await member.tick()),
  log: async (member) => ({ log: await member.log() }),
};

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  now = request.now;
  let reply;
  try {
    reply = await actions[request.do](members.get(request.member), request);
  } catch (error) {
    reply = { error: String(error?.stack ?? error) };
  }
  const { out = [], shown = [], acknowledged = [] } = members.get(request.member) ?? {};
  const told = { out: out.splice(0), shown: shown.splice(0), acknowledged: acknowledged.splice(0) };
  process.stdout.write(`${JSON.stringify({ ...reply, ...told })}\n`);
}
