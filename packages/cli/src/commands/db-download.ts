import { existsSync } from "node:fs";
import type { Command } from "../shell/command.ts";
import { note, printJson } from "../shell/output.ts";
import { withProgress } from "../shell/progress.ts";
import { databaseOf } from "../shell/show-databases.ts";
import { bytesText } from "../shell/show-transfers.ts";
import { fileExists, writeDownload } from "../shell/write-download.ts";

/** Downloads a database as a file. */
export const command: Command = {
  usage: "db download <build-id> [connector] [--out <file>]",
  summary: "Download a database as a file that its own tools open, such as sqlite3.",
  notes: [
    "It comes from the archive when the database is archived. The file holds the database as it was at one moment; a database that is constantly written to is refused.",
    "Only you can read the file, and it holds the data of the app's users.",
  ],
  options: {
    build: { type: "text", value: "id", help: "the build, instead of the argument" },
    out: { type: "text", value: "file", help: "where to write; default <connector>.db" },
    force: { type: "flag", help: "replace the file if it exists" },
  },
  positionals: ["[build id]", "[connector]"],
  examples: [
    "keyloan db download bld_3k9v0a5m2c7d8e4f6g1h --out app.db",
    "keyloan db download bld_3k9v0a5m2c7d8e4f6g1h turso --out app.db --force",
  ],
  run: async (invocation) => {
    const { args, io, json, connect } = invocation;
    const client = connect();
    const { buildId, connector } = await databaseOf(invocation, client);
    const file = args.text("out") ?? `${connector}.db`;
    const replace = args.flag("force");
    // Before the broker reads a whole database for nothing.
    if (!replace && existsSync(file)) throw fileExists(file);
    const bytes = await withProgress(io, json, `Downloading ${connector}`, (show) =>
      writeDownload(file, replace, async (write) => {
        let received = 0;
        await client.databases.download(buildId, connector, (piece) => {
          write(piece);
          received += piece.length;
          show(bytesText(received));
        });
        return received;
      }),
    );
    if (json) printJson(io, { connector, file, bytes });
    else note(io, `${bytesText(bytes)} are in ${file}.`);
    return 0;
  },
};
