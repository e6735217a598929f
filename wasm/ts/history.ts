import { Checks, invalid, stampOf } from "./checks.js";
import { SdsError } from "./errors.js";
import type { HistoryQuery } from "./options.js";
import { comparePlaces, type LogPlace, type LogQuery, placeOf } from "./store.js";

/**
 * What a store is asked for, the same for every kind of store; undefined: nothing can be there.
 *
 * @throws SdsError `INVALID_ARGUMENT` if it asks for no part of a log.
 */
export function logQuery({ after, before, limit = 100 }: HistoryQuery, checks: Checks): LogQuery | undefined {
  if (!Number.isSafeInteger(limit) || limit < 0) throw invalid("limit", "a whole number");
  const place = (at: HistoryQuery["after"]): LogPlace | undefined =>
    at && placeOf(stampOf(at.lamportTimestamp, "a timestamp"), checks.messageId(at.messageId));
  // Stores take 32 bits.
  const query = { after: place(after), before: place(before), limit: Math.min(limit, 2 ** 32 - 1) };
  const empty = query.after && query.before && comparePlaces(query.after, query.before) >= 0;
  return limit === 0 || empty ? undefined : query;
}

/** A channel without a store was asked for its history. */
export function noHistory(): SdsError {
  return new SdsError("WRONG_STORE", "a channel without a store keeps no history to read");
}
