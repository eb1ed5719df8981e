import type { CommandTable } from "./command-table.ts";

/** `run` alone. It has a bundle of its own, because it stands in front of every start of an app. */
export const runTable: CommandTable = {
  run: {
    summary: "start a command with the env of a build; nothing touches the disk",
    load: () => import("../commands/run.ts"),
  },
};
