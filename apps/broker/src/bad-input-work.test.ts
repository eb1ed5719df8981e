import type { BuildView, DatabaseList, ErrorEnvelope, JobList } from "@keyloan/contract";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, createTestBroker, type TestBroker } from "./testing/create-test-broker.ts";
import { finishWork } from "./testing/finish-work.ts";
import { createMemoryConnectors, type MemoryConnectors } from "./testing/memory-connectors.ts";
import { openPage, type TestPage } from "./testing/open-page.ts";

// Requests that are wrong, for every route of the OpenAPI document, and for builds in every state.

type Operation = {
  readonly method: string;
  readonly path: string;
  readonly access: unknown;
  readonly hasBody: boolean;
  readonly statuses: readonly string[];
};
type Document = {
  readonly paths: Record<
    string,
    Record<string, { "x-keyloan-access": unknown; requestBody?: unknown; responses: Record<string, unknown> }>
  >;
};

const connector = "memory-database";
let broker: TestBroker;
let memory: MemoryConnectors;
let page: TestPage;
let operations: readonly Operation[];
/** Until this is released, nothing is made at the provider. */
let held: PromiseWithResolvers<void> | undefined;

beforeAll(async () => {
  memory = createMemoryConnectors();
  const connectors = memory.connectors.map((each) => {
    const { database } = each;
    if (database === undefined) return each;
    const create: typeof database.create = async (...asked) => {
      await held?.promise;
      return database.create(...asked);
    };
    return { ...each, database: { ...database, create } };
  });
  broker = await createTestBroker({ emulators: [], connectors });
  page = await openPage(broker, (await broker.createBuild({ connectors: [connector] })).id);
  const document = (await broker.call("GET", "/openapi.json", { token: null })).body as Document;
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      access: operation["x-keyloan-access"],
      hasBody: operation.requestBody !== undefined,
      statuses: Object.keys(operation.responses),
    })),
  );
});
afterAll(async () => {
  await broker.close();
  memory.databases.close();
});

const error = (answer: Answer) => (answer.body as ErrorEnvelope).error;
const call = ({ method, access }: Operation, path: string, body?: unknown): Promise<Answer> =>
  access === "session" ? page.call(method, path, body) : broker.call(method, path, { body });
/** Everything that a request could change, as the API shows it. */
const everything = async () => {
  const paths = ["builds", "leases", "jobs", "tokens", "org-keys"].map((name) => `/v1/${name}`);
  const answers = await Promise.all(paths.map((path) => broker.call("GET", path)));
  const own = await Promise.all(
    ["/v1/settings", "/v1/settings/transfer"].map((path) => page.call("GET", path)),
  );
  expect([...answers, ...own].map(({ status }) => status)).toEqual(Array(7).fill(200));
  return [...answers, ...own].map(({ body }) => body);
};
/** The id of nothing, of the kind that a path asks for. */
const idFor = (path: string) => {
  const kinds: Readonly<Record<string, string>> = { builds: "bld", leases: "lse", jobs: "job" };
  return `${kinds[path.split("/")[2] ?? ""] ?? "tok"}_00000000000000000000`;
};
/** Why an answer is none that a wrong request should have. */
const faultOf = ({ method, path, statuses }: Operation, sent: string, answer: Answer): readonly string[] => {
  const name = `${method} ${path} with ${sent}: ${answer.status} ${answer.text.slice(0, 200)}`;
  const isRefused = answer.status >= 400 && answer.status < 500 && statuses.includes(String(answer.status));
  return isRefused && /\w{3,}/.test(error(answer)?.remedy ?? "") ? [] : [name];
};

describe("every route", () => {
  it.each([
    ["that is short", "x"],
    ["that is cut", "bld_1"],
    ["that leads up", "..%2f..%2fetc"],
    ["of a zero byte", "%00"],
    ["beyond ASCII", "%F0%9F%94%91"],
    ["that is long", "a".repeat(300)],
    ["of no build", "bld_00000000000000000000"],
    ["of no lease", "lse_00000000000000000000"],
    ["of no job", "job_00000000000000000000"],
    ["of SQL", "' OR 1=1 --"],
  ])("refuses an id %s with its code and a remedy, and changes nothing", async (what, id) => {
    const before = await everything();
    const faults: string[] = [];
    for (const operation of operations.filter(({ path }) => /\{\w+\}/.test(path))) {
      const path = operation.path.replaceAll(/\{\w+\}/g, id);
      const body = operation.hasBody ? {} : undefined;
      faults.push(...faultOf(operation, what, await call(operation, path, body)));
    }
    expect(faults).toEqual([]);
    expect(await everything()).toEqual(before);
  });

  it.each<[string, string]>([
    ["that is cut", "{"],
    ["that is a list", "[]"],
    ["that is null", "null"],
    ["that is text", '"x"'],
    ["that is nested deeply", `${'{"a":'.repeat(8_000)}1${"}".repeat(8_000)}`],
    ["with a field that nobody knows", '{"nobodyKnows":1}'],
    ["with a prototype", '{"__proto__":{"all":true},"constructor":1}'],
    ["that is huge", JSON.stringify({ name: "x".repeat(70_000) })],
  ])("refuses a body %s, and changes nothing", async (what, body) => {
    const before = await everything();
    const faults: string[] = [];
    for (const operation of operations.filter(({ hasBody }) => hasBody)) {
      const path = operation.path.replace("{connector}", connector).replace("{id}", idFor(operation.path));
      faults.push(...faultOf(operation, what, await call(operation, path, body)));
    }
    expect(faults).toEqual([]);
    expect(await everything()).toEqual(before);
  });
});

describe("a build", () => {
  const finish = (id: string) => finishWork(broker.running().deps, id);
  const closed = async () => {
    const build = await broker.createBuild({ connectors: [connector] });
    await broker.call("DELETE", `/v1/builds/${build.id}?wait=20`);
    await finish(build.id);
    return build;
  };
  const provisioning = async () => {
    held = Promise.withResolvers();
    const made = await broker.call("POST", "/v1/builds?wait=0", {
      body: { name: "x", connectors: [connector] },
    });
    return made.body as BuildView;
  };
  const archived = async () => {
    const build = await broker.createBuild({ connectors: [connector] });
    await broker.call("POST", `/v1/builds/${build.id}/databases/${connector}/archive`);
    const state = async () =>
      ((await broker.call("GET", `/v1/builds/${build.id}/databases`)).body as DatabaseList).databases[0]
        ?.state;
    await expect.poll(state).toBe("archived");
    await finish(build.id);
    return build;
  };
  const handedOff = async () => {
    const build = await broker.createBuild({ connectors: [connector] });
    const own = await openPage(broker, build.id);
    memory.databases.add("own-database");
    await own.save(connector, {
      MEMORY_DATABASE_NAME: "own-database",
      MEMORY_DATABASE_TOKEN: "own-database-token",
    });
    for (const step of ["swap", "finish"]) {
      const done = await own.call("POST", `/v1/settings/${step}`, { expectedVersion: await own.version() });
      expect(done.status).toBe(200);
    }
    return build;
  };
  type Call = readonly [method: string, path: string, body: unknown, status: number, code: string];
  const database = `B/databases/${connector}`;
  const jobsOf = async (id: string) =>
    ((await broker.call("GET", `/v1/jobs?buildId=${id}`)).body as JobList).jobs;
  const endedJob: readonly Call[] = [
    ["POST", "J/retry", undefined, 409, "conflict"],
    ["POST", "J/values", { values: {} }, 409, "conflict"],
    ["POST", "J/cancel", {}, 409, "conflict"],
  ];
  const always: readonly Call[] = [
    ["POST", "B/databases/nope/archive", undefined, 422, "unknown_connector"],
    ["POST", "B/databases/memory-files/restore", undefined, 404, "not_found"],
    ["GET", "B/databases/memory-files/download", undefined, 404, "not_found"],
    ["POST", "L/rotation", {}, 409, "not_supported"],
    ["GET", "L/rotation", undefined, 404, "not_found"],
    ["POST", "B/renew", { ttlSeconds: 0 }, 422, "invalid_input"],
  ];
  const states: readonly (readonly [string, () => Promise<BuildView>, readonly Call[]])[] = [
    [
      "that is closed",
      closed,
      [
        ["GET", "B/env", undefined, 409, "build_closed"],
        ["POST", "B/renew", {}, 409, "build_closed"],
        ["POST", "B/tokens", {}, 409, "build_closed"],
        ["POST", "B/handoff", {}, 409, "build_closed"],
        ["POST", `${database}/archive`, undefined, 409, "build_closed"],
        ["POST", `${database}/restore`, undefined, 409, "build_closed"],
        ["GET", `${database}/download`, undefined, 409, "build_closed"],
        ["POST", "B/transfers", {}, 409, "build_closed"],
        ["POST", "B/transfers/resume", {}, 409, "build_closed"],
        ["POST", "B/transfers/cancel", {}, 409, "conflict"],
        ["POST", "B/revert", undefined, 409, "build_closed"],
        ...endedJob,
      ],
    ],
    [
      "that is being provisioned",
      provisioning,
      [
        ["GET", "B/env", undefined, 409, "not_ready"],
        ["POST", "B/renew", {}, 409, "not_ready"],
        ["POST", `${database}/archive`, undefined, 409, "not_ready"],
        ["POST", `${database}/restore`, undefined, 409, "not_ready"],
        ["GET", `${database}/download`, undefined, 409, "not_ready"],
        ["POST", "B/transfers", {}, 409, "not_ready"],
        ["POST", "B/transfers/resume", {}, 409, "not_ready"],
        ["POST", "B/transfers/cancel", {}, 409, "conflict"],
        ["POST", "B/revert", undefined, 409, "not_ready"],
        ["POST", "J/retry", undefined, 409, "conflict"],
        ["POST", "J/values", { values: { A: "b" } }, 409, "conflict"],
        ["POST", "J/cancel", {}, 409, "conflict"],
      ],
    ],
    [
      "whose database is archived",
      archived,
      [
        ["GET", "B/env", undefined, 409, "database_archived"],
        ["POST", `${database}/archive`, undefined, 409, "database_archived"],
        ["POST", "B/transfers", {}, 409, "not_ready"],
        ["POST", "B/transfers/resume", {}, 409, "conflict"],
        ["POST", "B/transfers/cancel", {}, 409, "conflict"],
        ["POST", "B/revert", undefined, 409, "not_revertible"],
        ...endedJob,
      ],
    ],
    [
      "that is handed off",
      handedOff,
      [
        ["GET", "B/env", undefined, 409, "build_closed"],
        ["POST", "B/renew", {}, 409, "not_ready"],
        ["POST", "B/tokens", {}, 409, "build_closed"],
        ["POST", `${database}/archive`, undefined, 409, "build_closed"],
        ["POST", `${database}/restore`, undefined, 409, "build_closed"],
        ["POST", "B/transfers", {}, 409, "conflict"],
        ["POST", "B/transfers/resume", {}, 409, "conflict"],
        ["POST", "B/transfers/cancel", {}, 403, "person_decides"],
        ["POST", "B/revert", undefined, 409, "conflict"],
        ...endedJob,
      ],
    ],
  ];

  it.each(states)(
    "%s refuses what it cannot do, with a remedy, and stays as it is",
    async (_what, make, calls) => {
      const { id, leases } = await make();
      const lease = leases[0]?.id ?? "";
      const job = (await jobsOf(id))[0]?.id ?? "";
      const before = await everything();
      const answers: unknown[] = [];
      for (const [method, path, body] of [...calls, ...always]) {
        const url = path
          .replace(/^B/, `/v1/builds/${id}`)
          .replace(/^L/, `/v1/leases/${lease}`)
          .replace(/^J/, `/v1/jobs/${job}`);
        const answer = await broker.call(method, url, { body });
        answers.push([method, path, body, answer.status, error(answer)?.code]);
        expect(error(answer)?.remedy ?? "").toMatch(/\w{3,}/);
      }
      expect(answers).toEqual([...calls, ...always]);
      expect(await everything()).toEqual(before);
      held?.resolve();
      held = undefined;
      await finish(id);
    },
  );
});
