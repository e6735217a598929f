import type { Clock } from "./clock.js";
import type { SdsConfig } from "./config.js";
import type { SdsStore } from "./store.js";
import type { Broadcast, LogEntry, MessageId, Profile, SentMessage } from "./types.js";

/** How a channel is opened. */
export interface SdsChannelOptions {
  /**
   * Sends bytes to everybody in the channel: messages of ours, for the first time and again, and what the protocol has to say
   * by itself. It is called in the order in which things are to go out.
   */
  broadcast: Broadcast;
  /** Where the state is kept. Default: in memory only, so that a reload forgets. */
  store?: SdsStore | undefined;
  /** Limits and intervals that are to differ from the defaults. */
  config?: SdsConfig | undefined;
  /** The format to write. Both are read. Default: `rfc`. */
  profile?: Profile | undefined;
  /** Begin with the first message received: what lay before is neither waited for nor missing. Default: false. */
  fromNow?: boolean | undefined;
  /** Refuse messages whose id is not derived from them. Default: false. */
  derivedIds?: boolean | undefined;
  /**
   * Do by itself what is due. Default: true. If false, `processTasks` has to be called, at
   * `nextDeadlineMs` and after the network came back.
   */
  run?: boolean | undefined;
  /** The time and the timers. Default: the system's. */
  clock?: Clock | undefined;
  /** 64 bits that all chance comes from, to replay a run. Default: from `crypto`. */
  seed?: bigint | undefined;
}

/** Which part of a log. */
export interface HistoryQuery {
  /** The messages that come right after this one in the log. */
  after?: Pick<LogEntry, "lamportTimestamp" | "messageId"> | undefined;
  /** The messages that come right before this one. Without `after` and `before`: the last ones. */
  before?: Pick<LogEntry, "lamportTimestamp" | "messageId"> | undefined;
  /** How many at most. Default: 100. */
  limit?: number | undefined;
}

/** A message of ours that is on its way. */
export interface PendingMessage {
  readonly messageId: MessageId;
  /** Done when it was stored and broadcast. Rejected if it could not be stored: it stays in memory, and goes out when it can. */
  readonly sent: Promise<SentMessage>;
}
