import type { VisitView } from "@keyloan/contract";
import type { Command } from "../shell/command.ts";
import { relativeTime } from "../shell/moments.ts";
import { note, printJson } from "../shell/output.ts";
import { printTable } from "../shell/table.ts";
import { buildIdOf, idToEnd } from "../shell/values.ts";

/** Lists the visits of one build's settings page, or ends one. */
export const command: Command = {
  usage: "build sessions <build-id> [--end <session-id>]",
  summary: "List visits of one build's settings page, newest first, or end one.",
  notes: [
    "PERSON shows whether the visitor has proven to be the person who saved keys there. Ending a visit does not lock that person out, and deletes nothing.",
  ],
  options: {
    build: { type: "text", value: "id", help: "the build, instead of the argument" },
    end: { type: "text", value: "session-id", help: "end this visit" },
  },
  positionals: ["[build id]"],
  examples: [
    "keyloan build sessions bld_3k9v0a5m2c7d8e4f6g1h",
    "keyloan build sessions bld_3k9v0a5m2c7d8e4f6g1h --json",
    "keyloan build sessions bld_3k9v0a5m2c7d8e4f6g1h --end ses_3k9v0a5m2c7d8e4f6g1h",
  ],
  run: async ({ args, io, json, connect }) => {
    const buildId = buildIdOf(args);
    const id = idToEnd(args, "ses");
    const { builds } = connect();
    if (id !== undefined) {
      await builds.endSession(buildId, id);
      if (json) printJson(io, { id, ended: true });
      else note(io, `The session ${id} has ended.`);
      return 0;
    }
    const list = await builds.listSessions(buildId);
    const now = io.now();
    if (json) printJson(io, list);
    else if (list.sessions.length === 0) note(io, "Nobody has opened the build's settings page.");
    else {
      printTable<VisitView>(
        io,
        [
          { title: "ID", value: (visit) => visit.id },
          { title: "OPENED", value: (visit) => relativeTime(visit.openedAt, now) },
          { title: "BY", value: (visit) => visit.openedBy },
          { title: "PERSON", value: (visit) => (visit.isPerson ? "yes" : "no") },
          { title: "USED", value: (visit) => relativeTime(visit.lastUsedAt, now) },
          {
            title: "ENDS",
            value: (visit) => (visit.endedAt === undefined ? relativeTime(visit.expiresAt, now) : "ended"),
          },
        ],
        list.sessions,
      );
    }
    return 0;
  },
};
