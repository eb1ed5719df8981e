import { type Command, CommandError } from "../shell/command.ts";
import { follow } from "../shell/follow.ts";
import { findLeaseId } from "../shell/lease-id.ts";
import { printJson } from "../shell/output.ts";
import { withProgress } from "../shell/progress.ts";
import { isOver, showRotation } from "../shell/show-rotation.ts";
import { integerOf, secondsOf } from "../shell/values.ts";

const waitSecondsDefault = 120;
const waitSecondsMax = 3600;

/** Replaces the credentials of one lease and follows that to the proof. */
export const command: Command = {
  usage: "lease rotate <lease-id> | <build-id> <connector> [options]",
  summary: "Replace the credentials of one lease, and prove that the old ones are dead.",
  notes: [
    "Apps must fetch their env again: what they fetched before the cut ends with it. With --overlap the env gives a second credential at once and the old one keeps working until the cut, which ends both: fetch the env again after it.",
    "The exit code is 0 when the old credentials are proved dead (or no provider knows them), or while an overlap lasts; otherwise 1.",
  ],
  options: {
    overlap: {
      type: "text",
      value: "duration",
      help: "how long old and new credentials work side by side; default none",
    },
    reason: { type: "text", value: "text", help: "reason for the audit" },
    wait: { type: "text", value: "seconds", help: "how long to follow the progress; default 120" },
  },
  positionals: ["lease or build id", "[connector]"],
  examples: [
    "keyloan lease rotate lse_3k9v0a5m2c7d8e4f6g1h",
    "keyloan lease rotate bld_3k9v0a5m2c7d8e4f6g1h turso --overlap 5m",
  ],
  run: async (invocation) => {
    const { args, io, json, connect } = invocation;
    const overlapSeconds = secondsOf(args, "overlap") ?? 0;
    const waitSeconds = integerOf(args, "wait", 0, waitSecondsMax) ?? waitSecondsDefault;
    const reason = args.text("reason");
    const { rotations } = connect();
    const leaseId = await findLeaseId(invocation);
    const until = io.now() + waitSeconds * 1000;
    const first = await rotations.start(leaseId, {
      overlapSeconds,
      ...(reason === undefined ? {} : { reason }),
    });
    const last = await withProgress(io, json, `Replacing credentials of ${first.connector}`, (show) =>
      follow(io, show, {
        first,
        ask: () => rotations.get(leaseId),
        isAt: ({ state }) => (isOver(state) || state === "overlapping" ? undefined : state),
        until,
      }),
    );
    if (json) printJson(io, last);
    else showRotation(io, last);
    if (["done", "ended", "overlapping"].includes(last.state)) return 0;
    throw new CommandError(
      "not_proved",
      `The rotation is ${last.state}: the old credentials are not proved dead.`,
      `Check its progress with: keyloan lease rotation ${leaseId}`,
    );
  },
};
