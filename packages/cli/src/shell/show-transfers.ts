import type { MovableView, TransferList, TransferView } from "@keyloan/contract";
import type { Client } from "@keyloan/sdk";
import { CommandError, type Invocation } from "./command.ts";
import { follow } from "./follow.ts";
import type { Io } from "./io.ts";
import { relativeTime } from "./moments.ts";
import { note, printJson } from "./output.ts";
import { withProgress } from "./progress.ts";
import { printTable } from "./table.ts";
import { wrap } from "./terminal-text.ts";

/** The options that name connectors and wait, as every command on transfers has them. */
export const transferOptions = {
  build: { type: "text", value: "id", help: "the build, instead of the argument" },
  connector: { type: "text", value: "id", multiple: true, help: "only this connector; may be repeated" },
} as const;

/** The connectors that were named, as a body takes them. */
export function connectorsOf({ args }: Pick<Invocation, "args">): { readonly connectors?: string[] } {
  const named = args.texts("connector");
  return named.length === 0 ? {} : { connectors: [...named] };
}

/** Prints how far everything is that can be moved; what failed with its remedy. */
export function showTransfers(io: Io, json: boolean, list: TransferList): void {
  if (json) {
    printJson(io, list);
    return;
  }
  if (list.movable.length === 0) {
    note(io, "This build has nothing that can be moved.");
    return;
  }
  const now = io.now();
  printTable<MovableView>(
    io,
    [
      { title: "CONNECTOR", value: ({ connector }) => connector },
      { title: "STATE", value: (each) => each.transfer?.state ?? waitingText(each), isState: true },
      { title: "MOVED", value: ({ transfer }) => (transfer === undefined ? "-" : progressText(transfer)) },
      {
        title: "SWITCH",
        value: ({ transfer }) => (transfer?.switchBy ? relativeTime(transfer.switchBy, now) : "-"),
      },
    ],
    list.movable,
  );
  for (const { transfer } of list.movable) if (transfer?.error !== undefined) io.out(problem(transfer));
}

/** Follows what is being moved until nothing is; throws when something failed. */
export async function followTransfers(
  { io, json }: Pick<Invocation, "io" | "json">,
  client: Client,
  buildId: string,
  first: TransferList,
): Promise<number> {
  const last = await withProgress(io, json, `Moving data of ${buildId}`, (show) =>
    follow(io, show, {
      first,
      ask: () => client.transfers.list(buildId),
      isAt: ({ movable }) => movable.filter(isMoving).map(lineOf).join(", ") || undefined,
    }),
  );
  showTransfers(io, json, last);
  const failed = last.movable.find(({ transfer }) => transfer?.state === "failed");
  if (failed?.transfer?.error === undefined) return 0;
  const { message, remedy } = failed.transfer.error;
  throw new CommandError("transfer_failed", `${failed.connector}: ${message}.`, remedy);
}

function isMoving({ transfer }: MovableView): boolean {
  return transfer !== undefined && (["waiting", "copying"].includes(transfer.state) || transfer.tidying);
}

function lineOf({ connector, transfer }: MovableView): string {
  if (transfer === undefined) return connector;
  const phase = transfer.tidying ? "undoing" : transfer.progress.phase;
  return `${connector} ${phase} ${progressText(transfer)}`;
}

function progressText({ progress }: TransferView): string {
  const { rows, rowsTotal, objects, objectsTotal, bytes, bytesTotal } = progress;
  const counts =
    objects === undefined && objectsTotal === undefined
      ? of(rows, rowsTotal, "rows")
      : of(objects, objectsTotal, "files");
  const size = bytes === undefined ? "" : `, ${bytesText(bytes)}${total(bytesTotal)}`;
  return counts === "" ? "-" : counts + size;
}

function of(done: number | undefined, all: number | undefined, noun: string): string {
  if (done === undefined && all === undefined) return "";
  return all === undefined || all === done ? `${done ?? 0} ${noun}` : `${done ?? 0} of ${all} ${noun}`;
}

function total(bytes: number | undefined): string {
  return bytes === undefined ? "" : ` of ${bytesText(bytes)}`;
}

/** `812 B`, `1.4 MB`. */
export function bytesText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let [value, unit] = [bytes, 0];
  while (value >= 1000 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

function waitingText({ canStart, waitsFor }: MovableView): string {
  if (canStart) return "can be moved";
  const words = {
    keys: "needs keys",
    check: "keys unchecked",
    transfer: "moving",
    switched: "user's own",
  } as const;
  return waitsFor === undefined ? "-" : words[waitsFor];
}

function problem({ connector, error, sourceReadOnly }: TransferView): string {
  if (error === undefined) return "";
  const frozen = sourceReadOnly ? " The app cannot write to the lent database yet." : "";
  const text = `${connector}: ${error.message}. ${error.remedy}${frozen}`;
  return `\n${wrap(text, 78, "  ")}\n`;
}
