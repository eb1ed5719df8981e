import type { Command } from "../shell/command.ts";
import { keptHeadOf, keptHeadOptions } from "../shell/kept-head.ts";
import { printJson } from "../shell/output.ts";
import { withProgress } from "../shell/progress.ts";
import { showVerification } from "../shell/show-verification.ts";

/** Looks for edited, removed and reordered rows of the audit, and says what outside the store proves it. */
export const command: Command = {
  usage: "audit verify [options]",
  summary: "Find edited, removed and reordered rows of the audit. Exit code 0: none, 1: found.",
  notes: [
    "Every row holds the hash of the one before it, and the broker signs and counts the end of the chain every minute. Only what is kept outside the store (the broker's sink, a head from keyloan audit head, a line of its log) proves that the store was not replaced by an older copy: without it the audit is reported as self-consistent, not anchored.",
  ],
  options: {
    ...keptHeadOptions,
    "require-anchor": { type: "flag", help: "exit with 1 when nothing outside the store proves it" },
  },
  examples: [
    "keyloan audit verify",
    "keyloan audit verify --require-anchor",
    "keyloan audit verify --head-file audit-head.txt",
  ],
  run: async ({ args, io, json, connect }) => {
    const head = keptHeadOf(args);
    const { audit } = connect();
    const result = await withProgress(io, json, "Reading the audit", () => audit.verify(head));
    if (json) printJson(io, result);
    else showVerification(io, result);
    if (result.verdict === "broken") return 1;
    return args.flag("require-anchor") && result.verdict !== "anchored" ? 1 : 0;
  },
};
