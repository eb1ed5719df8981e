import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openArchiveStore } from "@keyloan/archive-store";
import { connectors } from "@keyloan/connectors";
import { type ConnectorContext, newId, secretValues } from "@keyloan/contract";
import { archiveDatabase, countRows, restoreDatabase } from "@keyloan/database-provisioner";
import { createDataKey, createRootKey, openStream, parseKeyring, ready, sealStream } from "@keyloan/vault";
import { createPooledRandom } from "../pooled-random.ts";

/**
 * Archives and restores one database in a process of its own, and tells how much memory that took. Run with the
 * values of three databases as JSON arguments: the full one and two empty ones.
 */
const [source = "", scratch = "", back = ""] = process.argv.slice(2);
const content = connectors.find(({ spec }) => spec.id === "turso")?.database?.content;
if (content === undefined) throw new Error("there is no content to archive");
const { signal } = new AbortController();
const random = createPooledRandom();
const context: ConnectorContext = { fetch, signal, now: Date.now, randomBytes: random };
const end = (json: string) => ({ context, values: secretValues(JSON.parse(json) as Record<string, string>) });

await ready;
const ownerId = newId("build", random);
const key = createDataKey(parseKeyring(createRootKey(random).line), {
  id: newId("dataKey", random),
  ownerId,
}).key;
const folder = await mkdtemp(join(tmpdir(), "keyloan-little-memory-"));
const store = openArchiveStore({ kind: "file", directory: folder });
const name = newId("archive", random);
const sealing = { purpose: "archive", ownerId, field: name };
const medium = {
  seal: (plain: AsyncIterable<Uint8Array>) => sealStream(key, sealing, plain),
  open: (sealed: AsyncIterable<Uint8Array>) => openStream(key, sealing, sealed),
  put: (sealed: AsyncIterable<Uint8Array>) => store.put(name, sealed, signal),
  get: () => store.get(name, signal),
};

let peak = 0;
let dumped = 0;
const measure = () => {
  peak = Math.max(peak, process.memoryUsage().rss);
};
const timer = setInterval(measure, 10);
const began = process.memoryUsage().rss;
const started = performance.now();
const archive = await archiveDatabase({
  content,
  source: end(source),
  makeScratch: async () => end(scratch),
  medium,
  onProgress: ({ phase, bytes = 0 }) => {
    if (phase === "dumping") dumped = Math.max(dumped, bytes);
    measure();
  },
});
const archived = performance.now();
await restoreDatabase({ content, target: end(back), medium, archive, onProgress: measure });
const restored = performance.now();
clearInterval(timer);
await rm(folder, { recursive: true });
process.stdout.write(
  JSON.stringify({
    rows: countRows(archive.summary),
    dumpedBytes: dumped,
    archiveBytes: archive.bytes,
    grownBytes: peak - began,
    archiveMs: Math.round(archived - started),
    restoreMs: Math.round(restored - archived),
  }),
);
