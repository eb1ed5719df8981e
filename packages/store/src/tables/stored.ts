import type { DatabaseSummary, KeyCheck, TransferPhase } from "@keyloan/contract";
import {
  isBoolean,
  isNumber,
  isText,
  isTime,
  listOf,
  objectOf,
  oneOf,
  optional,
  recordOf,
} from "./shapes.ts";

// What structures hold, and how those without a MAC are told from what somebody else put there.

export type StoredCheck = {
  readonly status: "valid" | "invalid" | "undetermined";
  readonly message?: string;
  readonly account?: string;
  readonly mode?: "test" | "live";
  readonly capabilities: readonly {
    readonly name: string;
    readonly state: "works" | "missing" | "not_checked";
    readonly remedy?: string;
    readonly helpUrl?: string;
  }[];
  readonly warnings: readonly string[];
};

/** The last answer of a validator about a user's values, as the settings page shows it. */
export type StoredKeyCheck = KeyCheck;

export type StoredAdminRevert = { readonly at: number; readonly reason: string };

export type StoredLeaseError = {
  readonly provider: string;
  readonly code: string;
  readonly message: string;
  readonly status?: number;
  readonly requestId?: string;
  readonly remedy: string;
  readonly retryable: boolean;
};

export type StoredUsage = {
  /** Rows read and written since the month began, as the provider counts them. */
  readonly rows: number;
  readonly checkedAt: number;
  /** When a look first found nothing more used than the look before. */
  readonly idleSince: number;
};

/** What a database held: enough to compare a copy with it. */
export type StoredSummary = DatabaseSummary;

/** What is told of a visit that started over: when, and from where. */
export type StoredEnding = {
  readonly at: number;
  readonly address?: string;
};

/** What a person must do for a job that requires action, and by when. */
export type StoredRequiredAction = {
  readonly since: number;
  readonly dueAt: number;
  readonly steps: readonly { readonly text: string; readonly url?: string }[];
  /** Variables that a person may supply instead. */
  readonly variables?: readonly string[];
  readonly remindedAt?: number;
};

export type StoredProgress = {
  readonly phase: TransferPhase;
  readonly rows?: number;
  readonly rowsTotal?: number;
  readonly objects?: number;
  readonly objectsTotal?: number;
  readonly bytes?: number;
  readonly bytesTotal?: number;
  readonly item?: string;
  readonly at: number;
  /** What this transfer has put into the target and nobody else relies on: a part, or all. */
  readonly target?: "part" | "whole";
  /** SHA-256 of what was proven: of a database's summary, or of the list of the source's objects. */
  readonly provenSha256?: string;
  /** Until then a proven copy waits for the switch. */
  readonly switchBy?: number;
};

export const isRecordOfText = recordOf(isText);
export const isListOfText = listOf(isText);

/** Whatever is JSON: whose it is checks it. */
export const isAnything = (value: unknown): value is unknown => value !== undefined;

export const isStoredCheck = objectOf<StoredCheck>({
  status: oneOf("valid", "invalid", "undetermined"),
  message: optional(isText),
  account: optional(isText),
  mode: optional(oneOf("test", "live")),
  capabilities: listOf(
    objectOf<StoredCheck["capabilities"][number]>({
      name: isText,
      state: oneOf("works", "missing", "not_checked"),
      remedy: optional(isText),
      helpUrl: optional(isText),
    }),
  ),
  warnings: isListOfText,
});

export const isAdminRevert = objectOf<StoredAdminRevert>({ at: isTime, reason: isText });

export const isLeaseError = objectOf<StoredLeaseError>({
  provider: isText,
  code: isText,
  message: isText,
  status: optional(isNumber),
  requestId: optional(isText),
  remedy: isText,
  retryable: isBoolean,
});

export const isUsage = objectOf<StoredUsage>({ rows: isNumber, checkedAt: isTime, idleSince: isTime });

export const isSummary = objectOf<StoredSummary>({
  schemaSha256: isText,
  tables: listOf(objectOf({ name: isText, rows: isNumber, sha256: isText })),
});

const notRead = "what is stored of it cannot be read";

/** Read for a check that the broker did not write: it says that nothing is known. */
export const unreadableCheck: StoredCheck = {
  status: "undetermined",
  message: notRead,
  capabilities: [],
  warnings: [],
};

/** The same for a failure. */
export const unreadableError: StoredLeaseError = {
  provider: "keyloan",
  code: "unreadable",
  message: notRead,
  remedy: "Ask the operator to look at the store with `keyloan audit verify`.",
  retryable: false,
};
