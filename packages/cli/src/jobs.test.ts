import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@keyloan/sdk";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type FakeBroker, startFakeBroker } from "./testing/fake-broker.ts";
import { issueJobId, releaseJobId, resourceName } from "./testing/fake-jobs.ts";
import { type RunOptions, runKeyloan } from "./testing/run-keyloan.ts";
import { adminToken, buildToken, sampleBuildId } from "./testing/samples.ts";

let broker: FakeBroker;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "keyloan-jobs-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(async () => {
  broker = await startFakeBroker();
  return () => broker.close();
});

const keyloan = (line: string, options: RunOptions = {}) =>
  runKeyloan(`jobs ${line}`.split(" "), {
    now: () => Date.UTC(2026, 10, 21),
    ...options,
    env: { KEYLOAN_URL: broker.url, KEYLOAN_TOKEN: adminToken, ...options.env },
  });
const lastBody = () => JSON.parse(broker.seen.at(-1)?.body ?? "") as unknown;
const values = { TURSO_DATABASE_URL: "libsql://own.example.com", TURSO_AUTH_TOKEN: "canary-own-token" };

describe("jobs list", () => {
  test("shows what needs a person and by when, and speaks JSON", async () => {
    const { code, out } = await keyloan("list --state requires_action");
    expect(code).toBe(0);
    expect(out).toMatch(
      new RegExp(`${issueJobId} +issue +requires_action +turso +8 +- +in 12h +unavailable`),
    );
    const { jobs } = JSON.parse((await keyloan("list --all --limit 1 --json")).out);
    expect(jobs).toHaveLength(2);
  });

  test("narrows by build, kind and connector", async () => {
    await keyloan(`list --build ${sampleBuildId} --kind release --connector turso --state failed`);
    expect(Object.fromEntries(broker.seen[0]?.query ?? [])).toEqual({
      buildId: sampleBuildId,
      kind: "release",
      connector: "turso",
      state: "failed",
    });
    expect((await keyloan("list --kind nothing")).err).toContain("There are no such jobs.");
  });

  test("is the operator's alone", async () => {
    const { code, err } = await keyloan("list", { env: { KEYLOAN_TOKEN: buildToken } });
    expect([code, err]).toEqual([1, expect.stringContaining("may not do that")]);
  });
});

describe("jobs show", () => {
  test("tells the steps with their pages, and the time that is left", async () => {
    const { code, out } = await keyloan(`show ${issueJobId}`);
    expect(code).toBe(0);
    expect(out).toContain("A person is needed, until 2026-11-21 12:00:00Z (in 12h):");
    expect(out).toMatch(/2\. +Make the keys by hand\.\n +https:\/\/example\.com\/keys/);
  });

  test.each([
    ["show", 2, "job"],
    ["show bld_3k9v0a5m2c7d8e4f6g1h", 2, "not a job id"],
    ["show job_00000000000000000000", 1, "no such job"],
  ])("`%s` exits with %i and says why", async (line, code, text) => {
    const answer = await keyloan(line);
    expect([answer.code, answer.err]).toEqual([code, expect.stringContaining(text)]);
  });
});

describe("jobs retry", () => {
  test("starts it anew, and fails when it waits already", async () => {
    expect(JSON.parse((await keyloan(`retry ${issueJobId} --json`)).out)).toMatchObject({
      state: "waiting",
      attempts: 0,
    });
    const again = await keyloan(`retry ${issueJobId}`);
    expect([again.code, again.err]).toEqual([1, expect.stringContaining("waits already")]);
  });
});

describe("jobs cancel", () => {
  test("tells what the build goes on without", async () => {
    const { code, out, err } = await keyloan(`cancel ${issueJobId}`);
    expect([code, lastBody()]).toEqual([0, {}]);
    expect(out).toContain("cancelled");
    expect(err).toContain("goes on without turso: it lacks TURSO_DATABASE_URL");
  });

  test("of a release needs the resource's name, and warns when nobody could verify it", async () => {
    const refused = await keyloan(`cancel ${releaseJobId}`);
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining(resourceName)]);
    const { code, err } = await keyloan(`cancel ${releaseJobId} --confirm ${resourceName}`);
    expect([code, err]).toEqual([0, expect.stringContaining("could not be asked")]);
  });
});

describe("jobs supply", () => {
  const envText = `# made by hand\nTURSO_DATABASE_URL="${values.TURSO_DATABASE_URL}"\nexport TURSO_AUTH_TOKEN=${values.TURSO_AUTH_TOKEN}\nOTHER=left alone\n`;

  test.each([
    ["a .env file", envText],
    ["a JSON object", JSON.stringify({ ...values, OTHER: "left alone" })],
  ])("takes the job's variables from %s, and shows no value", async (_, text) => {
    const file = join(folder, "own.env");
    writeFileSync(file, text);
    const { code, out, err } = await keyloan(`supply ${issueJobId} --from-file ${file}`);
    expect([code, lastBody()]).toEqual([0, { values, force: false }]);
    expect(out + err).not.toContain("canary");
  });

  test("reads stdin for a dash, and forces only when told", async () => {
    broker.state.working.unreachable = true;
    const line = `supply ${issueJobId} --from-file -`;
    const refused = await keyloan(line, { stdin: envText });
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining("Send them with force")]);
    expect((await keyloan(`${line} --force --json`, { stdin: envText })).code).toBe(0);
    expect(lastBody()).toEqual({ values, force: true });
  });

  test("asks for each variable on a terminal, and hides what is secret", async () => {
    const stdin = `${values.TURSO_DATABASE_URL}\n${values.TURSO_AUTH_TOKEN}\n`;
    const { code, out, err } = await keyloan(`supply ${issueJobId}`, { terminal: true, stdin });
    expect([code, lastBody()]).toEqual([0, { values, force: false }]);
    expect(err).toContain("Database token (TURSO_AUTH_TOKEN) (not shown)");
    expect(out + err).not.toContain("canary");
  });

  test.each([
    ["no terminal is attached", `supply ${issueJobId}`, 2, "TURSO_AUTH_TOKEN"],
    ["the file is not there", `supply ${issueJobId} --from-file /nowhere/own.env`, 1, "no file"],
    ["the file sets nothing of it", `supply ${issueJobId} --from-file -`, 1, "sets no variable of turso"],
    ["the job waits for no values", `supply ${releaseJobId} --from-file -`, 1, "waits for no values"],
  ])("sends nothing when %s", async (_, line, code, text) => {
    const answer = await keyloan(line, { stdin: "OTHER=1" });
    expect([answer.code, answer.err]).toEqual([code, expect.stringContaining(text)]);
    expect(broker.seen.every(({ method }) => method === "GET")).toBe(true);
  });
});

test("the client goes through all jobs page by page", async () => {
  const client = createClient({ url: broker.url, token: adminToken });
  const seen: string[] = [];
  for await (const { id } of client.jobs.listAll({ state: "requires_action" })) seen.push(id);
  expect(seen).toEqual([issueJobId, releaseJobId]);
});
