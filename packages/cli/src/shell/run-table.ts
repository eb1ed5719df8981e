import type { CommandTable } from "./command-table.ts";

/** `run` alone. It has a bundle of its own, because it stands in front of every start of an app. */
export const runTable: CommandTable = {
  run: {
    section: "Builds",
    summary: "start a command with a build's env; nothing touches the disk",
    load: () => import("../commands/run.ts"),
  },
};
