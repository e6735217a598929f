/**
 * Every limit and interval of the engine. Names end in their unit: `Ms` milliseconds, `Bytes` bytes; counts have none. Values
 * that contradict each other are refused, with the name of the field, by `open`. The defaults are the engine's, but for
 * `storedMessages`.
 */
export interface SdsConfig {
  /**
   * Message ids named in a causal history, and as many older ones at most that were named less often than that. RFC: two
   * recommended; default three, since with two too many misses go unnoticed at 10 % loss. Sync messages name twice as many
   * besides of what waits.
   */
  causalHistorySize?: number;
  /**
   * How far ahead of the clock a timestamp may lie and still move ours, in rfc channels. Default: 10 minutes.
   */
  maxClockDriftRfcMs?: number;
  /** The same in libsds channels. Default: 7 days, since the libsds clock gains a second with every message. */
  maxClockDriftLibsdsMs?: number;
  /**
   * A backward step of the host's clock by more than this shifts all deadlines; smaller ones are ignored. Default: 60 s.
   */
  clockStepMs?: number;
  /** Messages in a channel's log in memory; the oldest by arrival leave first. Default: 1,000. */
  logMessages?: number;
  /**
   * Bytes of whole messages that a channel's log keeps, to answer requests for repair and to send ours again; the oldest
   * by arrival leave first, and stay in the log by name. Default: 8 MiB.
   */
  logBytes?: number;
  /** Ids that are remembered (as 16-byte hashes) after they left the log, per channel. Default: 20,000. */
  seenLimit?: number;
  /**
   * Messages of a channel's log that stay in a store, the latest by arrival, at least as many as in memory. Default:
   * 10,000, since all are read at start.
   */
  storedMessages?: number;
  /**
   * How long they stay there, and up to a sixteenth longer, or until the channel is used next; 0: however long. What memory
   * holds (`logMessages`) stays however old it is. Ages are told by the host's clock: one that is far ahead when a message
   * comes makes all others old. Default: 0.
   */
  storedMs?: number;
  /**
   * Bytes of changes that wait to be stored, per manager: for a host that does not confirm them, or a store that fails.
   * Beyond, calls that make more are refused. Default: 64 MiB.
   */
  maxUnconfirmedBytes?: number;
  /** Ids that a filter covers at most. Default: 10,000, as both deployed implementations. */
  bloomCapacity?: number;
  /** A filter's false-positive rate at capacity. Default: 0.001, as both deployed implementations. */
  bloomErrorRate?: number;
  /** A filter covers ids received this recently. Default: 10 minutes, well over the time all resends take. */
  ackWindowMs?: number;
  /**
   * Duplicates of messages that left the window which re-enter the filter, per minute and channel. Default: 64.
   */
  refilterPerMinute?: number;
  /**
   * A message is acknowledged once the chance that every filter hit for it was false is below this. Default: 1e-6.
   */
  ackFalsePositive?: number;
  /** Participants remembered by name per message of ours as having acknowledged it. Default: 64. */
  maxAcknowledgers?: number;
  /**
   * Wait before the first resend of an unacknowledged message; doubles with each. Default: 5 s (reliable channel).
   */
  resendIntervalMs?: number;
  /** The same for possibly acknowledged ones. Default: 15 s. */
  possiblyResendIntervalMs?: number;
  /** Resends before a message is given up. Default: 5 (reliable channel). */
  maxResends?: number;
  /** Random extra wait before a resend, in percent of the wait. Default: 20. */
  resendJitterPercent?: number;
  /** Messages of ours that may await an acknowledgement, per channel. Default: 10,000. */
  maxUnacknowledged?: number;
  /**
   * Bytes that these hold, per channel. Given-up messages leave first; then wraps are refused. Default: 256 MiB.
   */
  maxUnacknowledgedBytes?: number;
  /**
   * Wait for missing dependencies before they are lost. With repair, at least 2 `repairTMaxMs` + 30 s: we ask by T_max at
   * the latest, and an answer may take T_max. Default: 10 minutes, which leaves time to ask again for what somebody else
   * asked for first.
   */
  dependencyTimeoutMs?: number;
  /** Messages that wait for dependencies, per channel; beyond, the oldest is delivered early. Default: 1,000. */
  maxWaitingMessages?: number;
  /** Bytes that waiting messages and the names of their dependencies hold, per channel. Default: 8 MiB. */
  maxWaitingBytes?: number;
  /** Missing ids that are tracked, per channel. Default: 4,096. */
  maxMissing?: number;
  /** Least interval of periodic sync messages; doubles while nothing is new. Default: 30 s. */
  syncIntervalMs?: number;
  /** Greatest interval of periodic sync messages. Default: 30 minutes. */
  syncIntervalMaxMs?: number;
  /**
   * How soon a message that nobody was heard to confirm is confirmed: a quarter of this at the least, and for about one
   * member of a group of `numParticipants` half of it; the others would follow later, ten times as many with every five
   * eighths of it. Default: 2 s.
   */
  syncConfirmMs?: number;
  /**
   * Send sync messages in libsds channels too: for fleets without nim-sds, which takes them for ordinary ones. Default:
   * no.
   */
  syncInLibsds?: boolean;
  /**
   * Repair what is missing among the members, without a store (RFC 109, *SDS-R*). Needs a participant id; without one it
   * is off. Where sync messages are off, requests ride on messages with content only. Default: yes.
   */
  repair?: boolean;
  /**
   * T_min, the least time before a missing message is asked for. The same for all members. RFC: at least 30 s. Default:
   * 30 s.
   */
  repairTMinMs?: number;
  /**
   * T_max, the greatest time before it is asked for, and before it is answered. The same for all members. RFC: 120 to 600
   * s. Default: 120 s, as @waku/sds.
   */
  repairTMaxMs?: number;
  /**
   * Members expected in a channel, about. Each message is answered by one of `num_participants div 128 + 1` response
   * groups, so that the same number has to be set for all members. Default: 100, that is, one group.
   */
  numParticipants?: number;
  /** Missing messages that one message asks for at most. RFC: 3. Default: 3. */
  repairRequestSize?: number;
  /** Least time between two sync messages that go out only to ask. Default: 5 s. */
  repairRequestIntervalMs?: number;
  /**
   * How long whole messages are kept to answer requests with; repair is for the recent past. Default: 1 hour.
   */
  repairWindowMs?: number;
  /** Requests of others that wait to be answered, per channel. Default: 256. */
  maxRepairAnswers?: number;
  /**
   * Requests of others that are taken up in a minute, per channel. All members hear the same ones and stop at about the
   * same, so that this bounds the whole group's answers. Default: 64.
   */
  repairAnswersPerMinute?: number;
  /** Bytes of the messages in these. Default: 2 MiB. */
  repairBytesPerMinute?: number;
  /** An encoded message, sent or received. Default: 1 MiB. */
  maxMessageBytes?: number;
  /** A message, channel or participant id. Default: 256. */
  maxIdBytes?: number;
  /** Entries of a received causal history. Default: 1,024 (@waku/sds sends 200). */
  maxHistoryEntries?: number;
  /** Entries of a received repair request. Default: 64 (the RFC recommends 3). */
  maxRepairEntries?: number;
  /** A retrieval hint. Default: 1,024. */
  maxHintBytes?: number;
  /** A received filter. Default: 128 KiB (deployed ones have 18,752 bytes). */
  maxFilterBytes?: number;
  /** Outputs that wait to be drained, per manager; beyond, calls that make more are refused. Default: 65,536. */
  maxOutputs?: number;
  /** Bytes of ids, hints, contents and transmissions in these. Default: 64 MiB. */
  maxOutputBytes?: number;
}
