import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { KeyloanError, verifyReceipt } from "@keyloan/sdk";
import type { HandoffStage } from "../handoff/play-handoff.ts";
import { visitOverHttp } from "../handoff/visit-over-http.ts";
import type { DemoBuild } from "../play-demo.ts";
import { must } from "../steps.ts";
import { databaseOf, isRefused, tryDatabase } from "../try-database.ts";
import { storageOf } from "../try-storage.ts";
import { describeRows, readRows, writeRows } from "./read-rows.ts";

const pollMs = 100;
const settleMsMax = 60_000;
const file = "demo/hello.txt";

/** A build's data is put away and brought back, then moved to its user and proven there. */
export async function playData(stage: HandoffStage, build: DemoBuild): Promise<void> {
  const { step } = stage;
  const rows = await step(
    `${build.name}'s database is used`,
    async () => {
      const { prefix, put } = storageOf(build.env);
      must((await put(prefix + file)) === 200, "a file cannot be stored");
      await writeRows(build.env);
      return readRows(build.env);
    },
    describeRows,
  );
  must(
    Object.values(rows).some((count) => count > 0),
    "it holds nothing to be kept",
  );
  await archiveAndRestore(stage, build, rows);
  await moveToUser(stage, build, rows);
}

async function archiveAndRestore(
  { step, admin }: HandoffStage,
  { name, view, env, sandbox }: DemoBuild,
  rows: Readonly<Record<string, number>>,
): Promise<void> {
  const connector = await databaseConnector(admin, view.id);
  await step(
    `${name}'s database is archived: sealed, read back, loaded elsewhere and found to be the same`,
    async () => {
      await admin.databases.archive(view.id, connector);
      return until(async () => {
        const found = (await admin.databases.list(view.id)).databases.find(
          ({ state }) => state === "archived",
        );
        return found?.archives.find(
          ({ state, droppedAt }) => state === "verified" && droppedAt !== undefined,
        );
      });
    },
    ({ bytes = 0 }) => `${bytes} bytes`,
  );
  await step("only then the database is dropped, and its env says so", async () => {
    must(isRefused(await tryDatabase(databaseOf(env))), "the database still answers");
    const refused = await sandbox.builds.env(view.id).catch((error: unknown) => error);
    must(refused instanceof KeyloanError && refused.code === "database_archived", "the env is handed out");
  });
  await step(
    "restored: a new database, a new token, the same rows",
    async () => {
      await admin.databases.restore(view.id, connector);
      await until(async () => {
        const { databases } = await admin.databases.list(view.id);
        return databases.find(({ state }) => state === "active");
      });
      const restored = await admin.builds.env(view.id);
      must(databaseOf(restored).token !== databaseOf(env).token, "the token is the old one");
      const found = await readRows(restored);
      must(isDeepStrictEqual(found, rows), `it holds ${describeRows(found)}`);
      return found;
    },
    describeRows,
  );
}

async function databaseConnector(admin: HandoffStage["admin"], buildId: string): Promise<string> {
  const [database] = (await admin.databases.list(buildId)).databases;
  if (database === undefined) throw new Error("the build has no database");
  return database.connector;
}

async function moveToUser(
  { step, admin, running }: HandoffStage,
  { name, view }: DemoBuild,
  rows: Readonly<Record<string, number>>,
): Promise<void> {
  const visit = visitOverHttp(running.url);
  const own: Readonly<Record<string, string>> = await step("a person saves keys of their own", async () => {
    const envs = await running.createUserEnvs();
    await visit.open((await admin.builds.createHandoff(view.id)).url);
    await visit.giveKeys(
      running.providers.flatMap(({ id, label }) =>
        envs[id] === undefined ? [] : [{ id, label, values: envs[id] }],
      ),
    );
    return Object.assign({}, ...Object.values(envs));
  });
  await step(
    "transfer: no token can begin it; when the person asks, the data is frozen, copied and proven equal",
    async () => {
      const refused = await admin.transfers.start(view.id).catch((error: unknown) => error);
      must(
        refused instanceof KeyloanError && refused.code === "person_decides",
        "a token may move a person's data",
      );
      await visit.moveData();
      await until(async () => {
        const moved = (await admin.transfers.list(view.id)).movable.map(({ transfer }) => transfer);
        const failed = moved.find((transfer) => transfer?.state === "failed");
        must(failed === undefined, failed?.error?.message ?? "it failed");
        return moved.every((transfer) => transfer?.state === "copied") ? moved : undefined;
      });
      return verifiedReceipts(admin, view.id);
    },
    (told) => told.join(", "),
  );
  await step(`swap: ${name} finds its data in the person's accounts`, async () => {
    await visit.swap();
    const env = await admin.builds.env(view.id);
    must(env.TURSO_DATABASE_URL === own.TURSO_DATABASE_URL, "the env is not the person's");
    const found = await readRows(env);
    must(isDeepStrictEqual(found, rows), `the person's database holds ${describeRows(found)}`);
    const { prefix, get } = storageOf(env);
    must((await get(prefix + file)) === 200, "the file is not in the person's bucket");
  });
}

/** Every receipt, checked with the broker's public keys; what each tells, in a few words. */
async function verifiedReceipts(admin: HandoffStage["admin"], buildId: string): Promise<readonly string[]> {
  const { keys } = await admin.transfers.signingKeys();
  const { receipts } = await admin.transfers.receipts(buildId);
  must(receipts.length > 0, "there is no receipt");
  return receipts.map(({ receipt, content }) => {
    must(verifyReceipt(receipt, keys) !== undefined, "a receipt's signature is wrong");
    const { database, storage } = content;
    return database === undefined
      ? `${storage?.objects ?? 0} files with a signed receipt`
      : `${database.rows} rows with a signed receipt`;
  });
}

/** @throws Error when the answer does not come in time */
async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (const end = performance.now() + settleMsMax; performance.now() < end; ) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await delay(pollMs);
  }
  throw new Error("it does not come to its end in time");
}
