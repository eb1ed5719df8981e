import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type ApiAnswer, callApi } from "@keyloan/test-kit";
import { type BrokerProcess, startBrokerProcess } from "./broker-process.ts";
import { settle } from "./settle.ts";
import type { World } from "./world.ts";

/** One store with one or two brokers on it, and what a scenario does with them. */
export type Run = {
  readonly world: World;
  readonly folder: string;
  /** The broker that clients talk to now. */
  readonly broker: () => BrokerProcess;
  /** As the admin. @throws Error when no broker answers */
  readonly call: (method: string, path: string, body?: unknown, headers?: Headers_) => Promise<Answer>;
  /** Rows of the store as they are committed. */
  readonly rows: <Row>(sql: string, ...values: readonly string[]) => readonly Row[];
  /** Milliseconds since the epoch by the brokers' clock. */
  readonly now: () => number;
  readonly advance: (ms: number) => Promise<void>;
  /** Resolves when nothing is left to be done. @throws Error with what is left after its time */
  readonly settle: () => Promise<void>;
  /** Takes over from a killed broker: the second one of the store, or a new one. */
  readonly takeOver: () => Promise<void>;
  /** Whether a worker held jobs when its broker was killed. */
  readonly isDead: (workerId: string) => boolean;
  /** Everything that any broker of this run has written. */
  readonly output: () => string;
  readonly end: () => Promise<void>;
};

type Headers_ = Readonly<Record<string, string>>;
export type Answer = ApiAnswer & { readonly headers: Headers };

/** Starts the brokers on a fresh copy of the prepared store. */
export async function startRun(world: World, folder: string, brokers: 1 | 2): Promise<Run> {
  const data = join(folder, "data");
  await world.copyStore(data);
  const environment = { ...world.environment, KEYLOAN_DATA_DIR: data };
  let offsetMs = 0;
  const started: BrokerProcess[] = [];
  const start = async () => {
    const broker = await startBrokerProcess(world.built, environment);
    started.push(broker);
    if (offsetMs > 0) await broker.advance(offsetMs);
    return broker;
  };
  const dead = new Set<string>();
  let current = await start();
  let spare = brokers === 2 ? await start() : undefined;
  const database = new DatabaseSync(join(data, "keyloan.db"), { readOnly: true });

  const run: Run = {
    world,
    folder,
    broker: () => current,
    call: (method, path, body, headers = {}) =>
      call(current.url, world.adminToken, method, path, body, headers),
    // Holds as far as each caller names the columns it selects.
    rows: <Row>(sql: string, ...values: readonly string[]) => database.prepare(sql).all(...values) as Row[],
    now: () => Date.now() + offsetMs,
    advance: async (ms) => {
      offsetMs += ms;
      for (const broker of started) if (broker.alive()) await broker.advance(ms);
    },
    settle: () => settle(run),
    takeOver: async () => {
      const held = "SELECT DISTINCT locked_by FROM jobs WHERE locked_by IS NOT NULL AND state = 'waiting'";
      for (const { locked_by } of run.rows<{ locked_by: string }>(held)) dead.add(locked_by);
      current = spare ?? (await start());
      spare = undefined;
    },
    isDead: (workerId) => dead.has(workerId),
    output: () => started.map((broker) => broker.output()).join(""),
    end: async () => {
      database.close();
      for (const broker of started) if (broker.alive()) await broker.kill();
    },
  };
  return run;
}

async function call(
  url: string,
  token: string,
  method: string,
  path: string,
  body: unknown,
  headers: Headers_,
): Promise<Answer> {
  if (headers.cookie === undefined && Object.keys(headers).length === 0) {
    return { ...(await callApi({ url, adminToken: token }, method, path, body)), headers: new Headers() };
  }
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(headers["x-keyloan-session"] === undefined ? { authorization: `Bearer ${token}` } : {}),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
  return { status: response.status, body: isJson ? JSON.parse(text) : text, headers: response.headers };
}
