/** Moves a database in a process of its own, whose memory is limited from outside, and tells what it took. */
import { createReadStream, createWriteStream } from "node:fs";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import * as z from "zod";
import { dump } from "../dump.ts";
import { load } from "../load.ts";
import type { LibsqlDatabase } from "../pipeline.ts";
import { summarize } from "../summarize.ts";
import { writeFile } from "../write-file.ts";

const endSchema = z.object({ address: z.string(), token: z.string() });
const { source, target, path } = z
  .object({ source: endSchema, target: endSchema, path: z.string() })
  .parse(JSON.parse(await text(process.stdin)));

const open = (end: z.output<typeof endSchema>): LibsqlDatabase => ({
  ...end,
  provider: "libsql",
  context: { fetch: globalThis.fetch, signal: new AbortController().signal },
});

const memory = () => {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};
let peak = memory();
const watch = setInterval(() => {
  peak = Math.max(peak, memory());
}, 5);
const seconds: Record<string, number> = {};
const timed = async <T>(name: string, act: () => Promise<T>): Promise<T> => {
  const start = performance.now();
  const result = await act();
  seconds[name] = (performance.now() - start) / 1000;
  return result;
};

await timed("dump", () => pipeline(dump(open(source)), createWriteStream(path)));
const before = await timed("summarize", () => summarize(open(source)));
await timed("load", () => load(open(target), createReadStream(path)));
await timed("writeFile", () => writeFile("libsql", createReadStream(path), `${path}.db`));
const after = await summarize(open(target));
clearInterval(watch);
process.stdout.write(
  JSON.stringify({
    same: JSON.stringify(before) === JSON.stringify(after),
    tables: before.tables,
    peak,
    seconds,
  }),
);
