import { SdsChannel } from "./channel.js";
import { bytesOf } from "./checks.js";
import { systemClock } from "./clock.js";
import { SdsError } from "./errors.js";
import { SdsEvent, TypedEventTarget } from "./events.js";
import { Fetcher } from "./fetcher.js";
import type { Codec, Network, NetworkMessage } from "./network.js";
import type { HistoryQuery, SdsChannelOptions } from "./options.js";
import { SyncStatus } from "./status.js";
import type {
  BroadcastResult,
  BytesLike,
  ChannelId,
  DeliveredMessage,
  HistoryEntry,
  LogEntry,
  MessageId,
  OutgoingMessage,
  ParticipantId,
} from "./types.js";

/** How a reliable channel is made. */
export interface ReliableChannelOptions extends Omit<SdsChannelOptions, "broadcast" | "run"> {
  /** What is done to bytes on their way: encryption, or {@link reliableChannelTag}. Default: nothing. */
  codec?: Codec | undefined;
  /** Begin at once. Default: true. */
  autoStart?: boolean | undefined;
}

/** What the network is to bring, from when it is asked to until we have enough. */
interface Subscription {
  /** It does: also while it has not said yet that it will. */
  listening: boolean;
  /** What ends it. */
  end: Promise<() => unknown>;
}

/** The events of a reliable channel. Those that `@waku/sdk` has too have its names. */
export interface ReliableChannelEvents {
  /** A message of ours goes to the network, for the first time or again. */
  "sending-message": CustomEvent<MessageId>;
  /** The network took it, for the first time or again. */
  "message-sent": CustomEvent<MessageId>;
  /** Filters of others hold it, which is evidence and no proof. */
  "message-possibly-acknowledged": CustomEvent<{ messageId: MessageId; probability: number }>;
  /** Somebody has it. */
  "message-acknowledged": CustomEvent<MessageId>;
  /** It was sent as often as configured, and nobody is known to have it. `retry` begins anew. */
  "message-unacknowledged": CustomEvent<{ messageId: MessageId; probability: number }>;
  /** The network never took it. `retry` begins anew. */
  "sending-message-irrecoverable-error": CustomEvent<{ messageId: MessageId; error: unknown }>;
  /** A message, in causal order: show it. */
  "message-received": CustomEvent<DeliveredMessage>;
  /** A message that others name could not be had in time. */
  "irretrievable-message": CustomEvent<HistoryEntry>;
  /** Something failed that no call waits for; it is tried again. */
  error: CustomEvent<unknown>;
}

/**
 * A channel on a network: sends, resends, fetches what is missing, and tells how it stands. What {@link SdsChannel} leaves to
 * the application, it does.
 */
export class ReliableChannel extends TypedEventTarget<ReliableChannelEvents> {
  /** Whether all is here, or how much is missing. */
  readonly syncStatus = new SyncStatus();
  readonly #network: Network;
  readonly #codec: Codec | undefined;
  readonly #fetcher: Fetcher | undefined;
  /** Messages of ours that the network did not take yet, and why. */
  readonly #unsent = new Map<MessageId, unknown>();
  #channel!: SdsChannel;
  #subscription: Subscription | undefined;
  #looking = false;

  private constructor(network: Network, { codec, clock = systemClock }: ReliableChannelOptions) {
    super();
    this.#network = network;
    this.#codec = codec;
    if (!network.fetch) return;
    this.#fetcher = new Fetcher({
      clock,
      fetch: async (hashes) => (await network.fetch?.(hashes)) ?? [],
      receive: (message) => this.#receive(message, this.#subscription),
      missing: () => (this.#channel.isClosed ? [] : this.#channel.sweepIncomingBuffer()),
      failed: (error) => this.emit("error", error),
    });
  }

  /**
   * Makes a channel on a network, with the state that its store has.
   *
   * What comes at once, or before this returns, is told a turn later: to whoever begins to listen when it returns. With
   * `autoStart: false`, nothing comes before {@link start}.
   *
   * @param senderId - names this installation, uniquely; another tab or device is another participant.
   */
  static async create(
    network: Network,
    channelId: ChannelId,
    senderId: ParticipantId,
    options: ReliableChannelOptions = {},
  ): Promise<ReliableChannel> {
    const { codec: _, autoStart = true, ...rest } = options;
    const made = new ReliableChannel(network, options);
    const broadcast = (message: OutgoingMessage) => made.#publish(message);
    made.#channel = await SdsChannel.open(channelId, senderId, { ...rest, broadcast, run: false });
    made.#listen();
    if (!autoStart) return made;
    const tell = [made.hold(), made.syncStatus.hold()];
    try {
      await made.start();
    } catch (error) {
      await made.close();
      throw error;
    }
    // Not a promise: what awaits us, through however many functions, goes on before a timer does.
    (options.clock ?? systemClock).setTimeout(() => tell.forEach((release) => release()), 0);
    return made;
  }

  get channelId(): ChannelId {
    return this.#channel.channelId;
  }

  get senderId(): ParticipantId {
    return this.#channel.senderId;
  }

  /** The protocol's side of it, for what is not offered here. */
  get sds(): SdsChannel {
    return this.#channel;
  }

  /** Whether it listens to the network. */
  get isStarted(): boolean {
    return this.#subscription !== undefined;
  }

  /** Listens to the network, and does what is due. */
  async start(): Promise<void> {
    if (this.#channel.isClosed) throw new SdsError("CLOSED", `channel ${this.channelId} is closed`);
    this.#subscription ??= this.#subscribe();
    const subscription = this.#subscription;
    try {
      await subscription.end;
    } catch (error) {
      subscription.listening = false;
      if (this.#subscription === subscription) this.#subscription = undefined;
      throw error;
    }
    // Stopped meanwhile.
    if (!subscription.listening || this.#channel.isClosed) return;
    this.#channel.start();
    this.#fetcher?.start();
    this.#look();
  }

  #subscribe(): Subscription {
    const subscription: Subscription = { listening: true, end: Promise.resolve(() => {}) };
    // What it brings at once, a replay say, is heard too. What it throws at once is a rejection.
    const subscribe = async () => this.#network.subscribe((message) => void this.#receive(message, subscription));
    subscription.end = subscribe();
    return subscription;
  }

  /** Ends that. Messages can be sent all the same; nobody will be heard to have them. */
  async stop(): Promise<void> {
    this.#channel.stop();
    this.#fetcher?.stop();
    const subscription = this.#subscription;
    this.#subscription = undefined;
    if (!subscription) return;
    subscription.listening = false;
    // What could not be begun has no end; `start` tells.
    const end = await subscription.end.catch(() => undefined);
    await end?.();
  }

  /** Ends everything: what is not stored yet is stored, and the store is let go. */
  async close(): Promise<void> {
    // At the same time: a network that does not answer keeps nobody's store.
    const [stopped, closed] = await Promise.allSettled([this.stop(), this.#channel.close()]);
    if (closed.status === "rejected") throw closed.reason;
    if (stopped.status === "rejected") throw stopped.reason;
  }

  /**
   * Sends a message. What becomes of it is told by events.
   *
   * @returns its id, at once.
   * @throws SdsError if it is refused.
   */
  send(payload: BytesLike): MessageId {
    const { messageId, sent } = this.#channel.beginOutgoingMessage(payload);
    sent.catch((error: unknown) => this.emit("error", error));
    this.#look();
    return messageId;
  }

  /** Sends a message that is delivered at once, is not acknowledged and leaves no trace, such as "is typing". */
  async sendEphemeral(payload: BytesLike): Promise<void> {
    await this.#channel.pushOutgoingEphemeralMessage(payload);
  }

  /** Sends a message of ours again that was given up. */
  retry(messageId: MessageId): Promise<void> {
    return this.#channel.retry(messageId);
  }

  /** Tells whether the network is reachable. Offline, nothing is resent, asked for or given up. */
  async setOnline(online: boolean): Promise<void> {
    const set = this.#channel.setOnline(online);
    this.#fetcher?.setOnline(online);
    await set;
    this.#look();
  }

  /** Messages of the log, in the order that all members see. Needs a store. */
  history(query?: HistoryQuery): Promise<LogEntry[]> {
    return this.#channel.history(query);
  }

  async #publish({ messageId, reason, bytes }: OutgoingMessage): Promise<BroadcastResult> {
    const ours = reason === "publish" || reason === "resend";
    if (ours) this.emit("sending-message", messageId);
    try {
      const payload = this.#codec ? bytesOf(await this.#codec.encode(bytes), "what a codec makes") : bytes;
      const hash = await this.#network.publish(payload);
      this.#unsent.delete(messageId);
      if (ours) this.emit("message-sent", messageId);
      return { success: true, retrievalHint: hash ?? undefined };
    } catch (error) {
      if (reason === "publish") this.#unsent.set(messageId, error);
      this.emit("error", error);
      return { success: false };
    }
  }

  async #receive(message: NetworkMessage, subscription: Subscription | undefined): Promise<void> {
    try {
      // Here, since it may be anything, and nobody awaits us.
      const { payload, hash } = message;
      const bytes = this.#codec ? await this.#codec.decode(payload) : payload;
      if ((this.#codec && !bytes) || !subscription?.listening) return;
      await this.#channel.pushIncomingMessage(bytes as Uint8Array, hash);
    } catch (error) {
      // Others use the network too, for other things and other channels.
      const stranger = error instanceof SdsError && (error.code === "NOT_SDS" || error.code === "UNKNOWN_CHANNEL");
      if (!stranger) this.emit("error", error);
    }
  }

  #listen(): void {
    const channel = this.#channel;
    channel.addEventListener(SdsEvent.InMessageDelivered, ({ detail }) => this.emit("message-received", detail));
    channel.addEventListener(SdsEvent.OutMessagePossiblyAcknowledged, ({ detail }) =>
      this.emit("message-possibly-acknowledged", detail),
    );
    channel.addEventListener(SdsEvent.OutMessageAcknowledged, ({ detail }) => {
      this.#unsent.delete(detail);
      this.emit("message-acknowledged", detail);
    });
    channel.addEventListener(SdsEvent.OutMessageFailed, ({ detail }) => this.#givenUp(detail, 0));
    channel.addEventListener(SdsEvent.OutMessageUnconfirmed, ({ detail }) =>
      this.#givenUp(detail.messageId, detail.probability),
    );
    channel.addEventListener(SdsEvent.InMessageLost, ({ detail }) => {
      for (const entry of detail) this.emit("irretrievable-message", entry);
    });
    channel.addEventListener(SdsEvent.ErrorTask, ({ detail }) => this.emit("error", detail));
    this.#fetchWhatIsMissing();
    for (const event of Object.values(SdsEvent)) channel.addEventListener(event, () => this.#look());
  }

  #fetchWhatIsMissing(): void {
    const [channel, fetcher] = [this.#channel, this.#fetcher];
    if (!fetcher) return;
    // One by one: somebody may name thousands that do not exist, and all of them are not to be gone through at each message.
    channel.addEventListener(SdsEvent.InMessageMissing, ({ detail }) => fetcher.add(detail));
    for (const event of [SdsEvent.InMessageLost, SdsEvent.InMessageBeforeUs] as const) {
      channel.addEventListener(event, ({ detail }) => {
        for (const { messageId } of detail) fetcher.remove(messageId);
      });
    }
    for (const event of [SdsEvent.InMessageReceived, SdsEvent.InMessageDelivered, SdsEvent.Repaired] as const) {
      channel.addEventListener(event, ({ detail }) => fetcher.remove(detail.messageId));
    }
  }

  #givenUp(messageId: MessageId, probability: number): void {
    if (!this.#unsent.has(messageId)) return this.emit("message-unacknowledged", { messageId, probability });
    const error = this.#unsent.get(messageId);
    this.#unsent.delete(messageId);
    this.emit("sending-message-irrecoverable-error", { messageId, error });
  }

  /** Sees how things stand, once for all that happens now. */
  #look(): void {
    if (this.#looking) return;
    this.#looking = true;
    queueMicrotask(() => {
      this.#looking = false;
      if (this.#channel.isClosed) return;
      const status = this.#channel.status();
      this.syncStatus.update(status);
      // Somebody may have told a hint of what was known to be missing.
      if (status.missing > 0) this.#fetcher?.look();
    });
  }
}
