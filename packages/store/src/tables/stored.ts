import type { KeyCheck, TransferPhase } from "@keyloan/contract";
import * as z from "zod";
import { timeMax } from "./columns.ts";

// What the JSON columns hold. Those that are not read as `provenJson` have a schema, which detects foreign content.

const time = z.number().int().min(-timeMax).max(timeMax);

export const recordOfText = z.record(z.string(), z.string());
export const listOfText = z.array(z.string()).readonly();
/** Any JSON; the code that owns it checks it. */
export const anything = z.unknown();

export const storedCheck = z.object({
  status: z.enum(["valid", "invalid", "undetermined"]),
  message: z.string().exactOptional(),
  account: z.string().exactOptional(),
  mode: z.enum(["test", "live"]).exactOptional(),
  capabilities: z
    .array(
      z.object({
        name: z.string(),
        state: z.enum(["works", "missing", "not_checked"]),
        remedy: z.string().exactOptional(),
        helpUrl: z.string().exactOptional(),
      }),
    )
    .readonly(),
  warnings: listOfText,
});
export type StoredCheck = z.output<typeof storedCheck>;

export const adminRevert = z.object({ at: time, reason: z.string() });

export const leaseError = z.object({
  provider: z.string(),
  code: z.string(),
  message: z.string(),
  status: z.number().exactOptional(),
  requestId: z.string().exactOptional(),
  remedy: z.string(),
  retryable: z.boolean(),
});
export type StoredLeaseError = z.output<typeof leaseError>;

export const usage = z.object({
  /** Rows read and written since the month began, as the provider counts them. */
  rows: z.number(),
  checkedAt: time,
  /** When a check first found no more use than the check before. */
  idleSince: time,
});
export type StoredUsage = z.output<typeof usage>;

/** A summary of what a database held, enough to compare a copy with it. */
export const summary = z.object({
  schemaSha256: z.string(),
  tables: z.array(z.object({ name: z.string(), rows: z.number(), sha256: z.string() })).readonly(),
});
export type StoredSummary = z.output<typeof summary>;

/** The last answer of a validator about a user's values, as the settings page shows it. */
export type StoredKeyCheck = KeyCheck;

/** What is shown about a visit that started over: when it was, and from which address. */
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
  /** How much of what is in the target this transfer wrote, while nobody else relies on it: a part, or all. */
  readonly target?: "part" | "whole";
  /** The user's database belongs to them now, but still holds the notes that say what this transfer has created. */
  readonly noted?: true;
  /** SHA-256 of what was proven: of a database's summary, or of the list of the source's objects. */
  readonly provenSha256?: string;
  /** Until when a proven copy waits for the switch. */
  readonly switchBy?: number;
};

const notRead = "what is stored of it cannot be read";

/** Returned instead of a check that the broker did not write: it says that nothing is known. */
export const unreadableCheck: StoredCheck = {
  status: "undetermined",
  message: notRead,
  capabilities: [],
  warnings: [],
};

/** The same for a check of a user's values, which must be repeated. */
export const unreadableKeyCheck: StoredKeyCheck = {
  status: "undetermined",
  code: "provider_down",
  message: notRead,
};

/** The same for a stored error. */
export const unreadableError: StoredLeaseError = {
  provider: "keyloan",
  code: "unreadable",
  message: notRead,
  remedy: "Ask the operator to look at the store with `keyloan audit verify`.",
  retryable: false,
};
