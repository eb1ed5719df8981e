import { closeSync, fsyncSync, linkSync, openSync, unlinkSync, writeSync } from "node:fs";
import { type Command, CommandError, UsageError } from "../shell/command.ts";
import { note } from "../shell/output.ts";
import { withProgress } from "../shell/progress.ts";

/** Writes the audit as JSON lines. */
export const command: Command = {
  usage: "audit export [options]",
  summary: "Write the audit as JSON lines, oldest first, with the hashes of its chain.",
  notes: ["To continue where an earlier export ended, give the sequence of its last line with --after."],
  options: {
    after: { type: "text", value: "sequence", help: "only rows after this one" },
    out: { type: "text", value: "file", help: "write to a new file that only you can read" },
  },
  examples: ["keyloan audit export --out audit.jsonl", "keyloan audit export --after 48213 >> audit.jsonl"],
  run: async ({ args, io, json, connect }) => {
    const after = sequenceOf(args.text("after"));
    const file = args.text("out");
    const { audit } = connect();
    if (file === undefined) {
      const decoder = new TextDecoder();
      await audit.export({ after }, (piece) => io.out(decoder.decode(piece, { stream: true })));
      return 0;
    }
    const rows = await withProgress(io, json, "Reading the audit", (show) =>
      writeWhole(file, async (write) => {
        let lines = 0;
        await audit.export({ after }, (piece) => {
          write(piece);
          for (const byte of piece) if (byte === newline) lines += 1;
          show(`${lines} rows`);
        });
        return lines;
      }),
    );
    note(io, `${rows} rows are in ${file}.`);
    return 0;
  },
};

const newline = 10;

function sequenceOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new UsageError("--after needs the sequence of a row, such as 48213.");
}

/** Writes a new file as it comes; what was not finished is not left behind. */
async function writeWhole<T>(
  file: string,
  fill: (write: (piece: Uint8Array) => void) => Promise<T>,
): Promise<T> {
  const temporary = `${file}.part`;
  const descriptor = attempt(temporary, () => openSync(temporary, "wx", 0o600));
  try {
    const result = await fill((piece) => attempt(file, () => writeSync(descriptor, piece)));
    fsyncSync(descriptor);
    attempt(file, () => linkSync(temporary, file));
    return result;
  } finally {
    closeSync(descriptor);
    unlinkSync(temporary);
  }
}

function attempt<T>(file: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    throw new CommandError(
      code === "EEXIST" ? "file_exists" : "file_unwritable",
      code === "EEXIST"
        ? `The file ${file} already exists.`
        : `The file ${file} cannot be written (${code}).`,
      "Name another file with --out, in a folder that exists and has enough space.",
    );
  }
}
