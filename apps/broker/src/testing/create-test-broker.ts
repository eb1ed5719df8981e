import { randomBytes } from "node:crypto";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectors as allConnectors } from "@keyloan/connectors";
import { type RunningEmulator, startStandIns } from "@keyloan/connectors/emulators";
import { type BuildView, type Connector, newTokenBody, Secret } from "@keyloan/contract";
import { createRootKey } from "@keyloan/vault";
import { type BrokerConfig, withDefaults } from "../env.ts";
import type { Logger } from "../observe/logger.ts";
import { scheduledWork } from "../schedule.ts";
import { type RunningBroker, startBroker } from "../start-broker.ts";
import { copyEmptyStore } from "./copy-empty-store.ts";

export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: unknown;
};

export type TestBroker = {
  readonly url: string;
  readonly adminToken: string;
  readonly emulators: ReadonlyMap<string, RunningEmulator>;
  readonly config: BrokerConfig;
  readonly dataDirectory: string;
  /** Every line logged so far. */
  readonly logs: string[];
  /** The broker that runs now. */
  readonly running: () => RunningBroker;
  /** Moves the clock of every broker here. */
  readonly advance: (ms: number) => void;
  /** From now on it moves by {@link advance} alone, however long this machine takes. */
  readonly stopClock: () => void;
  /** The time that the brokers see, in milliseconds since the epoch. */
  readonly now: () => number;
  readonly call: (
    method: string,
    path: string,
    options?: { token?: string | null; body?: unknown; headers?: Record<string, string> },
  ) => Promise<Answer>;
  /** Puts the stand-ins' org keys, all or the named ones. */
  readonly putOrgKeys: (...connectorIds: string[]) => Promise<void>;
  readonly createBuild: (body?: Record<string, unknown>) => Promise<BuildView>;
  readonly createBuildToken: (buildId: string, body?: Record<string, unknown>) => Promise<string>;
  readonly readEnv: (buildId: string, token?: string) => Promise<Record<string, string>>;
  /** Does recurring work, such as ending what was lent, without waiting for its time. */
  readonly runWork: (name: string) => Promise<void>;
  /** Starts one more broker on the same store, with its own background work; `close` ends it too. */
  readonly startAnother: () => Promise<RunningBroker>;
  /** Ends the broker, puts an older copy of the store into its place and starts another one on that. */
  readonly putBack: (copy: string, changes?: Partial<BrokerConfig>) => Promise<void>;
  /** Ends the broker and starts another one on the same store. */
  readonly restart: (changes?: Partial<BrokerConfig>) => Promise<void>;
  readonly close: () => Promise<void>;
};

export type TestBrokerOptions = {
  readonly config?: Partial<BrokerConfig>;
  readonly connectors?: readonly Connector[];
  /** Which stand-ins to start; default all. */
  readonly emulators?: readonly string[];
};

/** A whole broker on a free port with a store and stand-ins of its own, and a clock that tests move. */
export async function createTestBroker(options: TestBrokerOptions = {}): Promise<TestBroker> {
  const folder = await mkdtemp(join(tmpdir(), "keyloan-broker-"));
  const standIns = await startStandIns(join(folder, "providers"), options.emulators);
  const { emulators } = standIns;
  const adminToken = newTokenBody("admin", randomBytes);
  const logs: string[] = [];
  let offsetMs = 0;
  const rootKey = createRootKey(randomBytes).line;
  let config: BrokerConfig = {
    ...withDefaults({ dataDirectory: join(folder, "data"), rootKey, adminToken: Secret.of(adminToken) }),
    // What would hold a test up, or do something by itself while it looks.
    ...{ port: 0, rateLimitPerSecond: 0, issueDeadlineSeconds: 10, shutdownSeconds: 2, logLevel: "debug" },
    ...{ orgKeyCheckHours: 0, orgKeyMaxDays: 0, archiveAfterDays: 0, reconcileHours: 0 },
    allowPrivateAddresses: true,
    providerUrls: Object.fromEntries([...emulators].map(([id, { baseUrl }]) => [id, baseUrl])),
    ...options.config,
  };
  // Without what providers document of their limits: five calls a second hold a test up.
  const connectors = options.connectors ?? allConnectors.map(({ callBudget: _, ...rest }) => rest);
  let stoppedAt: number | undefined;
  const now = () => (stoppedAt ?? Date.now()) + offsetMs;
  const logger = collectingLogger(logs);
  const start = () => startBroker(config, { connectors, now, logger, pace: 0.1 });
  if (options.config?.dataDirectory === undefined) await copyEmptyStore(config.dataDirectory);
  let running = await start();
  const others: RunningBroker[] = [];
  const url = () => `http://127.0.0.1:${running.port}`;

  const call: TestBroker["call"] = async (method, path, { token = adminToken, body, headers = {} } = {}) => {
    const response = await fetch(url() + path, {
      method,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: parse(text) };
  };
  const expectStatus = async (answer: Promise<Answer>, ...statuses: number[]): Promise<Answer> => {
    const got = await answer;
    if (!statuses.includes(got.status))
      throw new Error(`expected ${statuses.join(" or ")}: ${got.status} ${got.text}`);
    return got;
  };

  const startAgain = async (changes: Partial<BrokerConfig> = {}) => {
    config = { ...config, ...changes };
    running = await start();
  };

  return {
    get url() {
      return url();
    },
    adminToken,
    emulators,
    get config() {
      return config;
    },
    dataDirectory: config.dataDirectory,
    logs,
    running: () => running,
    advance: (ms) => {
      offsetMs += ms;
    },
    stopClock: () => {
      stoppedAt ??= Date.now();
    },
    now,
    call,
    putOrgKeys: async (...connectorIds) => {
      for (const [id, fields] of Object.entries(standIns.orgKeys)) {
        if (connectorIds.length > 0 && !connectorIds.includes(id)) continue;
        await expectStatus(call("PUT", `/v1/org-keys/${id}`, { body: { fields } }), 200);
      }
    },
    createBuild: async (body = {}) => {
      const answer = await expectStatus(
        call("POST", "/v1/builds", { body: { name: "test app", ...body } }),
        201,
        202,
      );
      return answer.body as BuildView;
    },
    createBuildToken: async (buildId, body = {}) => {
      const answer = await expectStatus(call("POST", `/v1/builds/${buildId}/tokens`, { body }), 201);
      return (answer.body as { token: string }).token;
    },
    readEnv: async (buildId, token = adminToken) => {
      const answer = await expectStatus(call("GET", `/v1/builds/${buildId}/env`, { token }), 200);
      return answer.body as Record<string, string>;
    },
    runWork: async (name) => {
      const work = scheduledWork.find((each) => each.name === name);
      if (work === undefined) throw new Error(`there is no work ${name}`);
      await work.run(running.deps, new AbortController().signal);
    },
    startAnother: async () => {
      const another = await start();
      others.push(another);
      return another;
    },
    putBack: async (copy, changes) => {
      await running.stop();
      const file = join(config.dataDirectory, "keyloan.db");
      for (const suffix of ["", "-wal", "-shm"]) await rm(file + suffix, { force: true });
      await copyFile(copy, file);
      await startAgain(changes);
    },
    restart: async (changes) => {
      await running.stop();
      await startAgain(changes);
    },
    close: async () => {
      await Promise.all([running, ...others].map((each) => each.stop()));
      await standIns.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function collectingLogger(lines: string[]): Logger {
  const write = (...parts: unknown[]) => void lines.push(JSON.stringify(parts));
  return { debug: write, info: write, warn: write, error: write };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
