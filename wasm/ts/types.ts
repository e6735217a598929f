/** Names one message, for everybody and for ever. */
export type MessageId = string;
/** Names one channel, that is, one group conversation. */
export type ChannelId = string;
/** Names one installation of one member; two tabs or devices of a person are two participants. */
export type ParticipantId = string;

/**
 * The two wire formats in use. Both are always read; a channel writes one: `rfc`, as `@waku/sds` does, or `libsds`, as the
 * Status app does.
 */
export type Profile = "rfc" | "libsds";

/** Bytes, in whatever holds them. Neither text nor a list of numbers. */
export type BytesLike = ArrayBufferView | ArrayBufferLike;

/** A message that others name. */
export interface HistoryEntry {
  readonly messageId: MessageId;
  /** What the network needs to fetch it, such as its hash there. */
  readonly retrievalHint?: Uint8Array | undefined;
  /** Who sent it originally, as far as whoever named it said so. */
  readonly senderId?: ParticipantId | undefined;
}

/** Why bytes go out. */
export type TransmitReason = "publish" | "resend" | "sync" | "repair-request" | "repair-answer" | "ephemeral";

/** Bytes to broadcast. */
export interface OutgoingMessage {
  readonly messageId: MessageId;
  readonly reason: TransmitReason;
  /** The encoded message, as it goes over the network. */
  readonly bytes: Uint8Array;
}

/** What became of a broadcast. Nothing at all means that it succeeded. */
export interface BroadcastResult {
  /** False: it was not sent. An ordinary message is sent again later, as one that got lost is. */
  success: boolean;
  /** What others need to fetch the message from the network, such as its hash there. */
  retrievalHint?: BytesLike | undefined;
}

/** What a broadcast may return: its result, or no more than whether it succeeded. */
export type Broadcasted = BroadcastResult | boolean | void;

/** Sends bytes to everybody in the channel. */
export type Broadcast = (message: OutgoingMessage) => Promise<Broadcasted> | Broadcasted;

/** A message of ours, when it was sent. */
export interface SentMessage {
  readonly messageId: MessageId;
  /** Milliseconds; undefined for an ephemeral message. */
  readonly lamportTimestamp: bigint | undefined;
  /** False: the broadcast failed. An ordinary message is sent again later. */
  readonly broadcast: boolean;
}

/**
 * What became of a received message.
 *
 * | | |
 * |---|---|
 * | `delivered` | in causal order: show it |
 * | `waiting` | it depends on messages not yet here; it is delivered later |
 * | `duplicate` | received before: not delivered again |
 * | `own` | an echo of a message that we sent |
 * | `sync` | no content |
 * | `ephemeral` | delivered, and remembered nowhere |
 * | `before-us` | delivered, although it depends on messages from before we joined |
 * | `late` | delivered, after it had been given up as lost |
 */
export type Disposition =
  | "delivered"
  | "waiting"
  | "duplicate"
  | "own"
  | "sync"
  | "ephemeral"
  | "before-us"
  | "late";

/** A message as it was received. */
export interface ReceivedMessage {
  readonly messageId: MessageId;
  readonly channelId: ChannelId;
  /** Who sent it, as the message says; may be empty. */
  readonly senderId: ParticipantId;
  /** Milliseconds; undefined in ephemeral messages. */
  readonly lamportTimestamp: bigint | undefined;
  readonly profile: Profile;
  /** Empty in sync messages. */
  readonly content: Uint8Array;
  readonly disposition: Disposition;
  /** Its sender id is ours. */
  readonly own: boolean;
  /** Every dependency of it that is not here now, in the order named. */
  readonly unmet: readonly HistoryEntry[];
}

/** A message in causal order: the one to show. */
export interface DeliveredMessage {
  readonly messageId: MessageId;
  readonly senderId: ParticipantId;
  /** With the message id, its place in the order that all members see. Undefined in ephemeral messages. */
  readonly lamportTimestamp: bigint | undefined;
  readonly content: Uint8Array;
  /** It had been given up as lost before it came. */
  readonly late: boolean;
  /** Its sender id is ours, though we did not send it from this state. */
  readonly own: boolean;
  /** It is in no order, and not remembered. */
  readonly ephemeral: boolean;
}

/** How far a message of ours got. `failed` and `unconfirmed` mean given up: nothing was heard of it, or no more than filters. */
export type MessageState =
  | "unacknowledged"
  | "possibly-acknowledged"
  | "acknowledged"
  | "failed"
  | "unconfirmed"
  | "cancelled";

/** What is known about one message of ours. */
export interface MessageStatus {
  readonly state: MessageState;
  /** The chance that somebody has it, 0 to 1. */
  readonly probability: number;
  readonly lamportTimestamp: bigint;
  /** Resends so far. */
  readonly resends: number;
  /** Participants whose messages gave evidence of it; `certain`: they named it, otherwise their filter holds it. */
  readonly acknowledgers: readonly { readonly participantId: ParticipantId; readonly certain: boolean }[];
}

/** A message of the log, from the store. */
export interface LogEntry {
  readonly messageId: MessageId;
  readonly senderId: ParticipantId;
  readonly lamportTimestamp: bigint;
  /** When it was sent or received here, about. */
  readonly receivedMs: number;
  readonly content: Uint8Array;
  readonly retrievalHint: Uint8Array | undefined;
  /** We sent it. */
  readonly sent: boolean;
  /** Its sender id is ours, though we did not send it from this state. */
  readonly own: boolean;
  readonly late: boolean;
}

/** A message decoded without touching any state. */
export interface InspectedMessage {
  readonly profile: Profile;
  readonly channelId: ChannelId;
  readonly messageId: MessageId;
  readonly senderId: ParticipantId;
  readonly lamportTimestamp: bigint | undefined;
  readonly causalHistory: readonly HistoryEntry[];
  readonly repairRequest: readonly HistoryEntry[];
  readonly filterBytes: number;
  readonly content: Uint8Array | undefined;
}

/** The counts of a channel. Those without "now" count since it was first opened. */
export interface ChannelStatus {
  /** Messages with content delivered from others. */
  readonly received: number;
  /** Messages of ours. */
  readonly sent: number;
  /** Messages in the log in memory now. */
  readonly logged: number;
  /** Missing messages now. */
  readonly missing: number;
  /** Messages given up as lost, and not come since. */
  readonly lost: number;
  /** Messages that wait for others now. */
  readonly waiting: number;
  /** Messages of ours that await an acknowledgement now, possibly acknowledged ones included. */
  readonly unacknowledged: number;
  /** Those of them that are possibly acknowledged. */
  readonly possiblyAcknowledged: number;
  /** Messages of ours given up, failed or unconfirmed, now. */
  readonly givenUp: number;
  /** Messages of ours acknowledged. */
  readonly acknowledged: number;
  /** Delivered messages kept outside the log because their timestamp lies too far ahead. */
  readonly held: number;
  /** Duplicates received. */
  readonly duplicates: number;
  /** Messages delivered before what they depend on and before their own time: too many waited, or the time of one that names them was up. */
  readonly deliveredEarly: number;
  /** Received filters that were refused. */
  readonly filtersRefused: number;
  /** Missing ids that were not tracked because too many were. */
  readonly missingUntracked: number;
  /** Missing messages that we will ask for. */
  readonly repairRequests: number;
  /** Requests of others that we will answer, should nobody else. */
  readonly repairAnswers: number;
  /** Requests of ours that went out, repeated ones included. */
  readonly repairsRequested: number;
  /** Requests of others that we answered. */
  readonly repairsAnswered: number;
  /** Missing messages that came after we had asked for them. */
  readonly repaired: number;
  /** Requests of others that we could have answered and did not take up, for their number or size. */
  readonly repairsRefused: number;
  /** Our Lamport timestamp, in milliseconds. */
  readonly lamportTimestampMs: number;
  /** Messages that left the log in memory for lack of room. */
  readonly logEvicted: number;
  /** Whole messages dropped for lack of room: requests for them are not answered. */
  readonly wholeDropped: number;
  /** Ids forgotten for lack of room. */
  readonly idsForgotten: number;
  /** Ids that left our filter before their time. */
  readonly filterEvicted: number;
  /** Duplicates that did not re-enter the filter. */
  readonly refiltersRefused: number;
  /** Filters and participants not taken down as evidence for a message of ours, which had enough. */
  readonly evidenceDropped: number;
  /** Messages that were not remembered as to be confirmed. */
  readonly confirmationsDropped: number;
  /** Messages that we name no more. */
  readonly namingsDropped: number;
}
