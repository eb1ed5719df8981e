import { isDeepStrictEqual } from "node:util";
import type { ReceiptView, SigningKeyView } from "@keyloan/contract";
import { verifyReceipt } from "@keyloan/sdk";
import { isObject } from "@keyloan/sdk/parts";
import { type Command, CommandError, type Invocation } from "../shell/command.ts";
import { readText } from "../shell/existing-file.ts";
import type { Io } from "../shell/io.ts";
import { momentText } from "../shell/moments.ts";
import { printJson } from "../shell/output.ts";
import { bytesText } from "../shell/show-transfers.ts";
import { printable } from "../shell/terminal-text.ts";
import { buildIdOf } from "../shell/values.ts";

/** Shows the receipts of what was moved, and proves them. */
export const command: Command = {
  usage: "transfer receipt <build-id> [--verify] [--json]",
  summary: "Show the signed receipts of what was moved, and check them.",
  notes: [
    "They do not name the user's account: the receipts that the user downloads on the settings page do.",
    "--json prints complete receipts for you to keep. With --file a kept receipt is checked instead; it stays valid after its build is closed.",
  ],
  options: {
    build: { type: "text", value: "id", help: "the build, instead of the argument" },
    connector: { type: "text", value: "id", help: "only the receipts of this connector" },
    verify: { type: "flag", help: "check the signatures with the broker's public keys" },
    file: { type: "text", value: "file", help: "check a receipt that you kept" },
  },
  positionals: ["[build id]"],
  examples: [
    "keyloan transfer receipt bld_3k9v0a5m2c7d8e4f6g1h --verify",
    "keyloan transfer receipt bld_3k9v0a5m2c7d8e4f6g1h --json > receipts.json",
    "keyloan transfer receipt --file receipts.json",
  ],
  run: async (invocation) => {
    const { args, io, json, connect } = invocation;
    const { transfers } = connect();
    const file = args.text("file");
    const receipts =
      file === undefined
        ? (await transfers.receipts(buildIdOf(args), args.text("connector"))).receipts
        : readKept(file);
    const checks = args.flag("verify") || file !== undefined;
    const { keys } = checks ? await transfers.signingKeys() : { keys: [] };
    for (const each of checks ? receipts : []) refuseUnproven(each, keys);
    if (json) printJson(io, { receipts, ...(checks ? { verified: true } : {}) });
    else show({ io }, receipts, checks);
    return 0;
  },
};

/** What stands beside the signed content says the same, or is not shown. */
function refuseUnproven(view: ReceiptView, keys: readonly SigningKeyView[]): void {
  const { receipt, content, connector } = view;
  const verified = verifyReceipt(receipt, keys)?.content;
  const beside = Object.entries(view).filter(([name]) => name !== "receipt" && name !== "content");
  const isSame = beside.every(([name, value]) => isDeepStrictEqual(memberOf(verified, name), value));
  if (verified !== undefined && isSame && isDeepStrictEqual(verified, content)) return;
  throw new CommandError(
    "receipt_not_proven",
    `The receipt of ${connector} was not signed by this broker, or it was altered.`,
    "Fetch it again with: keyloan transfer receipt <build-id>",
  );
}

/** What `--json` printed, or the page's download. */
function readKept(file: string): ReceiptView[] {
  const text = readText(file, file);
  try {
    const value: unknown = JSON.parse(text ?? "");
    const list = isObject(value) && Array.isArray(value.receipts) ? value.receipts : [value];
    if (list.length > 0 && list.every(isReceipt)) return list;
  } catch {
    // falls through to the one answer
  }
  throw new CommandError(
    "file_unreadable",
    `${file} holds no receipt.`,
    "Name a file that `keyloan transfer receipt --json` or the settings page made.",
  );
}

function memberOf(content: unknown, name: string): unknown {
  return isObject(content) ? content[name] : undefined;
}

function isReceipt(value: unknown): value is ReceiptView {
  return (
    isObject(value) &&
    typeof value.receipt === "string" &&
    typeof value.connector === "string" &&
    isObject(value.content)
  );
}

function show({ io }: Pick<Invocation, "io">, receipts: readonly ReceiptView[], checked: boolean): void {
  if (receipts.length === 0) io.out("Nothing has been moved and proven yet.\n");
  for (const { content } of receipts) {
    fact(io, "Moved", `${content.connector}, proven ${momentText(content.provenAt)}`);
    fact(io, "Build", content.buildId);
    fact(io, "From", Object.values(content.from).join(" "));
    fact(io, "To", targetText(content.to));
    fact(io, "What", whatText(content));
    if (checked) fact(io, "Signature", "good");
    io.out("\n");
  }
}

function fact(io: Io, name: string, value: string): void {
  io.out(`${name.padEnd(10)}${printable(value === "" ? "-" : value)}\n`);
}

/** Only the person's own receipts name their account. */
function targetText(to: ReceiptView["content"]["to"]): string {
  if (to === undefined) return "the user's account, which their own receipt names";
  return [to.account, to.address].filter(Boolean).join(", ");
}

function whatText({ database, storage }: ReceiptView["content"]): string {
  if (database !== undefined) {
    return `${database.tables.length} tables, ${database.rows} rows, schema ${database.schemaSha256}`;
  }
  if (storage === undefined) return "";
  return `${storage.objects} files, ${bytesText(storage.bytes)}, manifest ${storage.manifestSha256}`;
}
