import type { RootKeyStatus } from "@keyloan/contract";
import type { Command } from "../shell/command.ts";
import { printJson } from "../shell/output.ts";
import { printTable } from "../shell/table.ts";

/** Shows which root keys wrap how many data keys. */
export const command: Command = {
  usage: "root-key status",
  summary: "Show which root keys wrap how many data keys, and how many a rotation still has to rewrap.",
  notes: ["The exit code is 1 when a root key that wraps data keys is missing from the configuration."],
  examples: ["keyloan root-key status", "keyloan root-key status --json"],
  run: async ({ io, json, connect }) => {
    const status = await connect().rootKey.status();
    if (json) printJson(io, status);
    else {
      printTable<RootKeyStatus["rootKeys"][number]>(
        io,
        [
          { title: "ROOT KEY", value: ({ id }) => id },
          { title: "STATE", value: ({ state }) => state, isState: true },
          { title: "DATA KEYS", value: ({ dataKeys }) => String(dataKeys) },
        ],
        status.rootKeys,
      );
      if (status.left > 0) io.out(`\n${status.left} are still to be rewrapped: keyloan root-key rotate\n`);
    }
    return status.rootKeys.some(({ state }) => state === "missing") ? 1 : 0;
  },
};
