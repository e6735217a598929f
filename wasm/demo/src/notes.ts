import type { HistoryEntry, MessageId, ParticipantId } from "@status-im/sds";

/** What this page wants to know of a message after a reload, beyond what the log of the channel has: what it names. */
export interface Note {
  readonly messageId: MessageId;
  readonly senderId: ParticipantId | undefined;
  readonly names: readonly HistoryEntry[];
  /** It is here and waits for others: no log has it yet. */
  readonly waiting?: { readonly lamport: bigint; readonly content: Uint8Array };
  /** It is ours, and the network has not taken it yet. */
  readonly unsent?: true;
  /** It is not here, and was given up. */
  readonly lost?: true;
}

const NOTES = "notes";

/** Notes of one participant, in IndexedDB beside the store of the channel. One that is lost costs an edge of the graph. */
export class Notes {
  readonly #database: IDBDatabase;

  private constructor(database: IDBDatabase) {
    this.#database = database;
    database.onversionchange = () => database.close();
  }

  static async open(name: string): Promise<Notes> {
    const request = indexedDB.open(`notes:${name}`, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(NOTES, { keyPath: "messageId" });
    return new Notes(await done(request));
  }

  all(): Promise<Note[]> {
    return done(this.#notes("readonly").getAll());
  }

  async put(note: Note): Promise<void> {
    await done(this.#notes("readwrite").put(note));
  }

  async delete(messageId: MessageId): Promise<void> {
    await done(this.#notes("readwrite").delete(messageId));
  }

  #notes(mode: IDBTransactionMode): IDBObjectStore {
    return this.#database.transaction(NOTES, mode).objectStore(NOTES);
  }
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
