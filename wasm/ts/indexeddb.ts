import { SdsError } from "./errors.js";
import { storeFailed } from "./guard.js";
import {
  type LogPlace,
  type LogQuery,
  type SdsStore,
  type StoredLogRecord,
  type StoredRecord,
  type StoreWrite,
  sideKey,
} from "./store.js";
import type { ChannelId } from "./types.js";

/** What to open a store with, where the globals of a browser are not there. */
export interface IndexedDbOptions {
  /** Default: the global one. */
  indexedDB?: IDBFactory;
  /** Sees to it that no two tabs use one store. Default: the browser's, where there are locks. */
  locks?: LockManager | undefined;
  /**
   * How long to wait for whoever has the store open. Default: 0, not at all. A page that is loaded again may come before the
   * one that it replaces is gone: with a second or two it gets its store back.
   */
  waitMs?: number | undefined;
}

/** What IndexedDB takes for a key; nothing of ours is shared between threads. */
type Key = Uint8Array<ArrayBuffer>;

/** As it lies in the database. `log` is there for messages only, and what the index is made of. */
interface Row {
  channelId: ChannelId;
  key: Key;
  value: Uint8Array;
  log?: [ChannelId, string, string];
}

const RECORDS = "records";
const LOG = "log";

/**
 * State in IndexedDB: a reload of the page loses nothing.
 *
 * A store is locked while it is open, since two tabs that wrote one state would ruin it: give each tab a participant id and a
 * store of its own, for instance by a name in `sessionStorage`.
 */
export class IndexedDbStore implements SdsStore {
  readonly #database: IDBDatabase;
  readonly #unlock: () => void;

  private constructor(database: IDBDatabase, unlock: () => void) {
    this.#database = database;
    this.#unlock = unlock;
    // Somebody deletes the database, or opens a later version of it: nothing may hang on us.
    database.onversionchange = () => database.close();
  }

  /**
   * Opens the store of a name, or makes it.
   *
   * @throws SdsError `STORE_LOCKED` if another tab has it open.
   */
  static async open(name: string, options: IndexedDbOptions = {}): Promise<IndexedDbStore> {
    const { factory, unlock } = await take(name, options);
    try {
      return new IndexedDbStore(await openDatabase(factory, `sds:${name}`), unlock);
    } catch (error) {
      unlock();
      throw storeFailed(error);
    }
  }

  /**
   * Deletes the store of a name.
   *
   * @throws SdsError `STORE_LOCKED` if it is open, here or in another tab.
   */
  static async delete(name: string, options: IndexedDbOptions = {}): Promise<void> {
    const { factory, unlock } = await take(name, options);
    try {
      await done(factory.deleteDatabase(`sds:${name}`));
    } catch (error) {
      throw storeFailed(error);
    } finally {
      unlock();
    }
  }

  async load(): Promise<StoredRecord[]> {
    const rows = await this.#read((records) => done<Row[]>(records.getAll()));
    return rows.map(({ channelId, key, value }) => ({ channelId, key, value }));
  }

  async commit(writes: readonly StoreWrite[]): Promise<void> {
    try {
      // "relaxed" would let a message out before it is kept.
      const transaction = this.#database.transaction(RECORDS, "readwrite", { durability: "strict" });
      const kept = finished(transaction);
      try {
        const records = transaction.objectStore(RECORDS);
        for (const write of writes) apply(records, write);
        transaction.commit?.();
      } catch (error) {
        // What was asked for before would be kept.
        kept.catch(() => {});
        transaction.abort();
        throw error;
      }
      await kept;
    } catch (error) {
      throw storeFailed(error);
    }
  }

  async page(channelId: ChannelId, query: LogQuery): Promise<StoredLogRecord[]> {
    return this.#read(async (records) => {
      const rows = await page(records.index(LOG), channelId, query);
      const sides = rows.map(({ key }) => done<Row | undefined>(records.get([channelId, sideKey(key) as Key])));
      const found = await Promise.all(sides);
      return rows.map(({ key, value }, at) => ({ key, value, side: found[at]?.value }));
    });
  }

  async close(): Promise<void> {
    this.#database.close();
    this.#unlock();
  }

  async #read<T>(body: (records: IDBObjectStore) => Promise<T>): Promise<T> {
    try {
      return await body(this.#database.transaction(RECORDS, "readonly").objectStore(RECORDS));
    } catch (error) {
      throw storeFailed(error);
    }
  }
}

function apply(records: IDBObjectStore, write: StoreWrite): void {
  if (write.kind === "put") records.put(row(write));
  else if (write.kind === "delete") records.delete([write.channelId, write.key as Key]);
  else if (write.kind === "wipe") records.clear();
  // Keys sort bytes before lists.
  else records.delete(IDBKeyRange.bound([write.channelId], [write.channelId, []]));
}

function row({ channelId, key: bytes, value, place }: StoredRecord): Row {
  const key = bytes as Key;
  return place ? { channelId, key, value, log: [channelId, place.stamp, place.messageId] } : { channelId, key, value };
}

async function page(index: IDBIndex, channelId: ChannelId, { after, before, limit }: LogQuery): Promise<Row[]> {
  const at = (place: LogPlace) => [channelId, place.stamp, place.messageId];
  const [from, to] = [after ? at(after) : [channelId], before ? at(before) : [channelId, []]];
  const range = IDBKeyRange.bound(from, to, true, true);
  if (after) return done<Row[]>(index.getAll(range, limit));
  const rows: Row[] = [];
  const request = index.openCursor(range, "prev");
  for (let cursor = await done(request); cursor && rows.length < limit; cursor = await done(request)) {
    rows.push(cursor.value as Row);
    cursor.continue();
  }
  return rows.reverse();
}

async function openDatabase(factory: IDBFactory, name: string): Promise<IDBDatabase> {
  const request = factory.open(name, 1);
  request.onupgradeneeded = () => {
    const records = request.result.createObjectStore(RECORDS, { keyPath: ["channelId", "key"] });
    records.createIndex(LOG, "log");
  };
  return done(request);
}

/** Locks the store of a name, for whatever is to be done with it. */
async function take(name: string, options: IndexedDbOptions): Promise<{ factory: IDBFactory; unlock: () => void }> {
  const factory = options.indexedDB ?? globalThis.indexedDB;
  const locks = "locks" in options ? options.locks : globalThis.navigator?.locks;
  return { factory, unlock: await lock(`sds:${name}`, locks, options.waitMs ?? 0) };
}

/** Takes a lock and holds it until what it returns is called. */
async function lock(name: string, locks: LockManager | undefined, waitMs: number): Promise<() => void> {
  if (!locks) return () => {};
  const waiting = new AbortController();
  // Not AbortSignal.timeout: Node does not wait for its timer, and could end before it is told that the lock is not to be had.
  const timer = waitMs > 0 ? setTimeout(() => waiting.abort(), waitMs) : undefined;
  return new Promise<() => void>((resolve, reject) => {
    const locked = () => reject(new SdsError("STORE_LOCKED", `the store ${name} is open in another tab`));
    locks
      .request(name, waitMs > 0 ? { signal: waiting.signal } : { ifAvailable: true }, (got) => {
        if (!got) return locked();
        return new Promise<void>((unlock) => resolve(unlock));
      })
      .catch((error: unknown) => (waiting.signal.aborted ? locked() : reject(error)));
  }).finally(() => clearTimeout(timer));
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function finished(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
}
