import { BrokerError, ProviderError, showName } from "@keyloan/contract";
import { brokenDump } from "./errors.ts";
import type { StepKind } from "./file-process/allowed.ts";
import type { NamedStep, RefusalReason } from "./file-process/answers.ts";
import type { Outcome } from "./file-process/run-process.ts";
import type { EndedFor } from "./file-process/watch-process.ts";

/** The error for the outcome of making a file; `undefined` if the file was made. */
export function explainOutcome(provider: string, { answer, at }: Outcome): Error | undefined {
  if ("made" in answer) return undefined;
  if ("dump" in answer) return brokenDump(provider, answer.dump);
  if ("died" in answer) return diedError(at);
  if ("endedFor" in answer) return unfit(provider, at, endTexts[answer.endedFor]);
  if (answer.reason === "no_room") return Object.assign(new Error("the disk is full"), { code: "ENOSPC" });
  return unfit(
    provider,
    at,
    reasonTexts[answer.reason](answer.uses === undefined ? "" : ` ${showName(answer.uses)}`),
  );
}

function unfit(provider: string, at: NamedStep | undefined, text: string): ProviderError {
  const what = at === undefined ? "its content" : nameStep(at);
  const message = `has something that a SQLite file cannot hold: ${what} ${text}`;
  return new ProviderError(provider, "rejected", message, {
    remedy:
      "Remove it from the database if the app does not need it; or move this database to another of the same kind instead of downloading it.",
  });
}

const kindTexts: Readonly<Record<StepKind, string>> = {
  table: "the definition of the table",
  search: "the definition of the full-text index",
  index: "the definition of the index",
  view: "the definition of the view",
  trigger: "the definition of the trigger",
  rows: "a row of the table",
  rebuild: "the full-text index",
};

const endTexts: Readonly<Record<EndedFor, string>> = {
  time: "takes too long",
  memory: "takes too much memory",
  disk: "takes too much disk space",
};

const reasonTexts: Readonly<Record<Exclude<RefusalReason, "no_room">, (uses: string) => string>> = {
  function: (uses) => `uses the function${uses}, which is not allowed there`,
  module: (uses) => `uses the module${uses}, which is not allowed there`,
  action: () => "does something that is not allowed there",
  several: () => "is not a single statement",
  not_as_listed: () => "differs from what the database lists it as",
  unfit: (uses) =>
    uses === "" ? "is not accepted by SQLite" : `uses the function${uses}, which SQLite does not have`,
  large_value: () => "has a value that is too large",
  large_file: () => "makes the file many times larger than its content",
};

const nameStep = ({ kind, name }: NamedStep) => `${kindTexts[kind]} ${showName(name)}`;

function diedError(at: NamedStep | undefined): BrokerError {
  const place = at === undefined ? "" : `, at ${nameStep(at)}`;
  return new BrokerError(
    "unavailable",
    `the process that makes the file ended before the file was ready${place}`,
    {
      remedy:
        "Download it again. If it fails in the same way, look at what is named, and inform the operator, whose machine may lack memory.",
    },
  );
}
