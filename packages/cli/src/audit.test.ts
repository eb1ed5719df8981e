import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createStoreWriter, startWatchedKeyloan, type WatchedKeyloan } from "@keyloan/test-kit";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type RunOptions, runKeyloan } from "./testing/run-keyloan.ts";

let broker: WatchedKeyloan;
/** Somebody who can write to the store's file. */
let writer: Awaited<ReturnType<typeof createStoreWriter>>;
let outside: string;
let folder: string;
beforeAll(async () => {
  broker = await startWatchedKeyloan();
  writer = await createStoreWriter(broker.dataDirectory);
  outside = mkdtempSync(join(tmpdir(), "keyloan-audit-sink-"));
});
afterAll(async () => {
  rmSync(outside, { recursive: true, force: true });
  await broker.close();
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "keyloan-audit-"));
  broker.seen.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const keyloan = (line: string, options: RunOptions = {}) =>
  runKeyloan(line.split(" "), {
    ...options,
    env: { KEYLOAN_URL: broker.url, KEYLOAN_TOKEN: broker.adminToken, ...options.env },
  });
const lastBody = () => JSON.parse(broker.seen.at(-1)?.body ?? "") as unknown;
const sequencesIn = (lines: string) =>
  lines
    .split("\n")
    .flatMap((line) => (line === "" ? [] : [(JSON.parse(line) as { sequence: number }).sequence]));
const forgeKey = () =>
  writer.run(
    `INSERT INTO signing_keys (id, organization_id, public_key, private_key, created_at, mac)
    SELECT 'sig_forged', organization_id, hex(randomblob(32)), private_key, created_at + 1, 'm1_x' FROM signing_keys`,
  );

test("verify sends a head that was kept, as an option or from a file", async () => {
  const file = join(folder, "head.txt");
  const head = await keyloan("audit head");
  writeFileSync(file, head.out);
  expect((await keyloan(`audit verify --head-file ${file}`)).out).toContain("anchored by the head given");
  expect(lastBody()).toEqual({ head: head.out.trim() });
  await keyloan("audit verify --head x.y.z");
  expect(lastBody()).toEqual({ head: "x.y.z" });
  writeFileSync(file, '{"sequence":1,"signed":"a.b.c"}\n{"sequence":2,"signed":"d.e.f"}\n{"sequ');
  await keyloan(`audit verify --head-file ${file}`);
  expect(lastBody()).toEqual({ head: "d.e.f" });
  writeFileSync(file, "no head");
  expect((await keyloan(`audit verify --head-file ${file}`)).code).toBe(1);
  expect((await keyloan(`audit verify --head a.b.c --head-file ${file}`)).code).toBe(2);
});

test("export gives the lines as they are, to stdout or into a new file of one's own", async () => {
  const { out } = await keyloan("audit export");
  const sequences = sequencesIn(out);
  expect(sequences).toEqual(sequences.map((_, index) => index + 1));
  expect(sequences.length).toBeGreaterThan(2);
  const rest = (await keyloan("audit export --after 1")).out;
  expect(rest.startsWith(out.slice(out.indexOf("\n") + 1))).toBe(true);
  const file = join(folder, "audit.jsonl");
  const written = await keyloan(`audit export --out ${file}`);
  const kept = readFileSync(file, "utf8");
  expect([written.code, written.err]).toEqual([0, `${sequencesIn(kept).length} rows are in ${file}.\n`]);
  expect([kept.startsWith(out), statSync(file).mode & 0o777]).toEqual([true, 0o600]);
  expect((await keyloan(`audit export --out ${file}`)).code).toBe(1);
  expect((await keyloan("audit export --after x")).code).toBe(2);
});

test("export that breaks off leaves no file behind and fails", async () => {
  broker.faults.push((_request, response) => {
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    response.write('{"sequence":1}\n', () => response.destroy());
    return true;
  });
  const file = join(folder, "audit.jsonl");
  expect((await keyloan(`audit export --out ${file}`)).code).toBe(1);
  expect([
    statSync(file, { throwIfNoEntry: false }),
    statSync(`${file}.part`, { throwIfNoEntry: false }),
  ]).toEqual([undefined, undefined]);
});

describe("verify says what it is, and the exit code too", () => {
  const check = async (words: RegExp, code: number, required: number) => {
    const told = await keyloan("audit verify");
    expect([told.code, told.out]).toEqual([code, expect.stringMatching(words)]);
    expect(told.out).not.toMatch(/\bok\b/);
    expect((await keyloan("audit verify --require-anchor")).code).toBe(required);
    const json = await keyloan("audit verify --json --require-anchor");
    expect([json.code, JSON.parse(json.out)]).toEqual([required, expect.not.objectContaining({ ok: true })]);
    const doctor = JSON.parse((await keyloan("doctor --production --json")).out);
    const found = doctor.checks.find(({ name }: { name: string }) => name === "Audit");
    expect([found.state === "ok", found.message]).toEqual([required === 0, expect.stringMatching(words)]);
    expect((await keyloan("doctor --json")).out).not.toMatch(words);
  };

  test("of a trail that stands only by itself", () => check(/self-consistent, not anchored/, 0, 1));

  test("of an anchored trail", async () => {
    const auditSink = join(outside, "heads.jsonl");
    await broker.restart({ auditSink });
    await broker.call("GET", "/v1/audit/head");
    await expect.poll(() => readFileSync(auditSink, "utf8"), { timeout: 10_000 }).toContain("signed");
    await check(/anchored by the sink \(row \d+\)/, 0, 0);
  });

  test("of a forged signing key", async () => {
    await forgeKey();
    await check(/broken at the signing keys: signing_key, a signing key in the store was not made/, 1, 1);
    await writer.run("DELETE FROM signing_keys WHERE id = 'sig_forged'");
  });

  test("of a changed trail, anchored or not", async () => {
    const change = (entity: string) =>
      writer.run(`UPDATE audit_events SET entity = ${entity} WHERE sequence = 2`);
    await change("entity || '!'");
    await check(/broken at row 2: edited, this row differs from what was written/, 1, 1);
    await change("rtrim(entity, '!')");
  });
});

test("accept-head tells what was given up, and fails when there is nothing", async () => {
  const kept = (await keyloan("audit head")).out.trim();
  await writer.run("DELETE FROM audit_heads WHERE sequence = (SELECT max(sequence) FROM audit_heads)");
  await forgeKey();
  await writer.run("DELETE FROM audit_events WHERE sequence = (SELECT max(sequence) FROM audit_events)");
  const accepted = await keyloan(`audit accept-head --head ${kept}`);
  expect(lastBody()).toEqual({ head: kept });
  expect([accepted.code, accepted.out]).toEqual([
    0,
    expect.stringMatching(
      /a row is missing here.*\n\d+ signed heads? given up.*row \d+.*\n1 missing row given up: \d+\.\n.*sig_forged was removed/,
    ),
  ]);
  expect((await keyloan("audit accept-head")).code).toBe(1);
});
