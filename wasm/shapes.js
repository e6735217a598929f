// The objects that come out of the engine. Made here rather than in Rust, where each field would be a call of its own.
//
// Bytes arrive as views into the engine's memory, which moves: they are copied.

export const wrapped = (messageId, lamportTimestamp, bytes) => ({ messageId, lamportTimestamp, bytes: bytes.slice() });

export const received = (
  channelId,
  messageId,
  senderId,
  lamportTimestamp,
  profile,
  content,
  disposition,
  own,
  unmet,
) => ({
  channelId,
  messageId,
  senderId,
  lamportTimestamp,
  profile,
  content: content.slice(),
  disposition,
  own,
  unmet,
});

export const entry = (messageId, retrievalHint, senderId) => ({
  messageId,
  retrievalHint: retrievalHint?.slice(),
  senderId,
});

export const transmit = (messageId, reason, bytes) => ({ kind: "transmit", messageId, reason, bytes: bytes.slice() });

export const delivered = (messageId, senderId, lamportTimestamp, content, late, own) => ({
  kind: "delivered",
  messageId,
  senderId,
  lamportTimestamp,
  content: content.slice(),
  late,
  own,
});

export const named = (kind, entry) => ({ kind, entry });

export const fact = (kind, messageId, number) => ({ kind, messageId, number });

export const put = (channelId, key, value, lamportTimestamp, messageId) => ({
  kind: "put",
  channelId,
  key: key.slice(),
  value: value.slice(),
  lamportTimestamp,
  messageId,
});

export const remove = (channelId, key) => ({ kind: "delete", channelId, key: key.slice() });

export const forget = (channelId) => ({ kind: "forget", channelId });

export const wipe = () => ({ kind: "wipe" });

export const offer = (number, writes) => ({ number, writes });

export const messageStatus = (state, probability, lamportTimestamp, resends, acknowledgers) => ({
  state,
  probability,
  lamportTimestamp,
  resends,
  acknowledgers,
});

export const acknowledger = (participantId, certain) => ({ participantId, certain });

export const own = (messageId, state) => ({ messageId, state });

export const logEntry = (messageId, senderId, lamportTimestamp, receivedMs, content, retrievalHint, sent, own, late) => ({
  messageId,
  senderId,
  lamportTimestamp,
  receivedMs,
  content: content.slice(),
  retrievalHint: retrievalHint?.slice(),
  sent,
  own,
  late,
});

export const inspected = (
  profile,
  channelId,
  messageId,
  senderId,
  lamportTimestamp,
  causalHistory,
  repairRequest,
  filterBytes,
  content,
) => ({
  profile,
  channelId,
  messageId,
  senderId,
  lamportTimestamp,
  causalHistory,
  repairRequest,
  filterBytes,
  content: content?.slice(),
});

/** Why a call was refused: `code` is stable, the message is for people. */
export class SdsError extends Error {
  constructor(code, message) {
    super(message);
    this.name = "SdsError";
    this.code = code;
  }
}

export const refused = (code, message) => new SdsError(code, message);

export const panicked = (message) => console.error(`sds: a bug: ${message}`);
