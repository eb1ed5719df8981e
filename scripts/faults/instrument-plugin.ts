import { readFile } from "node:fs/promises";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { instrumentSource } from "./instrument-source.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Every module that acts for the broker at providers, in the store and in files. */
const instrumented = [
  "apps/broker/src/notify/",
  "apps/broker/src/verbs/",
  "apps/broker/src/queue/runner.ts",
  "apps/broker/src/queue/backoff.ts",
  "packages/archive-store/src/",
  "packages/connectors/src/",
  "packages/database-provisioner/src/",
  "packages/org-keys/src/",
  "packages/s3-objects/src/",
  "packages/store/src/group-writer.ts",
];

/** Runs in a process of its own, which nobody commands; a kill of the broker ends it too. */
const apart = "packages/connectors/src/kit/libsql/file-process/";

type Loaded = { readonly contents: string; readonly loader: "js" };
type Building = {
  readonly onLoad: (
    filter: { readonly filter: RegExp },
    load: (file: { readonly path: string }) => Promise<Loaded | undefined>,
  ) => void;
};

/** For the bundler that builds the broker. */
export const plugin = {
  name: "instrument",
  setup: ({ onLoad }: Building): void =>
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const label = relative(root, path).replaceAll("\\", "/");
      if (label.startsWith(apart) || !instrumented.some((part) => label.startsWith(part))) return undefined;
      return { contents: instrumentSource(await readFile(path, "utf8"), label), loader: "js" };
    }),
};
