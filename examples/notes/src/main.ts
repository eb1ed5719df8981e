import { once } from "node:events";
import { createAdaptorServer } from "@hono/node-server";
import { createApp } from "./app.ts";
import { openDatabase } from "./database/open-database.ts";
import { type Env, parseEnv } from "./env.ts";
import { failureReason } from "./failure.ts";
import { type Check, rememberSuccess, runChecks } from "./health.ts";
import { createAuthCheck } from "./services/auth.ts";
import { createPriceReader } from "./services/payments.ts";
import { createStorage } from "./services/storage.ts";

const drainMs = 5_000;
const providerCheckMs = 30_000;

async function main(): Promise<void> {
  const parsed = parseEnv();
  if (!parsed.ok) return fail("the environment is not complete", parsed.problems);
  const { env } = parsed;

  const database = await openDatabase(env.database).catch((error: unknown) => {
    fail("cannot open and migrate the database", [`TURSO_DATABASE_URL: it ${failureReason(error)}`]);
  });
  if (database === undefined) return;
  const storage = createStorage(env.storage);
  const readPrice = createPriceReader(env.stripe);
  const checks = createChecks(env, { database, storage, readPrice });

  const { services } = await runChecks(checks);
  for (const [name, result] of Object.entries(services)) {
    console.log(`${name}: ${result.ok ? `ok, ${result.detail}` : `NOT WORKING, it ${result.reason}`}`);
  }
  const app = createApp({
    secrets: env,
    db: database.db,
    storage,
    readPrice,
    checks,
    now: Date.now,
    log: (line) => console.error(line),
  });
  await serve(app.fetch, env.port, () => {
    storage.close();
    database.close();
  });
}

type Services = {
  readonly database: Pick<Awaited<ReturnType<typeof openDatabase>>, "check">;
  readonly storage: Pick<ReturnType<typeof createStorage>, "check">;
  readonly readPrice: ReturnType<typeof createPriceReader>;
};

function createChecks(env: Env, { database, storage, readPrice }: Services): Record<string, Check> {
  const countUsers = createAuthCheck(env.clerk);
  return {
    database: async () => {
      await database.check();
      return "it answers queries";
    },
    storage: async () => {
      await storage.check();
      return "the key reaches its prefix";
    },
    auth: rememberSuccess(async () => `${await countUsers()} users`, providerCheckMs, Date.now),
    payments: rememberSuccess(
      async () => {
        const { unitAmount, currency } = await readPrice();
        return `the price is ${unitAmount ?? "tiered"} ${currency}`;
      },
      providerCheckMs,
      Date.now,
    ),
  };
}

async function serve(
  fetch: (request: Request) => Response | Promise<Response>,
  port: number,
  release: () => void,
): Promise<void> {
  const server = createAdaptorServer({ fetch });
  server.listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch (error) {
    release();
    return fail(`cannot listen on port ${port}`, [`PORT: ${failureReason(error)}`]);
  }
  const address = server.address();
  console.log(`listening on http://127.0.0.1:${typeof address === "object" ? address?.port : address}`);

  const stop = (): void => {
    // Idle keep-alive connections close at once; running requests get some time, then are cut.
    server.close(() => release());
    if ("closeIdleConnections" in server) {
      server.closeIdleConnections();
      setTimeout(() => server.closeAllConnections(), drainMs).unref();
    }
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
}

function fail(headline: string, problems: readonly string[]): void {
  console.error([`notes: ${headline}`, ...problems.map((problem) => `  - ${problem}`)].join("\n"));
  process.exitCode = 1;
}

await main();
