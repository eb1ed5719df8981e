import type { AuditEventView } from "@keyloan/contract";
import type { Command } from "../shell/command.ts";
import { listOptions, showList } from "../shell/listing.ts";
import { momentText } from "../shell/moments.ts";

/** Shows who did what. */
export const command: Command = {
  usage: "audit [options]",
  summary: "Show who did what, newest first. It never contains values.",
  options: {
    entity: { type: "text", value: "id", help: "only events of this build, token or key" },
    action: { type: "text", value: "action", help: "only this action, such as env.read" },
    ...listOptions,
  },
  examples: [
    "keyloan audit --limit 20",
    "keyloan audit --entity bld_3k9v0a5m2c7d8e4f6g1h --all --json",
    "keyloan audit --action env.read",
  ],
  run: async (invocation) => {
    const { args, connect } = invocation;
    const { audit } = connect();
    const filter = { entity: args.text("entity"), action: args.text("action") };
    return showList<AuditEventView>(invocation, {
      member: "events",
      page: async (query) => {
        const { events: entries, nextCursor } = await audit.list({ ...query, ...filter });
        return { entries, nextCursor };
      },
      empty: "There are no such events.",
      columns: [
        { title: "AT", value: (event) => momentText(event.at) },
        { title: "ACTION", value: (event) => event.action },
        { title: "ENTITY", value: (event) => event.entity },
        { title: "ACTOR", value: (event) => event.actor, shrinks: true },
      ],
    });
  },
};
