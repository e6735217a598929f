// The objects that come out of the engine. Made here rather than in Rust, where each field would be a call of its own; the
// generated module imports these functions.
//
// Bytes arrive as views into the engine's memory, which moves: they are copied.
import { SdsError, type SdsErrorCode } from "./errors.js";
import type {
  ChannelId,
  DeliveredMessage,
  Disposition,
  HistoryEntry,
  InspectedMessage,
  LogEntry,
  MessageId,
  MessageState,
  MessageStatus,
  OutgoingMessage,
  ParticipantId,
  Profile,
  ReceivedMessage,
  TransmitReason,
} from "./types.js";

type Bytes = Uint8Array;
type Stamp = bigint | undefined;

/** A message of ours. Without bytes, they come as an output when what it changed is stored. */
export interface Wrapped {
  messageId: MessageId;
  lamportTimestamp: Stamp;
  bytes: Bytes;
}

/** One thing that the engine wants done or known. */
export type Output =
  | { kind: "transmit"; message: OutgoingMessage }
  | { kind: "delivered"; message: DeliveredMessage }
  | { kind: "missing" | "lost" | "before-us"; entry: HistoryEntry }
  | { kind: Fact; messageId: MessageId; number: number };

export type Fact =
  | "possibly-acknowledged"
  | "acknowledged"
  | "failed"
  | "unconfirmed"
  | "repair-requested"
  | "repair-answered"
  | "repaired";

/** One change of what the host keeps. */
export type Write =
  | { kind: "put"; channelId: ChannelId; key: Bytes; value: Bytes; lamportTimestamp: Stamp; messageId: MessageId | undefined }
  | { kind: "delete"; channelId: ChannelId; key: Bytes }
  | { kind: "forget"; channelId: ChannelId }
  | { kind: "wipe" };

/** What the host has to commit, and the number to confirm it by. */
export interface Offer {
  number: number;
  writes: Write[];
}

/** A message of ours that nobody is known to have. */
export interface Own {
  messageId: MessageId;
  state: MessageState;
}

export function wrapped(messageId: MessageId, lamportTimestamp: Stamp, bytes: Bytes): Wrapped {
  return { messageId, lamportTimestamp, bytes: bytes.slice() };
}

export function received(
  channelId: ChannelId,
  messageId: MessageId,
  senderId: ParticipantId,
  lamportTimestamp: Stamp,
  profile: Profile,
  content: Bytes,
  disposition: Disposition,
  own: boolean,
  unmet: HistoryEntry[],
): ReceivedMessage {
  const copy = content.slice();
  return { channelId, messageId, senderId, lamportTimestamp, profile, content: copy, disposition, own, unmet };
}

export function entry(messageId: MessageId, retrievalHint?: Bytes, senderId?: ParticipantId): HistoryEntry {
  return { messageId, retrievalHint: retrievalHint?.slice(), senderId };
}

export function transmit(messageId: MessageId, reason: TransmitReason, bytes: Bytes): Output {
  return { kind: "transmit", message: { messageId, reason, bytes: bytes.slice() } };
}

export function delivered(
  messageId: MessageId,
  senderId: ParticipantId,
  lamportTimestamp: bigint,
  content: Bytes,
  late: boolean,
  own: boolean,
): Output {
  const copy = content.slice();
  return {
    kind: "delivered",
    message: { messageId, senderId, lamportTimestamp, content: copy, late, own, ephemeral: false },
  };
}

export function named(kind: "missing" | "lost" | "before-us", entry: HistoryEntry): Output {
  return { kind, entry };
}

export function fact(kind: Fact, messageId: MessageId, number: number | undefined): Output {
  return { kind, messageId, number: number ?? 0 };
}

export function put(channelId: ChannelId, key: Bytes, value: Bytes, lamportTimestamp: Stamp, messageId?: MessageId): Write {
  return { kind: "put", channelId, key: key.slice(), value: value.slice(), lamportTimestamp, messageId };
}

export function remove(channelId: ChannelId, key: Bytes): Write {
  return { kind: "delete", channelId, key: key.slice() };
}

export function forget(channelId: ChannelId): Write {
  return { kind: "forget", channelId };
}

export function wipe(): Write {
  return { kind: "wipe" };
}

export function offer(number: number, writes: Write[]): Offer {
  return { number, writes };
}

export function messageStatus(
  state: MessageState,
  probability: number,
  lamportTimestamp: bigint,
  resends: number,
  acknowledgers: MessageStatus["acknowledgers"],
): MessageStatus {
  return { state, probability, lamportTimestamp, resends, acknowledgers };
}

export function acknowledger(participantId: ParticipantId, certain: boolean): MessageStatus["acknowledgers"][number] {
  return { participantId, certain };
}

export function own(messageId: MessageId, state: MessageState): Own {
  return { messageId, state };
}

export function logEntry(
  messageId: MessageId,
  senderId: ParticipantId,
  lamportTimestamp: bigint,
  receivedMs: number,
  content: Bytes,
  retrievalHint: Bytes | undefined,
  sent: boolean,
  own: boolean,
  late: boolean,
): LogEntry {
  const hint = retrievalHint?.slice();
  return { messageId, senderId, lamportTimestamp, receivedMs, content: content.slice(), retrievalHint: hint, sent, own, late };
}

export function inspected(
  profile: Profile,
  channelId: ChannelId,
  messageId: MessageId,
  senderId: ParticipantId,
  lamportTimestamp: Stamp,
  causalHistory: HistoryEntry[],
  repairRequest: HistoryEntry[],
  filterBytes: number,
  content: Bytes | undefined,
): InspectedMessage {
  const ids = { profile, channelId, messageId, senderId, lamportTimestamp };
  return { ...ids, causalHistory, repairRequest, filterBytes, content: content?.slice() };
}

export function refused(code: SdsErrorCode, message: string): SdsError {
  return new SdsError(code, message);
}

/** An object of counts, out of their names, each with a blank behind it. */
export function counts(names: string, values: Float64Array): Record<string, number> {
  return Object.fromEntries(names.trim().split(" ").map((name, place) => [name, values[place] ?? 0]));
}
