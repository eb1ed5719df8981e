import type { Command } from "../shell/command.ts";
import { findLeaseId } from "../shell/lease-id.ts";
import { printJson } from "../shell/output.ts";
import { showRotation } from "../shell/show-rotation.ts";

/** Shows how far the newest rotation of a lease is. */
export const command: Command = {
  usage: "lease rotation <lease-id> | <build-id> <connector>",
  summary: "Show the progress of replacing a lease's credentials, and whether the old ones are dead.",
  notes: ["The exit code is 1 when it requires manual action."],
  positionals: ["lease or build id", "[connector]"],
  examples: ["keyloan lease rotation lse_3k9v0a5m2c7d8e4f6g1h"],
  run: async (invocation) => {
    const { io, json, connect } = invocation;
    const rotation = await connect().rotations.get(await findLeaseId(invocation));
    if (json) printJson(io, rotation);
    else showRotation(io, rotation);
    return rotation.state === "requires_action" || rotation.state === "failed" ? 1 : 0;
  },
};
