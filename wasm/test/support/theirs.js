// Members of the real @waku/sds on a made-up network, driven as its README says. Their clock and chance are ours.
import { chance } from "./world.js";

const SWEEP_MS = 5_000;

/** Loads @waku/sds on a clock; equal seeds give equal runs. */
export async function loadTheirs(clock, seed = 1) {
  Date.now = () => clock.now();
  Math.random = chance(seed);
  const sds = await import("@waku/sds");
  return (network, channelId, senderId, options) => new Theirs(sds, clock, network, channelId, senderId, options);
}

class Theirs {
  errors = [];
  delivered = [];
  acknowledged = new Set();
  received = [];
  #sds;
  #clock;
  #network;
  #tasks = Promise.resolve();

  constructor(sds, clock, network, channelId, senderId, options = {}) {
    this.#sds = sds;
    this.#clock = clock;
    this.#network = network;
    this.name = senderId;
    this.channel = new sds.MessageChannel(channelId, senderId, options);
    const { MessageChannelEvent: event } = sds;
    this.channel.addEventListener(event.ErrorTask, ({ detail }) => this.errors.push(detail));
    this.channel.addEventListener(event.InMessageDelivered, ({ detail }) => this.delivered.push(detail));
    this.channel.addEventListener(event.OutMessageAcknowledged, ({ detail }) => this.acknowledged.add(detail));
  }

  async join() {
    await this.#network.subscribe(({ payload, hash }) => this.#receive(payload, hash));
    this.#sweepLater();
  }

  /** What is in its log, in its order: id and text. */
  get log() {
    const stored = this.channel.localHistory.slice(0);
    return stored.map(({ messageId, content }) => [messageId, new TextDecoder().decode(content)]);
  }

  get waiting() {
    return this.channel.incomingBuffer.length;
  }

  get unacknowledged() {
    return this.channel.outgoingBuffer.length;
  }

  send(payload) {
    return this.#task(async () => {
      this.channel.pushOutgoingMessage(payload, async (message) => {
        const retrievalHint = await this.#network.publish(message.encode());
        return { success: true, retrievalHint };
      });
      await this.channel.processTasks();
    });
  }

  sendEphemeral(payload) {
    return this.#task(async () => {
      await this.channel.pushOutgoingEphemeralMessage(payload, (message) => this.#publish(message));
      await this.channel.processTasks();
    });
  }

  sendSync() {
    return this.#task(() => this.channel.pushOutgoingSyncMessage((message) => this.#publish(message)));
  }

  #receive(payload, hash) {
    return this.#task(async () => {
      const message = this.#sds.Message.decode(payload);
      if (!message) return;
      this.received.push(message);
      this.channel.pushIncomingMessage(message, hash);
      await this.channel.processTasks();
    });
  }

  #sweepLater() {
    this.#clock.setTimeout(() => {
      this.#task(() => this.#sweep());
      this.#sweepLater();
    }, SWEEP_MS);
  }

  async #sweep() {
    const missing = this.channel.sweepIncomingBuffer();
    const hints = missing.flatMap(({ retrievalHint }) => (retrievalHint ? [retrievalHint] : []));
    // As the reliable channel of @waku/sdk does: they ask each other only once.
    const found = (await this.#network.fetch?.(hints)) ?? [];
    for (const { payload, hash } of found) this.#receive(payload, hash);
    const { unacknowledged } = this.channel.sweepOutgoingBuffer();
    for (const message of unacknowledged) await this.#publish(message);
    await this.channel.sweepRepairIncomingBuffer((message) => this.#publish(message));
    if (this.#clock.now() % 30_000 < SWEEP_MS) await this.channel.pushOutgoingSyncMessage((message) => this.#publish(message));
  }

  async #publish(message) {
    await this.#network.publish(message.encode());
    return true;
  }

  // It is not made for calls that overlap.
  #task(body) {
    this.#tasks = this.#tasks.then(body).catch((error) => this.errors.push(error));
    return this.#tasks;
  }
}
