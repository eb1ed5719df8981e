import { randomBytes } from "node:crypto";
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import type { AuditMatches } from "@keyloan/contract";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { scanFolder } from "./scan-folder.ts";
import { isVisibleToEveryone } from "./visibility.ts";

const secret = randomBytes(32).toString("base64url");
let folder: string;
let batches: (readonly string[])[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "keyloan-scan-"));
  batches = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function put(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), content);
}
const ask = async (values: readonly string[]): Promise<AuditMatches> => {
  batches.push(values);
  const index = values.indexOf(secret);
  const readers = { count: 0, latest: [] };
  const match = {
    index,
    what: "lease",
    variable: "JWT_SECRET",
    leaseId: "lse_1",
    buildId: "bld_1",
    connector: "app-secrets",
    grade: "B",
    state: "active",
    alive: true,
    issuedAt: "2026-11-20T12:00:00.000Z",
    readers,
  } as const;
  return { asked: values.length, matches: index === -1 ? [] : [match] };
};
const scan = (more: { fileBytesMax?: number } = {}) =>
  scanFolder(folder, {
    skipFolders: new Set(["node_modules", ".git"]),
    fileBytesMax: more.fileBytesMax ?? 1e9,
    catalog: { connectors: [] },
    ask,
    onProgress: () => undefined,
  });
const places = async () =>
  (await scan()).findings.map(({ file, line, column }) => `${file}:${line}:${column}`);

describe("scanning a folder", () => {
  it("finds a value in a minified bundle, its source map and an inline map, with the place", async () => {
    const source = `const before = 1;\nexport const key = "${secret}";\n`;
    const map = JSON.stringify({ version: 3, sources: ["a.ts"], sourcesContent: [source], mappings: "AAAA" });
    const inline = Buffer.from(map).toString("base64");
    await put("static/app.js", `(()=>{var e="${secret}";console.log(e)})();\n`);
    await put("static/app.js.map", map);
    await put("static/inline.js", `1;\n//# sourceMappingURL=data:application/json;base64,${inline}\n`);
    const { findings } = await scan();
    expect(findings.map(({ file }) => file).toSorted()).toEqual(
      expect.arrayContaining(["static/app.js", "static/app.js.map", "static/inline.js"]),
    );
    expect(findings.every(({ visible, match }) => visible && match.alive)).toBe(true);
    expect(findings).toContainEqual(expect.objectContaining({ file: "static/app.js", line: 1, column: 14 }));
    expect(JSON.stringify(findings)).not.toContain(secret);
  });

  it("asks about a value once, however often it stands there, and gives every place", async () => {
    await put("a.txt", `${secret}\n  "${secret}"\n`);
    await put("b.txt", `x\n${secret}`);
    expect((await places()).toSorted()).toEqual(["a.txt:1:1", "a.txt:2:4", "b.txt:2:1"]);
    expect(batches.flat().filter((value) => value === secret)).toHaveLength(1);
  });

  it("finds a value at any place of a large file, with its line", async () => {
    const line = `${"lorem ipsum ".repeat(50)}\n`;
    const lines = Math.ceil((3 * 1024 * 1024) / line.length);
    const at = Array.from({ length: 4 }, (_, index) => Math.floor((lines * (index + 1)) / 5));
    const text = Array.from({ length: lines }, (_, index) => (at.includes(index) ? `key=${secret}\n` : line));
    await put("large.log", text.join(""));
    expect(await places()).toEqual(at.map((index) => `large.log:${index + 1}:5`));
  });

  it("finds a value that stands across the end of a piece, in one long line", async () => {
    for (const before of [1024 * 1024 - 20, 1024 * 1024, 2 * 1024 * 1024 - 5]) {
      await put("line.js", `${"a;".repeat(before / 2)}"${secret}"`);
      const odd = Math.floor(before / 2) * 2;
      expect(await places()).toEqual([`line.js:1:${odd + 2}`]);
    }
  });

  it("looks into files packed as servers send them", async () => {
    await put("dist/app.js.gz", gzipSync(`k="${secret}"`));
    await put("dist/app.js.br", brotliCompressSync(`k="${secret}"`));
    expect((await places()).toSorted()).toEqual(["dist/app.js.br:1:4", "dist/app.js.gz:1:4"]);
  });

  it("follows no link and leaves out what it was told to", async () => {
    const outside = await mkdtemp(join(tmpdir(), "keyloan-outside-"));
    await writeFile(join(outside, "secret.txt"), secret);
    await put("node_modules/a/index.js", secret);
    await put(".git/config", secret);
    await symlink(outside, join(folder, "link"));
    await symlink(join(outside, "secret.txt"), join(folder, "file-link"));
    await symlink(folder, join(folder, "loop"));
    const result = await scan();
    await rm(outside, { recursive: true });
    expect([result.files, result.findings, result.skipped]).toEqual([0, [], []]);
  });

  it("says which files it did not look into", async () => {
    await put("large.bin", "x".repeat(2_000));
    await put("broken.js.gz", "this is not packed");
    await put("fine.txt", "nothing");
    const { files, skipped } = await scan({ fileBytesMax: 1_000 });
    expect(files).toBe(2);
    expect(skipped).toEqual([
      { shown: "broken.js.gz", reason: "unreadable" },
      { shown: "large.bin", reason: "too_large" },
    ]);
  });

  it.skipIf(process.getuid?.() === 0)("says which folder it may not read", async () => {
    await put("closed/a.txt", secret);
    await chmod(join(folder, "closed"), 0);
    const { skipped } = await scan();
    await chmod(join(folder, "closed"), 0o700);
    expect(skipped).toEqual([{ shown: "closed/", reason: "unreadable" }]);
  });

  it("asks in batches that fit into a request", async () => {
    const values = Array.from({ length: 1_500 }, () => randomBytes(150).toString("hex"));
    await put("many.txt", values.join("\n"));
    await scan();
    expect(Math.max(...batches.map((batch) => batch.length))).toBeLessThanOrEqual(500);
    expect(Math.max(...batches.map((batch) => JSON.stringify(batch).length))).toBeLessThan(60_000);
    expect(new Set(batches.flat()).size).toBe(batches.flat().length);
  });
});

describe("what everyone sees", () => {
  it.each([
    [".next/static/chunks/main.js", true],
    ["public/config.json", true],
    ["dist/assets/index-4f2.js", true],
    ["src/app.js.map", true],
    [".next/server/app/page.js", false],
    ["src/index.ts", false],
    [".env", false],
    ["dist/server/entry.mjs", false],
    ["node_modules/x/dist/a.js", false],
  ])("%s: %s", (path, visible) => {
    expect(isVisibleToEveryone(path)).toBe(visible);
  });
});
