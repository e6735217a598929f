import type { Write } from "./shapes.js";
import type { ChannelId } from "./types.js";

/** A record of the engine's state: bytes under a key, which nobody but the engine looks into. */
export interface StoredRecord {
  /** Empty: it belongs to the participant, not to a channel. */
  channelId: ChannelId;
  key: Uint8Array;
  value: Uint8Array;
  /** Of a message of the log: its place in it. */
  place?: LogPlace | undefined;
}

/** A place in the log: by timestamp, then by id, both as text that sorts. */
export interface LogPlace {
  /** The Lamport timestamp in 16 hexadecimal digits. */
  stamp: string;
  messageId: string;
}

/** One change of what is stored. */
export type StoreWrite =
  | ({ kind: "put" } & StoredRecord)
  | { kind: "delete"; channelId: ChannelId; key: Uint8Array }
  /** All of a channel is to be gone. */
  | { kind: "forget"; channelId: ChannelId }
  /** All of everything is to be gone. */
  | { kind: "wipe" };

/** Which messages of a log: the first `limit` after a place, or the last `limit` before one. Without either, the last ones. */
export interface LogQuery {
  after?: LogPlace | undefined;
  before?: LogPlace | undefined;
  limit: number;
}

/** A message of the log, and what is said of it beside. */
export interface StoredLogRecord {
  key: Uint8Array;
  value: Uint8Array;
  side: Uint8Array | undefined;
}

/**
 * Where the state of a channel is kept. What a message changed is committed before the message is broadcast or delivered.
 *
 * One store serves one participant, and is used by one channel object at a time: a second one is refused (`STORE_LOCKED`).
 */
export interface SdsStore {
  /** All records that are there. */
  load(): Promise<StoredRecord[]>;
  /** Writes all of it, in this order, or fails and writes nothing. */
  commit(writes: readonly StoreWrite[]): Promise<void>;
  /** Messages of a channel's log, in its order. */
  page(channelId: ChannelId, query: LogQuery): Promise<StoredLogRecord[]>;
  /** The channel is closed: nothing is asked any more. */
  close(): Promise<void>;
}

/** The place of a message in the log. */
export function placeOf(lamportTimestamp: bigint, messageId: string): LogPlace {
  return { stamp: lamportTimestamp.toString(16).padStart(16, "0"), messageId };
}

/** What the engine wants written, as stores see it. */
export function storeWrite(write: Write): StoreWrite {
  if (write.kind !== "put") return write;
  const { kind, channelId, key, value, lamportTimestamp, messageId } = write;
  if (lamportTimestamp === undefined || messageId === undefined) return { kind, channelId, key, value };
  return { kind, channelId, key, value, place: placeOf(lamportTimestamp, messageId) };
}

/** The key of what is said beside of the message of a key: the same number, of the next kind. */
export function sideKey(key: Uint8Array): Uint8Array {
  const side = key.slice();
  side[0] = 2;
  return side;
}

/** Negative, 0 or positive, as a place comes before another. By UTF-16, as IndexedDB does it: ids are text such as hexadecimal. */
export function comparePlaces(a: LogPlace, b: LogPlace): number {
  if (a.stamp !== b.stamp) return a.stamp < b.stamp ? -1 : 1;
  return a.messageId === b.messageId ? 0 : a.messageId < b.messageId ? -1 : 1;
}

/** A store in memory: for tests, and for state that outlives a channel object but not the page. */
export class MemoryStore implements SdsStore {
  readonly #records = new Map<string, StoredRecord>();

  async load(): Promise<StoredRecord[]> {
    return [...this.#records.values()];
  }

  async commit(writes: readonly StoreWrite[]): Promise<void> {
    for (const write of writes) {
      if (write.kind === "put") this.#records.set(name(write.channelId, write.key), write);
      else if (write.kind === "delete") this.#records.delete(name(write.channelId, write.key));
      else if (write.kind === "wipe") this.#records.clear();
      else this.#forget(write.channelId);
    }
  }

  async page(channelId: ChannelId, { after, before, limit }: LogQuery): Promise<StoredLogRecord[]> {
    const inLog = (record: StoredRecord): record is StoredRecord & { place: LogPlace } =>
      record.channelId === channelId &&
      record.place !== undefined &&
      (!after || comparePlaces(record.place, after) > 0) &&
      (!before || comparePlaces(record.place, before) < 0);
    const log = [...this.#records.values()].filter(inLog).sort((a, b) => comparePlaces(a.place, b.place));
    const page = after ? log.slice(0, limit) : log.slice(-limit);
    return page.map(({ key, value }) => ({ key, value, side: this.#records.get(name(channelId, sideKey(key)))?.value }));
  }

  async close(): Promise<void> {}

  #forget(channelId: ChannelId): void {
    for (const [name, record] of this.#records) if (record.channelId === channelId) this.#records.delete(name);
  }
}

function name(channelId: ChannelId, key: Uint8Array): string {
  return `${String.fromCharCode(...key)}${channelId}`;
}
