import { SdsError } from "./errors.js";
import type { LogQuery, SdsStore, StoredLogRecord, StoredRecord, StoreWrite } from "./store.js";
import type { ChannelId } from "./types.js";

/** Stores that a channel has. Two channels on one store would each write over what the other wrote. */
const inUse = new WeakSet<SdsStore>();

/** A store as a channel has it: nobody else's, and what it throws is an {@link SdsError}. */
export class GuardedStore implements SdsStore {
  readonly #store: SdsStore;

  /** Takes a store. */
  constructor(store: SdsStore) {
    if (inUse.has(store)) {
      throw new SdsError("STORE_LOCKED", "another channel has this store: each needs one of its own, until it is closed");
    }
    inUse.add(store);
    this.#store = store;
  }

  /** Lets go of it, without closing it. */
  release(): void {
    inUse.delete(this.#store);
  }

  load(): Promise<StoredRecord[]> {
    return guarded(() => this.#store.load());
  }

  commit(writes: readonly StoreWrite[]): Promise<void> {
    return guarded(() => this.#store.commit(writes));
  }

  page(channelId: ChannelId, query: LogQuery): Promise<StoredLogRecord[]> {
    return guarded(() => this.#store.page(channelId, query));
  }

  async close(): Promise<void> {
    try {
      await guarded(() => this.#store.close());
    } finally {
      this.release();
    }
  }
}

async function guarded<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw storeFailed(error);
  }
}

/** What a store throws, as an error of ours. */
export function storeFailed(error: unknown, always = false): SdsError {
  if (error instanceof SdsError && !always) return error;
  return new SdsError("STORE_FAILED", `store: ${error instanceof Error ? error.message : String(error)}`, error);
}
