export { SdsChannel } from "./channel.js";
export { type Clock, systemClock } from "./clock.js";
export type { SdsConfig } from "./config.js";
export { load, setWasmSource, type WasmSource } from "./load.js";
export { SdsError, type SdsErrorCode } from "./errors.js";
export { SdsEvent, type SdsEvents, TypedEventTarget } from "./events.js";
export { type IndexedDbOptions, IndexedDbStore } from "./indexeddb.js";
export { inspect } from "./inspect.js";
export { type Codec, type Network, type NetworkMessage, reliableChannelTag } from "./network.js";
export { ReliableChannel, type ReliableChannelEvents, type ReliableChannelOptions } from "./reliable.js";
export { SyncStatus, type SyncStatusDetail, type SyncStatusEvents } from "./status.js";
export type { HistoryQuery, PendingMessage, SdsChannelOptions } from "./options.js";
export {
  type LogPlace,
  type LogQuery,
  MemoryStore,
  type SdsStore,
  type StoredLogRecord,
  type StoredRecord,
  type StoreWrite,
} from "./store.js";
export type * from "./types.js";
export { type WakuEncoder, type WakuMessage, type WakuNode, wakuNetwork } from "./waku.js";
