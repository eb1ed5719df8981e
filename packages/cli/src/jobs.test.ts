import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JobList, JobView } from "@keyloan/contract";
import { createClient } from "@keyloan/sdk";
import { startWatchedKeyloan, type WatchedKeyloan } from "@keyloan/test-kit";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type RunOptions, runKeyloan } from "./testing/run-keyloan.ts";

let broker: WatchedKeyloan;
let folder: string;
/** A job that could not issue `memory-keys`, and its build. */
let issueJob: JobView;
let buildId: string;
beforeAll(async () => {
  broker = await startWatchedKeyloan();
  folder = mkdtempSync(join(tmpdir(), "keyloan-jobs-"));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await broker.close();
});
beforeEach(async () => {
  broker.provider.troubles.set("issue", "forbidden");
  buildId = (await broker.createBuild({ connectors: ["memory-keys", "app-secrets"] })).id;
  issueJob = await jobOf(buildId, "issue");
  broker.seen.length = 0;
});
afterEach(() => broker.provider.troubles.clear());

const jobsAt = async (query: string) =>
  ((await broker.call("GET", `/v1/jobs?limit=200&${query}`)).body as JobList).jobs;
const jobOf = async (id: string, kind: string) =>
  (await jobsAt(`buildId=${id}&kind=${kind}&connector=memory-keys`))[0] ?? expect.fail();

/** A job that could not end what a closed build had, and the name of that. */
async function releaseJob(): Promise<{ readonly id: string; readonly resource: string }> {
  broker.provider.troubles.clear();
  const { id, leases } = await broker.createBuild({ connectors: ["memory-keys"] });
  broker.provider.troubles.set("revoke", "forbidden");
  await broker.call("DELETE", `/v1/builds/${id}?wait=5`);
  for (let round = 0; (await jobOf(id, "release")).state !== "requires_action"; round++) {
    expect(round).toBeLessThan(8);
    broker.advance(60_000);
    await broker.finishWork();
  }
  broker.seen.length = 0;
  return { id: (await jobOf(id, "release")).id, resource: leases[0]?.resource.name ?? "" };
}

/** Twelve hours before a person must have acted on the job. */
const halfTime = () => Date.parse(issueJob.requiredAction?.dueAt ?? "") - 12 * 3_600_000;
const keyloan = (line: string, options: RunOptions = {}) =>
  runKeyloan(`jobs ${line}`.split(" "), {
    now: halfTime,
    ...options,
    env: { KEYLOAN_URL: broker.url, KEYLOAN_TOKEN: broker.adminToken, ...options.env },
  });
const lastBody = () => JSON.parse(broker.seen.at(-1)?.body ?? "") as unknown;
const values = { MEMORY_KEYS_ACCOUNT: "own", MEMORY_KEYS_TOKEN: "canary-own-token" };

describe("jobs list", () => {
  test("shows what needs a person and by when, and speaks JSON", async () => {
    const { code, out } = await keyloan("list --state requires_action");
    expect(code).toBe(0);
    expect(out).toMatch(
      new RegExp(`${issueJob.id} +issue +requires_action +memory-keys +1 +- +in 12h +forbidden`),
    );
    const { jobs } = JSON.parse((await keyloan(`list --build ${buildId} --all --limit 1 --json`)).out);
    expect(jobs).toEqual(await jobsAt(`buildId=${buildId}`));
    expect(jobs).toHaveLength(2);
  });

  test("narrows by build, kind and connector", async () => {
    await keyloan(`list --build ${buildId} --kind release --connector memory-keys --state failed`);
    expect(Object.fromEntries(broker.seen[0]?.query ?? [])).toEqual({
      buildId,
      kind: "release",
      connector: "memory-keys",
      state: "failed",
    });
    expect((await keyloan("list --kind nothing")).err).toContain("There are no such jobs.");
  });

  test("is the operator's alone", async () => {
    const token = await broker.createBuildToken(buildId);
    const { code, err } = await keyloan("list", { env: { KEYLOAN_TOKEN: token } });
    expect([code, err]).toEqual([1, expect.stringContaining("does not have permission to do that")]);
  });
});

describe("jobs show", () => {
  test("tells the steps with their pages, and the time that is left", async () => {
    const { code, out } = await keyloan(`show ${issueJob.id}`);
    expect(code).toBe(0);
    expect(out).toMatch(/Requires manual action by \S+ \S+Z \(in 12h\):/);
    expect(out).toMatch(
      /3\. +Or make the keys by hand at Memory keys\.[\s\S]*?\n +https:\/\/example\.com\/keys/,
    );
  });

  test.each([
    ["show", 2, "job"],
    ["show bld_3k9v0a5m2c7d8e4f6g1h", 2, "not a job id"],
    ["show job_00000000000000000000", 1, "there is no job job_00000000000000000000"],
  ])("`%s` exits with %i and says why", async (line, code, text) => {
    const answer = await keyloan(line);
    expect([answer.code, answer.err]).toEqual([code, expect.stringContaining(text)]);
  });
});

describe("jobs retry", () => {
  test("starts it anew, and fails when it has ended", async () => {
    broker.provider.troubles.clear();
    expect(JSON.parse((await keyloan(`retry ${issueJob.id} --json`)).out)).toMatchObject({
      state: "waiting",
      attempts: 0,
    });
    await broker.finishWork();
    const again = await keyloan(`retry ${issueJob.id}`);
    expect([again.code, again.err]).toEqual([1, expect.stringContaining("done")]);
  });
});

describe("jobs cancel", () => {
  test("tells what the build continues without", async () => {
    const { code, out, err } = await keyloan(`cancel ${issueJob.id}`);
    expect([code, lastBody()]).toEqual([0, {}]);
    expect(out).toContain("cancelled");
    expect(err).toContain("continues without memory-keys: it lacks MEMORY_KEYS_ACCOUNT");
  });

  test("of a release needs the resource's name, and warns when nobody could verify it", async () => {
    const { id, resource } = await releaseJob();
    const refused = await keyloan(`cancel ${id}`);
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining(resource)]);
    broker.provider.troubles.set("list", "unavailable");
    const { code, err } = await keyloan(`cancel ${id} --confirm ${resource}`);
    expect([code, err]).toEqual([0, expect.stringContaining("could not be asked")]);
  });
});

describe("jobs supply", () => {
  const envText = `# made by hand\nMEMORY_KEYS_ACCOUNT="${values.MEMORY_KEYS_ACCOUNT}"\nexport MEMORY_KEYS_TOKEN=${values.MEMORY_KEYS_TOKEN}\nOTHER=left alone\n`;
  const readEnv = () => broker.readEnv(buildId);

  test.each([
    ["a .env file", envText],
    ["a JSON object", JSON.stringify({ ...values, OTHER: "left alone" })],
  ])("takes the job's variables from %s, and shows no value", async (_, text) => {
    const file = join(folder, "own.env");
    writeFileSync(file, text);
    const { code, out, err } = await keyloan(`supply ${issueJob.id} --from-file ${file}`);
    expect([code, lastBody()]).toEqual([0, { values, force: false }]);
    expect(await readEnv()).toMatchObject(values);
    expect(out + err).not.toContain("canary");
  });

  test("reads stdin for a dash, and forces only when told", async () => {
    broker.provider.troubles.set("check", "unavailable");
    const line = `supply ${issueJob.id} --from-file -`;
    const refused = await keyloan(line, { stdin: envText });
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining("send them with `force`")]);
    expect((await keyloan(`${line} --force --json`, { stdin: envText })).code).toBe(0);
    expect(lastBody()).toEqual({ values, force: true });
    expect(await readEnv()).toMatchObject(values);
  });

  test("asks for each variable on a terminal, and hides what is secret", async () => {
    const stdin = `${values.MEMORY_KEYS_ACCOUNT}\n${values.MEMORY_KEYS_TOKEN}\n`;
    const { code, out, err } = await keyloan(`supply ${issueJob.id}`, { terminal: true, stdin });
    expect([code, lastBody()]).toEqual([0, { values, force: false }]);
    expect(err).toContain("Account token (MEMORY_KEYS_TOKEN) (not shown)");
    expect(out + err).not.toContain("canary");
  });

  test.each([
    ["no terminal is attached", "", 2, "MEMORY_KEYS_TOKEN"],
    ["the file is not there", " --from-file /nowhere/own.env", 1, "no file"],
    ["the file sets nothing of it", " --from-file -", 1, "sets no variable of memory-keys"],
  ])("sends nothing when %s", async (_, rest, code, text) => {
    const answer = await keyloan(`supply ${issueJob.id}${rest}`, { stdin: "OTHER=1" });
    expect([answer.code, answer.err]).toEqual([code, expect.stringContaining(text)]);
    expect(broker.seen.every(({ method }) => method === "GET")).toBe(true);
  });

  test("sends nothing when the job needs no values", async () => {
    const { id } = await releaseJob();
    const answer = await keyloan(`supply ${id} --from-file -`, { stdin: "OTHER=1" });
    expect([answer.code, answer.err]).toEqual([1, expect.stringContaining("does not need any values")]);
    expect(broker.seen.every(({ method }) => method === "GET")).toBe(true);
  });
});

test("the client goes through all jobs page by page", async () => {
  const client = createClient({ url: broker.url, token: broker.adminToken });
  const seen: string[] = [];
  for await (const { id } of client.jobs.listAll({ buildId, limit: 1 })) seen.push(id);
  expect(seen).toEqual((await jobsAt(`buildId=${buildId}`)).map(({ id }) => id));
  expect(broker.seen).toHaveLength(2);
});
