// Participants of @waku/sds, driven over stdin and stdout: a JSON request per line in, a JSON reply per line out. Bytes
// are base64. Nothing happens between requests, and every request brings the time, so that a run can be replayed.
import { createHash } from "node:crypto";
import { createInterface } from "node:readline";

// Before @waku/sds is loaded: its clock, chance and timers are ours.
let now = 0;
let peer = { seed: 1 };
Date.now = () => now;
Math.random = () => (peer.seed = (peer.seed * 48271) % 0x7fffffff) / 0x7fffffff;
globalThis.setTimeout = globalThis.setInterval = () => {
  throw new Error("a timer: @waku/sds 0.0.8 has none, and on the time of a test it would never fire");
};
// Node 18 has it only behind a flag, and @waku/sds swallows that its events cannot be made.
globalThis.CustomEvent ??= class extends Event {
  constructor(name, init) {
    super(name, init);
    this.detail = init?.detail ?? null;
  }
};

const { Message, MessageChannel, MessageChannelEvent, isContentMessage, isEphemeralMessage } = await import("@waku/sds");

const peers = new Map();

const base64 = (bytes) => (bytes === undefined ? undefined : Buffer.from(bytes).toString("base64"));
const bytes = (text) => new Uint8Array(Buffer.from(text ?? "", "base64"));
const hashOf = (data) => new Uint8Array(createHash("sha256").update(data).digest());
const entry = ({ messageId, retrievalHint, senderId }) => ({ id: messageId, hint: base64(retrievalHint), sender: senderId });

function kindOf(message) {
  if (isContentMessage(message)) return "content";
  return isEphemeralMessage(message) ? "ephemeral" : "sync";
}

// A message as @waku/sds sees it, and its bytes as @waku/sds writes them.
function described(message) {
  return {
    kind: kindOf(message),
    id: message.messageId,
    channel: message.channelId,
    sender: message.senderId,
    timestamp: message.lamportTimestamp === undefined ? undefined : Number(message.lamportTimestamp),
    history: message.causalHistory.map(entry),
    repairs: message.repairRequest.map(entry),
    asks: message.repairRequest.length,
    filterBytes: message.bloomFilter?.length ?? 0,
    filter: message.bloomFilter && base64(hashOf(message.bloomFilter)),
    content: base64(message.content),
    packet: base64(message.encode()),
  };
}

// The ids that an event is about; its other details are nobody's business here.
function idsOf(detail) {
  if (typeof detail === "string") return [detail];
  if (Array.isArray(detail)) return detail.map((one) => one.messageId);
  return detail?.messageIds ?? (detail?.messageId ? [detail.messageId] : []);
}

const actions = {
  open(_, { peer: name, channel: channelId, sender, seed, options }) {
    const channel = new MessageChannel(channelId, sender, options);
    const opened = { channel, seed, events: [] };
    peers.set(name, opened);
    // The repair manager emits under the last four names, which are not those of MessageChannelEvent.
    const names = [...Object.values(MessageChannelEvent), "RepairRequestQueued", "RepairResponseQueued"];
    for (const event of names) {
      channel.addEventListener(event, ({ detail }) =>
        opened.events.push({ name: event, ids: idsOf(detail), count: detail?.count, error: detail?.error && String(detail.error) }),
      );
    }
    return {};
  },
  close(_, { peer: name }) {
    peers.delete(name);
    return {};
  },
  async send(channel, { content }) {
    let sent;
    channel.pushOutgoingMessage(bytes(content), async (message) => {
      sent = described(message);
      return { success: true, retrievalHint: hashOf(message.encode()) };
    });
    await channel.processTasks();
    return { messages: sent ? [sent] : [] };
  },
  async ephemeral(channel, { content }) {
    let sent;
    await channel.pushOutgoingEphemeralMessage(bytes(content), async (message) => ((sent = described(message)), true));
    await channel.processTasks();
    return { messages: [sent] };
  },
  async sync(channel) {
    let sent = [];
    await channel.pushOutgoingSyncMessage(async (message) => (sent.push(described(message)), true));
    return { messages: sent };
  },
  async receive(channel, { packet }) {
    const message = Message.decode(bytes(packet));
    if (!message) return { messages: [] };
    const seen = described(message);
    channel.pushIncomingMessage(message, hashOf(bytes(packet)));
    await channel.processTasks();
    return { messages: [seen] };
  },
  async sweep(channel) {
    const missing = channel.sweepIncomingBuffer().map(entry);
    const { unacknowledged, possiblyAcknowledged } = channel.sweepOutgoingBuffer();
    const repairs = [];
    await channel.sweepRepairIncomingBuffer(async (message) => (repairs.push(described(message)), true));
    return {
      missing,
      unacknowledged: unacknowledged.map((message) => message.messageId),
      possibly: possiblyAcknowledged.map((message) => message.messageId),
      messages: repairs,
    };
  },
  // Its state, privates included.
  dump(channel, { ids }) {
    return {
      log: channel.localHistory.slice(0).map((message) => ({
        id: message.messageId,
        timestamp: Number(message.lamportTimestamp),
        content: base64(message.content),
      })),
      waiting: channel.incomingBuffer.map((message) => message.messageId),
      outgoing: channel.outgoingBuffer.map((message) => message.messageId),
      filtered: (ids ?? []).filter((id) => channel.filter.lookup(id)),
      requests: channel.repairManager?.outgoingBuffer.getItems().map((item) => ({ ...entry(item.entry), due: item.tReq })) ?? [],
      responses: channel.repairManager?.incomingBuffer.getItems().map((item) => ({ ...entry(item.entry), due: item.tResp })) ?? [],
      timestamp: Number(channel.lamportTimestamp),
    };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  now = request.now;
  peer = peers.get(request.peer) ?? { events: [] };
  peer.events.length = 0;
  let reply;
  try {
    reply = await actions[request.do](peer.channel, request);
  } catch (error) {
    reply = { error: String(error?.stack ?? error) };
  }
  process.stdout.write(`${JSON.stringify({ ...reply, events: peer.events })}\n`);
}
