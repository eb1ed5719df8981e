import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AuditHead, type AuditVerification, type Health, Secret } from "@keyloan/contract";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { BrokerConfig } from "../env.ts";
import { createTestBroker, type TestBroker } from "../testing/create-test-broker.ts";
import { type Receiver, signatureOf, startReceiver } from "../testing/start-receiver.ts";
import { createStoreWriter } from "../testing/store-writer.ts";
import { endWhatIsDue } from "../worker.ts";
import { createHeadDelivery } from "./head-delivery.ts";

let folder: string;
let file: string;
let broker: TestBroker;
const patiently = { timeout: 10_000 };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "keyloan-sink-"));
  file = join(folder, "heads.jsonl");
});
afterEach(async () => {
  await broker.close();
  await rm(folder, { recursive: true, force: true });
});

const open = async (config: Partial<BrokerConfig>) => {
  broker = await createTestBroker({ emulators: [], config });
};
async function newHead(): Promise<AuditHead> {
  const answer = await broker.call("GET", "/v1/audit/head");
  expect(answer.status).toBe(200);
  return answer.body as AuditHead;
}
const verify = async (body = {}) =>
  (await broker.call("POST", "/v1/audit/verify", { body })).body as AuditVerification;
const ready = async () => {
  const answer = await broker.call("GET", "/health/ready", { token: null });
  return { status: answer.status, body: answer.body as Health };
};
const lines = async () => (await readFile(file, "utf8").catch(() => "")).split("\n");
const signedIn = async () =>
  (await lines()).flatMap((line) => (line.startsWith("{") ? [JSON.parse(line).signed] : []));
const arrived = (...heads: AuditHead[]) =>
  expect.poll(signedIn, patiently).toEqual(heads.map(({ signed }) => signed));
const poke = () => broker.running().deps.headDelivery.poke();
const keepCopy = async () => {
  const copy = join(folder, "older.db");
  await broker.running().deps.store.copyTo(copy);
  return copy;
};
/** The builds, tokens and links that a broker which is not sure of its store hands out. */
const makeBuild = () =>
  broker.call("POST", "/v1/builds", { body: { name: "x", connectors: ["app-secrets"] } });

describe("a file", () => {
  it("gets every head as it is signed, a line each, and verify is anchored by it", async () => {
    await open({ auditSink: file });
    const [first, second] = [await newHead(), await newHead()];
    await arrived(first, second);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(JSON.parse((await lines())[1] ?? "")).toEqual(second);
    expect(await verify()).toMatchObject({
      verdict: "anchored",
      through: second.sequence,
      anchors: [{ by: "sink", sequence: second.sequence, at: second.at }],
      warnings: [],
    });
    expect((await ready()).body.status).toBe("ok");
    expect((await broker.call("GET", "/metrics")).text).toMatch(/^keyloan_audit_sink_undelivered_heads 0$/m);
  });

  it("gets the last head at the stop, and after a start none twice", async () => {
    await open({ auditSink: file });
    const head = await newHead();
    await arrived(head);
    await makeBuild();
    await broker.restart();
    const after = await signedIn();
    expect([after.length, after[0]]).toEqual([2, head.signed]);
    const next = await newHead();
    await expect.poll(signedIn, patiently).toEqual([...after, next.signed]);
  });

  it.each([
    ["in a folder that is not there", async () => undefined, () => mkdir(folder)],
    [
      "that is a folder",
      async () => void (await mkdir(file, { recursive: true })),
      () => rm(file, { recursive: true }),
    ],
    [
      "that is a pipe nobody reads",
      async () => {
        await mkdir(folder, { recursive: true });
        execFileSync("mkfifo", [file]);
      },
      () => rm(file),
    ],
  ])("%s stops nothing, is told, and gets what it missed in order", async (_what, spoil, fix) => {
    await rm(folder, { recursive: true });
    await spoil();
    await open({ auditSink: file });
    const { id } = await broker.createBuild({ connectors: ["app-secrets"] });
    const heads = [await newHead(), await newHead(), await newHead()];
    await expect
      .poll(async () => (await ready()).body, patiently)
      .toMatchObject({
        status: "degraded",
        parts: expect.arrayContaining([expect.objectContaining({ name: "audit_sink", ok: false })]),
      });
    expect((await ready()).status).toBe(200);
    expect(Object.keys(await broker.readEnv(id))).not.toEqual([]);
    expect((await makeBuild()).status).toBe(201);
    expect(await verify()).toMatchObject({
      verdict: "self_consistent",
      warnings: [expect.stringMatching(/^sink: it (cannot be read|contains no head)/)],
    });
    expect((await broker.call("GET", "/metrics")).text).toMatch(/^keyloan_audit_sink_failures_total [1-9]/m);
    await fix();
    poke();
    // A sink that never had a head begins with the newest, which proves all rows before it.
    await arrived(heads[2] ?? expect.fail());
    await expect.poll(async () => (await ready()).body.status, patiently).toBe("ok");
  });

  it("that could not be written for a while gets every head of that time, in order", async () => {
    await open({ auditSink: file });
    const heads = [await newHead()];
    await arrived(...heads);
    const text = await readFile(file, "utf8");
    await rm(file);
    await mkdir(file);
    heads.push(await newHead(), await newHead());
    await expect.poll(async () => (await ready()).body.status, patiently).toBe("degraded");
    expect((await broker.call("GET", "/metrics")).text).toMatch(/^keyloan_audit_sink_undelivered_heads 2$/m);
    broker.advance(6 * 60_000);
    poke();
    const notices = async () =>
      (await broker.running().deps.store.read.jobs.list({ kind: "notify", limit: 10 })).map(
        ({ payload }) => payload?.type,
      );
    await expect.poll(notices, patiently).toEqual(["audit.sink_failing"]);
    await rm(file, { recursive: true });
    await writeFile(file, text);
    poke();
    await arrived(...heads);
  });

  it.each([
    ["cut in its last line", (text: string) => text.slice(0, -40), "anchored"],
    ["with a line that is nothing", (text: string) => `${text}{"signed":`, "anchored"],
    ["with heads that nobody signed", (text: string) => `${text}{"signed":"aaaa.bbbb.cccc"}\n`, "anchored"],
    ["of anything else", () => "\u0000\u0001garbage".repeat(20_000), "self_consistent"],
    ["emptied", () => "", "self_consistent"],
  ])("%s is believed as far as it goes, and goes on with whole lines", async (_what, change, verdict) => {
    await open({ auditSink: file });
    const [first, second] = [await newHead(), await newHead()];
    await arrived(first, second);
    await writeFile(file, change(await readFile(file, "utf8")));
    expect(await verify()).toMatchObject({ verdict });
    const third = await newHead();
    await expect
      .poll(async () => (await signed(third)) && (await verify()).verdict, patiently)
      .toBe("anchored");
    await expect.poll(async () => (await ready()).body.status, patiently).toBe("ok");
  });
  const signed = async (head: AuditHead) => (await lines()).some((line) => line.includes(head.signed));

  it("of another broker is refused: nothing is written behind it and nothing new is handed out", async () => {
    await open({ auditSink: file });
    await arrived(await newHead());
    const before = await readFile(file, "utf8");
    await broker.close();
    await open({ auditSink: file });
    expect((await ready()).body.status).toBe("degraded");
    expect((await makeBuild()).status).toBe(503);
    expect(await verify()).toMatchObject({ verdict: "broken", problem: { kind: "signature", sequence: 0 } });
    const accepted = await broker.call("POST", "/v1/audit/accept-head");
    expect([accepted.status, accepted.text]).toEqual([409, expect.stringContaining("KEYLOAN_AUDIT_SINK")]);
    expect(await readFile(file, "utf8")).toBe(before);
  });
});

describe("whoever writes to the store", () => {
  it("writes nothing to the sink: what no broker signed is passed over, whatever its size", async () => {
    await open({ auditSink: file });
    const first = await newHead();
    await arrived(first);
    const text = await readFile(file, "utf8");
    await rm(file);
    await mkdir(file);
    for (const _row of [1, 2, 3]) await makeBuild();
    const second = await newHead();
    const writer = await createStoreWriter(broker.dataDirectory);
    const own = { sequence: first.sequence + 1, hash: "own", at: 1, signed: "own words" };
    await writer.insert("audit_heads", own);
    const long = { ...own, sequence: first.sequence + 2, signed: "own words ".repeat(500_000) };
    await writer.insert("audit_heads", long);
    await rm(file, { recursive: true });
    await writeFile(file, text);
    poke();
    await arrived(first, second);
    expect(await readFile(file, "utf8")).not.toContain("own words");
    const stored = await broker.running().deps.store.read.auditHeads.listBetween(0, 100, 100);
    expect(stored.map(({ signed }) => signed.length < 5_000)).toEqual([true, true, true, true]);
  });

  it("keeps no delivery going for ever, nor the stop waiting", async () => {
    await open({ auditSink: file });
    await arrived(await newHead(), await newHead());
    const { deps } = broker.running();
    // Others are always first: what was delivered cannot be noted.
    let writes = 0;
    const write: typeof deps.store.write = async (scope, run) => {
      writes += 1;
      return deps.store.write(scope, (tables) =>
        run({ ...tables, organizations: { ...tables.organizations, setAuditState: async () => false } }),
      );
    };
    const delivery = createHeadDelivery({ ...deps, store: { ...deps.store, write } });
    await rm(file);
    delivery.poke();
    await expect.poll(async () => (await delivery.state())?.failure, patiently).toContain("always first");
    expect(writes).toBe(10);
    await delivery.stop(0);
  });

  it("cannot keep the stop waiting by a store that does not answer", async () => {
    await open({ auditSink: file });
    await newHead();
    const { deps } = broker.running();
    const write = () => new Promise<never>(() => undefined);
    const delivery = createHeadDelivery({ ...deps, store: { ...deps.store, write } });
    // The broker's own delivery comes first: it would write a line beside this one's.
    await expect.poll(async () => (await signedIn()).length, patiently).toBe(1);
    await rm(file, { force: true });
    delivery.poke();
    await expect.poll(async () => (await signedIn()).length, patiently).toBe(1);
    await delivery.stop(0);
  });
});

describe("a store that was put back to an older copy", () => {
  const outside = [
    ["the sink knows", { auditSink: () => file }],
    ["a head file tells", { auditHeadFile: () => join(folder, "head.txt") }],
  ] as const;

  it.each(outside)("is noticed at start when %s, until a person accepts it", async (_what, config) => {
    await open({ auditSink: "auditSink" in config ? file : undefined });
    const { id } = await broker.createBuild({ connectors: ["app-secrets"] });
    const token = await broker.createBuildToken(id);
    await newHead();
    const copy = await keepCopy();
    await makeBuild();
    await newHead();
    const lost = await newHead();
    if ("auditSink" in config) await expect.poll(signedIn, patiently).toContain(lost.signed);
    await writeFile(join(folder, "head.txt"), `${lost.signed}\n`);
    const setting = Object.fromEntries(Object.entries(config).map(([name, value]) => [name, value()]));
    await broker.putBack(copy, setting);

    expect(broker.logs.join("\n")).toContain(
      "the store was replaced by an older copy or its end was cut off",
    );
    expect(await ready()).toMatchObject({
      status: 200,
      body: {
        status: "degraded",
        parts: expect.arrayContaining([
          { name: "anchor", ok: false, message: expect.stringContaining("older copy") },
        ]),
      },
    });
    expect((await broker.call("GET", `/v1/builds/${id}/env`, { token })).status).toBe(200);
    expect((await makeBuild()).status).toBe(503);
    expect((await broker.call("GET", "/v1/audit/head")).status).toBe(503);
    expect(await verify()).toMatchObject({ verdict: "broken", problem: { kind: "removed" } });
    // By an old copy's clock nothing ends: the build may have been renewed since.
    broker.advance(8 * 24 * 3_600_000);
    await sweep();
    expect((await broker.call("GET", `/v1/builds/${id}`)).body).toMatchObject({ state: "ready" });
    await broker.restart();
    expect((await ready()).body.status).toBe("degraded");

    const accepted = await broker.call("POST", "/v1/audit/accept-head");
    expect([accepted.status, accepted.body]).toMatchObject([200, { problem: { kind: "removed" } }]);
    const { head, lostHeads } = accepted.body as { head: AuditHead; lostHeads: number };
    expect(lostHeads).toBeGreaterThanOrEqual(2);
    // So long an answer is kept.
    broker.advance(1_000);
    expect((await ready()).body.status).toBe("ok");
    expect((await makeBuild()).status).toBe(201);
    const audited = (await broker.call("GET", "/v1/audit?action=audit.head_accepted")).body;
    expect(audited).toMatchObject({
      events: [{ actor: "admin:admin", details: { lostHeads, problem: { kind: "removed" } } }],
    });
    if ("auditSink" in config) await expect.poll(signedIn, patiently).toContain(head.signed);
    const after = await verify({ head: head.signed });
    expect(after).toMatchObject({ verdict: "anchored", givenUp: [expect.objectContaining({ at: head.at })] });
    await broker.restart();
    expect((await ready()).body.status).toBe("ok");
    expect((await broker.call("POST", "/v1/audit/accept-head")).status).toBe(409);
    // What was given up proves nothing any more, and what came after is counted on.
    expect(await verify({ head: lost.signed })).toMatchObject({
      warnings: expect.arrayContaining([expect.stringContaining("given up")]),
    });
    await sweep();
    await expect
      .poll(
        async () => ((await broker.call("GET", `/v1/builds/${id}`)).body as { state: string }).state,
        patiently,
      )
      .toBe("closed");
  });
  /** One round of what ends builds, through the worker's own door. */
  const sweep = () => endWhatIsDue(broker.running().deps, new AbortController().signal);

  it("twice is accepted twice, and verify tells of both gaps", async () => {
    await open({ auditSink: file });
    await newHead();
    const copy = await keepCopy();
    await newHead();
    for (const count of [1, 2]) {
      await expect.poll(async () => (await verify()).verdict, patiently).toBe("anchored");
      await broker.putBack(copy);
      expect((await ready()).body.status).toBe("degraded");
      expect((await broker.call("POST", "/v1/audit/accept-head")).status).toBe(200);
      expect((await verify()).givenUp).toHaveLength(1);
      expect((await signedIn()).length).toBeGreaterThan(count);
    }
  });

  it("is accepted by a head that only a person has", async () => {
    await open({});
    await newHead();
    const copy = await keepCopy();
    const lost = await newHead();
    await broker.putBack(copy);
    expect((await ready()).body.status).toBe("ok");
    const accepted = await broker.call("POST", "/v1/audit/accept-head", { body: { head: lost.signed } });
    expect(accepted.body).toMatchObject({ problem: { kind: "removed" }, lostHeads: expect.any(Number) });
    expect(await verify()).toMatchObject({ verdict: "self_consistent", givenUp: [{}] });
  });

  it.each([
    ["is not there", undefined, /head file cannot be read/],
    ["holds no head", "nothing", /contains no signed head/],
  ])("a head file that %s keeps the broker from starting", async (_what, text, sentence) => {
    await open({});
    const path = join(folder, "head.txt");
    if (text !== undefined) await writeFile(path, text);
    await expect(broker.restart({ auditHeadFile: path })).rejects.toThrow(sentence);
    await broker.restart({ auditHeadFile: undefined }).catch(() => undefined);
  });
});

describe("an address", () => {
  let receiver: Receiver;
  beforeEach(async () => {
    receiver = await startReceiver();
  });
  afterEach(() => receiver.close());
  const posted = () => receiver.received.filter(({ method }) => method === "POST");

  it("gets each head by POST, signed as notices are, and gives nothing back", async () => {
    const secret = "a-plain-secret-of-an-operator";
    await open({ auditSink: receiver.url, notifySecret: Secret.of(secret) });
    const heads = [await newHead(), await newHead()];
    await expect.poll(() => posted().map(({ body }) => body), patiently).toEqual(heads);
    for (const got of posted())
      expect(got.headers["webhook-signature"]).toBe(signatureOf(got, Buffer.from(secret)));
    expect(new Set(posted().map(({ headers }) => headers["webhook-id"])).size).toBe(2);
    expect(await verify()).toMatchObject({
      verdict: "self_consistent",
      warnings: ["sink: it contains no head, or returns none"],
    });
  });

  it.each([[500], ["redirect"], ["silence"]] as const)(
    "that answers %s stops nothing, and gets each head once in order later",
    async (how) => {
      await open({ auditSink: receiver.url });
      const heads = [await newHead()];
      await expect.poll(() => posted().length, patiently).toBe(1);
      receiver.answer(how);
      const { deps } = broker.running();
      heads.push(await newHead(), await newHead());
      const impatient = createHeadDelivery(deps, 200);
      impatient.poke();
      await expect.poll(async () => (await impatient.state())?.failure, patiently).toBeDefined();
      expect((await makeBuild()).status).toBe(201);
      expect((await impatient.state())?.undelivered).toBe(2);
      expect(broker.logs.join("\n")).not.toContain("a receiver's own words");
      receiver.answer(204);
      receiver.received.splice(0);
      impatient.poke();
      await expect
        .poll(() => posted().map(({ body }) => body), patiently)
        .toEqual(expect.arrayContaining(heads.slice(1)));
      await impatient.stop(0);
      expect(await deps.headDelivery.state()).toMatchObject({ undelivered: 0 });
    },
  );

  it("that is down stops neither start nor stop, and gets the newest head when it is back", async () => {
    await receiver.close();
    await open({ auditSink: receiver.url });
    await newHead();
    await expect.poll(async () => (await ready()).body.status, patiently).toBe("degraded");
    expect((await makeBuild()).status).toBe(201);
    await broker.restart();
    expect((await ready()).status).toBe(200);
    receiver = await startReceiver();
  });

  it("that gives back the newest head proves the store, and tells when it was put back", async () => {
    await open({ auditSink: receiver.url });
    const head = await newHead();
    receiver.giveBack(JSON.stringify(head));
    expect(await verify()).toMatchObject({ verdict: "anchored", through: head.sequence });
    const copy = await keepCopy();
    receiver.giveBack((await newHead()).signed);
    await broker.putBack(copy);
    expect((await ready()).body.status).toBe("degraded");
    expect((await makeBuild()).status).toBe(503);
  });

  it.each([
    ["a page", "<!doctype html><p>hello</p>"],
    ["what looks like a head", "aaaa.bbbb.cccc"],
    ["more than is read", "x".repeat(5 * 1024 * 1024)],
  ])("that gives back %s is no anchor and no alarm", async (_what, text) => {
    receiver.giveBack(text);
    await open({ auditSink: receiver.url });
    const head = await newHead();
    await expect.poll(() => posted().map(({ body }) => body), patiently).toEqual([head]);
    expect(await verify()).toMatchObject({ verdict: "self_consistent", warnings: [expect.any(String)] });
    expect((await ready()).body.status).toBe("ok");
  });
});
