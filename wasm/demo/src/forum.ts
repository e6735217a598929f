import {
  type DeliveredMessage,
  type HistoryEntry,
  type MessageId,
  type ParticipantId,
  type ReceivedMessage,
  SdsEvent,
  type SyncStatusDetail,
} from "@status-im/sds";

import { remember, remembered } from "./memory.js";
import type { Note } from "./notes.js";
import { decodePost, encodePost, type Post } from "./posts.js";
import { isWorthTelling, type Session } from "./session.js";

/** A message that is here. */
export interface Entry {
  readonly messageId: MessageId;
  readonly senderId: ParticipantId;
  readonly lamport: bigint;
  /** Undefined: not of a kind that this page knows. */
  readonly post: Post | undefined;
  /** What it names: its causal history. */
  readonly names: readonly HistoryEntry[];
  readonly own: boolean;
  /** It came before something that it depends on: its place is not sure yet. */
  readonly waiting: boolean;
  /** It had been given up before it came. */
  readonly late: boolean;
}

/** A message that others name and that is not here. */
export interface Gap extends HistoryEntry {
  /** It is not waited for any more. */
  readonly lost: boolean;
}

/** What is known about a message of ours. */
export interface Receipt {
  readonly tick: "queued" | "sent" | "possibly" | "acknowledged" | "unconfirmed" | "failed";
  /** The chance that somebody has it. */
  readonly probability: number;
  readonly holders: readonly ParticipantId[];
}

/** Something that happened beneath the conversation. */
export interface Happening {
  readonly number: number;
  readonly at: Date;
  readonly kind: "repair" | "resend" | "lost" | "late" | "error";
  readonly text: string;
}

const MOST_HAPPENINGS = 40;

/** The conversation as this participant has it, made from the events of the channel. Tells `change`. */
export class Forum extends EventTarget {
  readonly participantId: ParticipantId;
  readonly #session: Session;
  readonly #entries = new Map<MessageId, Entry>();
  readonly #gaps = new Map<MessageId, Gap>();
  readonly #sending = new Map<MessageId, "queued" | "sent">();
  readonly #happenings: Happening[] = [];
  #happened = 0;

  private constructor(session: Session) {
    super();
    this.#session = session;
    this.participantId = session.participantId;
  }

  /** The conversation as it was before this page was loaded; then it goes on. */
  static async open(session: Session): Promise<Forum> {
    const forum = new Forum(session);
    forum.#listen();
    await forum.#restore();
    if (remembered("offline")) await forum.setOnline(false);
    await session.channel.start();
    return forum;
  }

  // ---- How it stands

  /** In the order that all participants see. */
  entries(): Entry[] {
    return [...this.#entries.values()].sort(compareEntries);
  }

  gaps(): Gap[] {
    return [...this.#gaps.values()];
  }

  happenings(): readonly Happening[] {
    return this.#happenings;
  }

  get status(): SyncStatusDetail {
    return this.#session.channel.syncStatus.current;
  }

  /** How far a message of ours got; undefined for what lies so far back that nobody remembers. */
  receipt(messageId: MessageId): Receipt | undefined {
    const status = this.#session.channel.sds.messageStatus(messageId);
    if (!status) return this.#sending.has(messageId) ? { tick: "queued", probability: 0, holders: [] } : undefined;
    const { state, probability, acknowledgers } = status;
    const holders = acknowledgers.map(({ participantId }) => participantId);
    if (state === "acknowledged") return { tick: "acknowledged", probability, holders };
    if (state === "possibly-acknowledged") return { tick: "possibly", probability, holders };
    if (state === "unacknowledged") return { tick: this.#sending.get(messageId) ?? "sent", probability, holders };
    return { tick: state === "unconfirmed" ? "unconfirmed" : "failed", probability, holders };
  }

  // ---- What people do

  /** @throws SdsError if it is refused. */
  post(post: Post): MessageId {
    const { channel } = this.#session;
    const names = channel.sds.nextHistory();
    const messageId = channel.send(encodePost(post));
    const lamport = channel.sds.messageStatus(messageId)?.lamportTimestamp ?? 0n;
    this.#sending.set(messageId, "queued");
    const { participantId: senderId } = this;
    this.#note({ messageId, senderId, names, unsent: true });
    this.#put({ messageId, senderId, lamport, post, names, own: true, waiting: false, late: false });
    return messageId;
  }

  async retry(messageId: MessageId): Promise<void> {
    await this.#session.channel.retry(messageId);
    this.#changed();
  }

  async setOnline(online: boolean): Promise<void> {
    const { network, channel } = this.#session;
    remember("offline", online ? undefined : "yes");
    network.setOnline(online);
    await channel.setOnline(online);
    this.#changed();
  }

  // ---- What happens

  async #restore(): Promise<void> {
    const { channel, notes } = this.#session;
    const noted = new Map((await notes.all()).map((note) => [note.messageId, note]));
    for (const logged of await channel.history({ limit: 1_000 })) {
      const { messageId, senderId, lamportTimestamp: lamport, content, late } = logged;
      const names = noted.get(messageId)?.names ?? [];
      const own = senderId === this.participantId;
      const post = decodePost(content);
      this.#entries.set(messageId, { messageId, senderId, lamport, post, names, own, waiting: false, late });
    }
    for (const gap of channel.sds.sweepIncomingBuffer()) this.#gaps.set(gap.messageId, { ...gap, lost: false });
    for (const note of noted.values()) {
      if (note.unsent) this.#sending.set(note.messageId, "queued");
      if (!this.#entries.has(note.messageId) && !this.#restoreNote(note)) void notes.delete(note.messageId);
    }
  }

  /** False: it is about a message that has left the log. */
  #restoreNote({ messageId, senderId, names, waiting, lost }: Note): boolean {
    if (waiting) {
      const post = decodePost(waiting.content);
      const { lamport } = waiting;
      const sender = senderId ?? "";
      this.#entries.set(messageId, { messageId, senderId: sender, lamport, post, names, own: false, waiting: true, late: false });
    } else if (lost) {
      this.#gaps.set(messageId, { messageId, senderId, lost: true });
    } else {
      return this.#gaps.has(messageId);
    }
    return true;
  }

  #listen(): void {
    const { channel } = this.#session;
    const { sds } = channel;
    sds.addEventListener(SdsEvent.InMessageReceived, ({ detail }) => this.#received(detail));
    sds.addEventListener(SdsEvent.InMessageMissing, ({ detail }) => detail.forEach((entry) => this.#missing(entry)));
    sds.addEventListener(SdsEvent.RepairRequestSent, ({ detail }) =>
      this.#happen("repair", `Asked everybody for a missing message (${ordinal(detail.asks)} time)`),
    );
    sds.addEventListener(SdsEvent.RepairResponseSent, () =>
      this.#happen("repair", "Sent a message again that somebody had missed"),
    );
    sds.addEventListener(SdsEvent.Repaired, () => this.#happen("repair", "A missing message was repaired"));
    channel.addEventListener("message-received", ({ detail }) => this.#delivered(detail));
    channel.addEventListener("irretrievable-message", ({ detail }) => this.#lost(detail));
    channel.addEventListener("sending-message", ({ detail }) => this.#goesOut(detail));
    channel.addEventListener("message-sent", ({ detail }) => this.#sent(detail));
    channel.addEventListener("error", ({ detail }) => {
      if (isWorthTelling(detail)) this.#happen("error", detail instanceof Error ? detail.message : String(detail));
    });
    for (const event of ["message-possibly-acknowledged", "message-acknowledged", "message-unacknowledged"] as const) {
      channel.addEventListener(event, () => this.#changed());
    }
    for (const event of ["synced", "syncing"] as const) channel.syncStatus.addEventListener(event, () => this.#changed());
  }

  #goesOut(messageId: MessageId): void {
    const again = this.#sending.get(messageId) === "sent";
    if (again) this.#happen("resend", "Sent a message of ours again: nobody is known to have it");
    this.#changed();
  }

  #sent(messageId: MessageId): void {
    const entry = this.#entries.get(messageId);
    if (entry && this.#sending.get(messageId) === "queued") {
      this.#note({ messageId, senderId: entry.senderId, names: entry.names });
    }
    this.#sending.set(messageId, "sent");
    this.#changed();
  }

  #received({ messageId, senderId, lamportTimestamp: lamport, content, disposition }: ReceivedMessage): void {
    // Ephemeral messages have no time, and no place.
    if (lamport === undefined) return;
    const names = this.#session.witness.get(messageId)?.causalHistory ?? [];
    const waiting = disposition === "waiting";
    this.#note({ messageId, senderId, names, ...(waiting && { waiting: { lamport, content } }) });
    if (!waiting) return;
    this.#gaps.delete(messageId);
    this.#put({ messageId, senderId, lamport, post: decodePost(content), names, own: false, waiting, late: false });
  }

  #delivered({ messageId, senderId, lamportTimestamp: lamport, content, late }: DeliveredMessage): void {
    if (lamport === undefined) return;
    const waited = this.#entries.get(messageId)?.waiting;
    const names = this.#session.witness.get(messageId)?.causalHistory ?? this.#entries.get(messageId)?.names ?? [];
    if (waited) this.#note({ messageId, senderId, names });
    if (late) this.#happen("late", "A message came that had been given up");
    this.#gaps.delete(messageId);
    const own = senderId === this.participantId;
    this.#put({ messageId, senderId, lamport, post: decodePost(content), names, own, waiting: false, late });
  }

  #missing(entry: HistoryEntry): void {
    if (this.#entries.has(entry.messageId)) return;
    this.#gaps.set(entry.messageId, { ...entry, lost: false });
    this.#changed();
  }

  #lost({ messageId, senderId }: HistoryEntry): void {
    this.#gaps.set(messageId, { messageId, senderId, lost: true });
    this.#note({ messageId, senderId, names: [], lost: true });
    this.#happen("lost", "Gave up a message that nobody could supply");
  }

  #note(note: Note): void {
    this.#session.notes.put(note).catch((error: unknown) => this.#happen("error", String(error)));
  }

  #happen(kind: Happening["kind"], text: string): void {
    this.#happenings.unshift({ number: ++this.#happened, at: new Date(), kind, text });
    this.#happenings.splice(MOST_HAPPENINGS);
    this.#changed();
  }

  #put(entry: Entry): void {
    this.#entries.set(entry.messageId, entry);
    this.#changed();
  }

  #changed(): void {
    this.dispatchEvent(new Event("change"));
  }
}

/** The order that all participants see: by Lamport time, and by id where that is equal. */
export function compareEntries(a: Entry, b: Entry): number {
  if (a.lamport !== b.lamport) return a.lamport < b.lamport ? -1 : 1;
  return a.messageId === b.messageId ? 0 : a.messageId < b.messageId ? -1 : 1;
}

function ordinal(count: number): string {
  return ["first", "second", "third"][count - 1] ?? `${count}th`;
}
