/** What an {@link SdsError} is about. Texts of errors may change, codes do not. */
export type SdsErrorCode =
  | "INVALID_CONFIG"
  | "INVALID_ARGUMENT"
  | "UNKNOWN_CHANNEL"
  | "CHANNEL_OPTIONS_DIFFER"
  | "TOO_MANY_CHANNELS"
  | "INVALID_ID"
  | "EMPTY_CONTENT"
  | "TOO_LARGE"
  | "ID_REUSED"
  | "BYTES_GONE"
  | "ID_MISMATCH"
  | "EPHEMERAL_UNSUPPORTED"
  | "UNKNOWN_MESSAGE"
  | "TOO_MANY_UNACKNOWLEDGED"
  | "OUTPUTS_FULL"
  | "NO_RESOURCES"
  | "NOT_SDS"
  | "MALFORMED"
  | "NOT_UTF8"
  | "STORE_UNUSABLE"
  | "STORE_FAILED"
  | "STORE_LOCKED"
  | "UNCONFIRMED"
  | "WRONG_STORE"
  | "CLOSED"
  | "OTHER";

/** Why a call was refused. Nothing changed, unless the code is `STORE_FAILED`. */
export class SdsError extends Error {
  readonly code: SdsErrorCode;

  constructor(code: SdsErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "SdsError";
    this.code = code;
  }
}
