import { BrokerError } from "@keyloan/contract";

export type FailedAction = "written" | "read" | "removed" | "listed";

/**
 * The error for a store that did not do it: our own words and the code, which is an errno, the name of an S3
 * error or a status.
 */
export function unavailable(action: FailedAction, code: string, remedy: string): BrokerError {
  return new BrokerError("unavailable", `the archive could not be ${action} (${code})`, { remedy });
}

export function missing(): BrokerError {
  return new BrokerError("not_found", "the archive is not in the store of archives", {
    remedy: "Restore the folder or bucket of archives from its backup.",
  });
}

/** Passes the pieces on and ends when the signal does. */
export async function* until(
  signal: AbortSignal,
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  signal.throwIfAborted();
  for await (const piece of content) {
    yield piece;
    signal.throwIfAborted();
  }
}
