import { BrokerError } from "@keyloan/contract";

/** Files that are made and not sent whole yet: nothing in a folder shows them, and they take room until they close. */
export type HeldFiles = {
  /** @throws BrokerError `rate_limited` while they are too many, or too large together, for one more */
  readonly refuseMore: () => void;
  /** Counts one. @returns to be called once, when it is closed */
  readonly hold: (bytes: number) => () => void;
};

export function createHeldFiles({
  filesMax,
  bytesMax,
}: {
  readonly filesMax: number;
  readonly bytesMax: number;
}): HeldFiles {
  let [files, bytes] = [0, 0];
  return {
    refuseMore: () => {
      if (files < filesMax && bytes < bytesMax) return;
      throw new BrokerError("rate_limited", "too many database files are being downloaded", {
        remedy: "Wait until other downloads have ended, then ask again; the database was not changed.",
        retryAfterSeconds: 30,
      });
    },
    hold: (size) => {
      files += 1;
      bytes += size;
      return () => {
        files -= 1;
        bytes -= size;
      };
    },
  };
}
