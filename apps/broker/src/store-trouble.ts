import { StoreError, type StoreErrorCode } from "@keyloan/store";

export type StoreTrouble = {
  /** What is wrong with the store, to follow a colon; no path and no value. */
  readonly reason: string;
  readonly remedy: string;
};

/** After so long a caller may try again: another process rarely holds the store for longer. */
export const storeRetrySeconds = 5;

const again = "Try again shortly. If it still fails, ask the operator to look at /health/ready.";

const troubles: Readonly<Record<StoreErrorCode, StoreTrouble>> = {
  unavailable: { reason: "it does not answer", remedy: again },
  busy: { reason: "another process is using it", remedy: again },
  full: {
    reason: "its disk is full",
    remedy:
      "Ask the operator to free space on the store's disk; nothing was written, and the broker continues automatically.",
  },
  not_writable: {
    reason: "its file cannot be written",
    remedy:
      "Ask the operator to check the permissions and the mount of KEYLOAN_DATA_DIR; nothing was written, and the broker continues automatically.",
  },
  corrupt: { reason: "its file is damaged", remedy: "Ask the operator to restore it from a backup." },
  altered: {
    reason: "its file does not keep what is written",
    remedy:
      "Ask the operator to run `keyloan audit verify`: it names what was added to the store's file. Nothing was written.",
  },
  conflict: { reason: "another request wrote the same data at this moment", remedy: again },
};

/** What to tell a caller of a failure of the store; `undefined` for any other failure. */
export function storeTrouble(error: unknown): StoreTrouble | undefined {
  return error instanceof StoreError ? troubles[error.code] : undefined;
}
