import { Checks, functionOf, resultOf, stampOf } from "./checks.js";
import { Alarm, type Clock, systemClock } from "./clock.js";
import { SdsError } from "./errors.js";
import { SdsEvent, type SdsEvents, TypedEventTarget } from "./events.js";
import { GuardedStore } from "./guard.js";
import { logQuery, noHistory } from "./history.js";
import { load } from "./load.js";
import { checkOpening, engineOf } from "./opening.js";
import type { HistoryQuery, PendingMessage, SdsChannelOptions } from "./options.js";
import type { Offer, Output, Own, Wrapped } from "./shapes.js";
import { type SdsStore, storeWrite } from "./store.js";
import type {
  Broadcast,
  BroadcastResult,
  BytesLike,
  ChannelId,
  ChannelStatus,
  HistoryEntry,
  LogEntry,
  MessageId,
  MessageStatus,
  OutgoingMessage,
  ParticipantId,
  ReceivedMessage,
  SentMessage,
} from "./types.js";
import type { Engine } from "./wasm/sds.js";

/** A first broadcast that somebody waits for. */
interface Publication {
  broadcast: Broadcast;
  done(success: boolean): void;
}

type Item = Output | { kind: "received"; message: ReceivedMessage };

/** How long after a failure what is due is tried again, in milliseconds. */
const RETRY_MS = 1_000;

/**
 * One participant in one channel: SDS (RFC 109), end-to-end reliability for group chat.
 *
 * Give it what the network brings with {@link pushIncomingMessage}, send with {@link pushOutgoingMessage}, and listen to
 * {@link SdsEvent}. Calls may overlap; they take effect in the order in which they are made.
 */
export class SdsChannel extends TypedEventTarget<SdsEvents> {
  readonly channelId: ChannelId;
  readonly senderId: ParticipantId;
  readonly #engine: Engine;
  readonly #checks: Checks;
  readonly #store: SdsStore | undefined;
  readonly #clock: Clock;
  readonly #broadcast: Broadcast;
  readonly #alarm: Alarm;
  readonly #publications = new Map<MessageId, Publication>();
  /** Received, and to be told when it is stored. */
  #received: Item[] = [];
  /** To be told, in this order. */
  #queue: Item[] = [];
  #telling = false;
  #settling: Promise<void> = Promise.resolve();
  readonly #broadcasting = new Set<Promise<void>>();
  #running = false;
  #closing: Promise<void> | undefined;
  #closed = false;

  private constructor(engine: Engine, channelId: ChannelId, senderId: ParticipantId, options: SdsChannelOptions) {
    super();
    this.channelId = channelId;
    this.senderId = senderId;
    this.#engine = engine;
    this.#store = options.store;
    this.#checks = new Checks(options.config);
    this.#clock = options.clock ?? systemClock;
    this.#broadcast = options.broadcast;
    this.#alarm = new Alarm(this.#clock, () => this.#ring());
  }

  /**
   * Opens a channel, with the state that its store has.
   *
   * @param channelId - names the channel, for all members.
   * @param senderId - names this installation, uniquely; another tab or device is another participant.
   * @throws SdsError if the configuration contradicts itself, or the store cannot be used.
   */
  static async open(channelId: ChannelId, senderId: ParticipantId, options: SdsChannelOptions): Promise<SdsChannel> {
    checkOpening(channelId, senderId, options);
    await load();
    const { profile, fromNow = false, derivedIds = false, clock = systemClock, run = true } = options;
    const store = options.store && new GuardedStore(options.store);
    try {
      const engine = await engineOf(senderId, { ...options, store }, clock.now());
      const channel = new SdsChannel(engine, channelId, senderId, { ...options, store });
      try {
        engine.openChannel(channelId, profile, fromNow, derivedIds, clock.now());
        await channel.#settle();
      } catch (error) {
        channel.#closed = true;
        engine.free();
        throw error;
      }
      if (run) channel.start();
      return channel;
    } catch (error) {
      // The store stays open, for another try.
      store?.release();
      throw error;
    }
  }

  // ---- Messages

  /**
   * Sends a message, and keeps it until somebody is known to have it.
   *
   * @param payload - its content, which must not be empty.
   * @param callback - broadcasts it the first time, instead of the channel's `broadcast`.
   * @returns when it was stored and broadcast.
   * @throws SdsError if it is refused, or cannot be stored.
   */
  async pushOutgoingMessage(payload: BytesLike, callback?: Broadcast): Promise<SentMessage> {
    return this.beginOutgoingMessage(payload, { callback }).sent;
  }

  /**
   * The same, for who needs the message's id at once.
   *
   * @param options - `messageId`: one of the application's own, unique for ever, instead of a derived one.
   */
  beginOutgoingMessage(
    payload: BytesLike,
    options: { callback?: Broadcast | undefined; messageId?: MessageId | undefined } = {},
  ): PendingMessage {
    const engine = this.#open();
    const own = options.messageId === undefined ? undefined : this.#checks.messageId(options.messageId);
    const broadcast = functionOf(options.callback, "a callback") ?? this.#broadcast;
    const content = this.#checks.message(payload, "a payload");
    const wrapped = engine.wrap(this.channelId, own, content, this.#clock.now()) as Wrapped;
    const { messageId, lamportTimestamp, bytes } = wrapped;
    const published = this.#expect(messageId, broadcast);
    // With a store, they come when what the message changed is stored.
    if (bytes.length > 0) this.#queue.push({ kind: "transmit", message: { messageId, reason: "publish", bytes } });
    const stored = this.#settle();
    const sent = stored.then(async () => ({ messageId, lamportTimestamp, broadcast: await published }));
    // Whoever wants to know awaits it.
    sent.catch(() => {});
    return { messageId, sent };
  }

  /** Sends a message that is delivered at once, is not acknowledged and leaves no trace. Not in the `libsds` profile. */
  async pushOutgoingEphemeralMessage(payload: BytesLike, callback?: Broadcast): Promise<SentMessage> {
    const engine = this.#open();
    const broadcast = functionOf(callback, "a callback") ?? this.#broadcast;
    const content = this.#checks.message(payload, "a payload");
    const wrapped = engine.wrapEphemeral(this.channelId, content, this.#clock.now()) as Wrapped;
    const { messageId, bytes } = wrapped;
    const success = await this.#deliver({ messageId, reason: "ephemeral", bytes }, broadcast);
    return { messageId, lamportTimestamp: undefined, broadcast: success };
  }

  /**
   * Takes in bytes from the network.
   *
   * @param bytes - a message, in either profile.
   * @param retrievalHint - what others need to fetch it from the network, such as its hash there.
   * @returns what became of it, when that is stored.
   * @throws SdsError if it is no message of this channel (`NOT_SDS`: traffic of another kind).
   */
  async pushIncomingMessage(bytes: BytesLike, retrievalHint?: BytesLike): Promise<ReceivedMessage> {
    const engine = this.#open();
    const hint = retrievalHint ? this.#checks.hint(retrievalHint) : undefined;
    const message = engine.receive(this.#checks.message(bytes, "a message"), this.#clock.now()) as ReceivedMessage;
    if (message.disposition !== "duplicate" && message.disposition !== "own") {
      this.#received.push({ kind: "received", message });
    }
    if (hint) this.#setHint(message.messageId, hint);
    await this.#settle();
    return message;
  }

  /** Tells that messages are here by other means: who waits for them waits no longer. */
  async markDependenciesMet(messageIds: readonly MessageId[]): Promise<void> {
    const engine = this.#open();
    const ids = this.#checks.list(messageIds, "message ids", (id) => this.#checks.messageId(id));
    engine.markDependenciesMet(this.channelId, ids, this.#clock.now());
    await this.#settle();
  }

  /** Sets what others need to fetch a message from the network; an empty one removes it. */
  async setRetrievalHint(messageId: MessageId, hint: BytesLike): Promise<void> {
    this.#open().setRetrievalHint(this.channelId, this.#checks.messageId(messageId), this.#checks.hint(hint));
    await this.#settle();
  }

  /** Sends a message of ours again, now, and counts its resends anew. */
  async retry(messageId: MessageId): Promise<void> {
    this.#open().retry(this.channelId, this.#checks.messageId(messageId), this.#clock.now());
    await this.#settle();
  }

  /** Stops resending a message of ours. */
  async cancel(messageId: MessageId): Promise<void> {
    this.#open().cancel(this.channelId, this.#checks.messageId(messageId), this.#clock.now());
    await this.#settle();
  }

  /**
   * Tells of messages that were here before this channel was: they are named to others, and are not missing. For who
   * switches over with a history; the last few hundred are enough.
   *
   * @returns how many were new.
   */
  async seedHistory(known: readonly Pick<LogEntry, "messageId" | "senderId" | "lamportTimestamp">[]): Promise<number> {
    const engine = this.#open();
    const checks = this.#checks;
    const ids = checks.list(known, "a history", (message) => checks.messageId(message.messageId));
    const senders = known.map((message) => checks.id(message.senderId, "a sender id"));
    const stamps = BigUint64Array.from(known, (message) => stampOf(message.lamportTimestamp, "a timestamp"));
    const added = engine.seedHistory(this.channelId, ids, senders, stamps, this.#clock.now());
    await this.#settle();
    return added;
  }

  // ---- What is due

  /** Does what is due: resends, sync messages, repairs, giving up. Early, late and extra calls do no harm. */
  async processTasks(): Promise<void> {
    this.#open().tick(this.#clock.now());
    await this.#settle();
    await Promise.all(this.#broadcasting);
  }

  /** When {@link processTasks} has something to do next, in milliseconds since the Unix epoch. */
  get nextDeadlineMs(): number | undefined {
    return this.#open().nextDeadline();
  }

  /** Begins to do by itself what is due. */
  start(): void {
    this.#open();
    this.#running = true;
    this.#rearm();
  }

  /** Ends that; everything else goes on. */
  stop(): void {
    this.#running = false;
    this.#alarm.set(undefined);
  }

  /** Whether what is due is done by itself. */
  get isRunning(): boolean {
    return this.#running;
  }

  /** Tells whether the network is reachable. Offline, nothing is resent, asked for or given up: that time does not count. */
  async setOnline(online: boolean): Promise<void> {
    this.#open().setOnline(online, this.#clock.now());
    await this.#settle();
  }

  // ---- How it stands

  /** What is missing now: named by others, and not here. The first to be lost first. */
  sweepIncomingBuffer(): HistoryEntry[] {
    return this.#open().missing(this.channelId) as HistoryEntry[];
  }

  /** Our messages that nobody is known to have, by how far they got. They are resent by themselves. */
  sweepOutgoingBuffer(): { unacknowledged: MessageId[]; possiblyAcknowledged: MessageId[]; givenUp: MessageId[] } {
    const outgoing = this.#open().outgoing(this.channelId) as Own[];
    const of = (...states: string[]) => outgoing.filter(({ state }) => states.includes(state)).map((own) => own.messageId);
    return {
      unacknowledged: of("unacknowledged"),
      possiblyAcknowledged: of("possibly-acknowledged"),
      givenUp: of("failed", "unconfirmed"),
    };
  }

  /** How far a message of ours got; undefined if it is none of ours, or no longer held. */
  messageStatus(messageId: MessageId): MessageStatus | undefined {
    return this.#open().messageStatus(this.channelId, this.#checks.messageId(messageId)) as MessageStatus | undefined;
  }

  /** The counts of the channel. */
  status(): ChannelStatus {
    return this.#open().status(this.channelId) as ChannelStatus;
  }

  /** What the next message of ours will name. */
  nextHistory(): HistoryEntry[] {
    return this.#open().nextHistory(this.channelId) as HistoryEntry[];
  }

  /** Messages of the log, in the order that all members see. Needs a store. */
  async history(query: HistoryQuery = {}): Promise<LogEntry[]> {
    if (!this.#store) throw noHistory();
    this.#open();
    const asked = logQuery(query, this.#checks);
    await this.#settle();
    const page = asked ? await this.#store.page(this.channelId, asked) : [];
    const engine = this.#open();
    return page.map(({ key, value, side }) => engine.readLogRecord(key, value, side) as LogEntry);
  }

  // ---- The end

  /** Stores what is not stored yet, and lets go of everything. Every other call fails from then on. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Forgets the channel, and all that the store has of it, and closes it. */
  async forget(): Promise<void> {
    this.#open().forgetChannel(this.channelId);
    await this.close();
  }

  async #close(): Promise<void> {
    this.stop();
    try {
      this.#engine.flush();
      await this.#settle();
    } finally {
      this.#closed = true;
      for (const { done } of this.#publications.values()) done(false);
      this.#publications.clear();
      this.#engine.free();
      await this.#store?.close();
    }
  }

  /** Whether it was closed, or is being. */
  get isClosed(): boolean {
    return this.#closing !== undefined || this.#closed;
  }

  #open(): Engine {
    if (this.#closed) throw new SdsError("CLOSED", `channel ${this.channelId} is closed`);
    return this.#engine;
  }

  // ---- Storing, and letting out what came of a call

  /** After each call: stores what it changed, then tells what came of it. Calls that overlap are stored together. */
  #settle(): Promise<void> {
    const store = this.#store;
    if (!store) {
      this.#letOut();
      return Promise.resolve();
    }
    const turn = this.#settling.then(() => this.#commit(store));
    // The next has its own error.
    this.#settling = turn.catch(() => this.#tryLater());
    return turn;
  }

  async #commit(store: SdsStore): Promise<void> {
    if (this.#closed) return;
    for (let offer = this.#offer(); offer; offer = this.#offer()) {
      await store.commit(offer.writes.map(storeWrite));
      this.#engine.confirm(offer.number);
    }
    this.#letOut();
  }

  #offer(): Offer | undefined {
    return this.#engine.offer() as Offer | undefined;
  }

  #letOut(): void {
    this.#queue.push(...this.#received.splice(0), ...(this.#engine.drain() as Output[]));
    // A listener called us: what came of that follows what it is being told of.
    if (this.#telling) return;
    this.#telling = true;
    try {
      for (let item = this.#queue.shift(); item; item = this.#queue.shift()) this.#tell(item);
    } finally {
      this.#telling = false;
    }
    this.#rearm();
  }

  #tell(item: Item): void {
    switch (item.kind) {
      case "received":
        return this.#tellReceived(item.message);
      case "transmit":
        return this.#transmit(item.message);
      case "delivered":
        return this.emit(SdsEvent.InMessageDelivered, item.message);
      case "missing":
        return this.emit(SdsEvent.InMessageMissing, [item.entry]);
      case "lost":
        return this.emit(SdsEvent.InMessageLost, [item.entry]);
      case "before-us":
        return this.emit(SdsEvent.InMessageBeforeUs, [item.entry]);
      case "possibly-acknowledged":
        return this.emit(SdsEvent.OutMessagePossiblyAcknowledged, { messageId: item.messageId, probability: item.number });
      case "acknowledged":
        return this.emit(SdsEvent.OutMessageAcknowledged, item.messageId);
      case "failed":
        return this.emit(SdsEvent.OutMessageFailed, item.messageId);
      case "unconfirmed":
        return this.emit(SdsEvent.OutMessageUnconfirmed, { messageId: item.messageId, probability: item.number });
      case "repair-requested":
        return this.emit(SdsEvent.RepairRequestSent, { messageId: item.messageId, asks: item.number });
      case "repair-answered":
        return this.emit(SdsEvent.RepairResponseSent, { messageId: item.messageId });
      case "repaired":
        return this.emit(SdsEvent.Repaired, { messageId: item.messageId });
    }
  }

  #tellReceived(message: ReceivedMessage): void {
    const { disposition } = message;
    if (disposition === "sync") return this.emit(SdsEvent.InSyncReceived, message);
    this.emit(SdsEvent.InMessageReceived, message);
    const ephemeral = disposition === "ephemeral";
    // With a store, the engine says when: what others store, too, comes in between.
    const now = ephemeral || (!this.#store && disposition !== "waiting");
    if (!now) return;
    const { messageId, senderId, lamportTimestamp, content, own } = message;
    const delivered = { messageId, senderId, lamportTimestamp, content, late: disposition === "late", own, ephemeral };
    this.emit(SdsEvent.InMessageDelivered, delivered);
  }

  // ---- Broadcasting

  /** A message is going to be broadcast for the first time, which somebody waits for. */
  #expect(messageId: MessageId, broadcast: Broadcast): Promise<boolean> {
    // The same message, once more: who waits for the first broadcast waits for this one.
    const earlier = this.#publications.get(messageId);
    return new Promise((resolve) => {
      const done = (success: boolean) => {
        earlier?.done(success);
        resolve(success);
      };
      this.#publications.set(messageId, { broadcast, done });
    });
  }

  #transmit(message: OutgoingMessage): void {
    const { messageId } = message;
    const publication = message.reason === "publish" ? this.#publications.get(messageId) : undefined;
    const sending = this.#deliver(message, publication?.broadcast ?? this.#broadcast).then((success) => {
      this.#broadcasting.delete(sending);
      publication?.done(success);
      if (publication && this.#publications.get(messageId) === publication) this.#publications.delete(messageId);
    });
    this.#broadcasting.add(sending);
  }

  /** True: it was broadcast. */
  async #deliver(message: OutgoingMessage, broadcast: Broadcast): Promise<boolean> {
    let result: BroadcastResult;
    try {
      result = resultOf(await broadcast(message));
    } catch (error) {
      this.emit(SdsEvent.ErrorTask, error);
      return false;
    }
    if (result.success === false) return false;
    if (message.reason === "publish" || message.reason === "ephemeral") this.emit(SdsEvent.OutMessageSent, message);
    if (message.reason === "sync") this.emit(SdsEvent.OutSyncSent, message);
    if (result.retrievalHint && !this.#closed) {
      this.#setHint(message.messageId, result.retrievalHint);
      this.#settle().catch((error: unknown) => this.emit(SdsEvent.ErrorTask, error));
    }
    return true;
  }

  /** Sets a hint that the network gave. What cannot have one, such as a sync message, needs none. */
  #setHint(messageId: MessageId, hint: BytesLike): void {
    try {
      this.#engine.setRetrievalHint(this.channelId, messageId, this.#checks.hint(hint));
    } catch (error) {
      if (!(error instanceof SdsError) || error.code !== "UNKNOWN_MESSAGE") this.emit(SdsEvent.ErrorTask, error);
    }
  }

  // ---- The alarm

  #rearm(): void {
    if (this.#running && !this.#closed) this.#alarm.set(this.#engine.nextDeadline());
  }

  #ring(): void {
    if (!this.#running || this.#closed) return;
    this.processTasks().catch((error: unknown) => {
      this.emit(SdsEvent.ErrorTask, error);
      this.#tryLater();
    });
  }

  #tryLater(): void {
    if (this.#running && !this.#closed) this.#alarm.set(this.#clock.now() + RETRY_MS);
  }
}
