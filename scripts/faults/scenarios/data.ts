import type { Run } from "../run.ts";
import { type Facts, must, mustAnswer, type Scenario } from "../scenario.ts";
import { runSql, sampleCount, sampleStatements } from "../sql.ts";
import { buildWithOwnKeys, ownValue, readEnv, readyBuild, swap } from "../steps.ts";

const rowsOf = async (env: Facts["values"]) => (await runSql(env, sampleCount))?.[0]?.join();

async function fill(facts: Facts): Promise<Facts> {
  must((await runSql(facts.values, ...sampleStatements)) !== undefined, "nothing can be written");
  const rows = (await rowsOf(facts.values)) ?? "none";
  return { ...facts, values: { ...facts.values, "sample rows": rows } };
}

const ownDatabase = (facts: Facts) => ({
  TURSO_DATABASE_URL: ownValue(facts, "TURSO_DATABASE_URL") ?? "",
  TURSO_AUTH_TOKEN: ownValue(facts, "TURSO_AUTH_TOKEN") ?? "",
});

/** The user's data is copied to what is theirs, and then in use there. */
export const transfer: Scenario = {
  name: "transfer",
  setUp: async (run) => fill(await buildWithOwnKeys(run, ["turso"])),
  act: async (run, facts) => {
    await run.settle();
    if (transferState(run) === "switched") return;
    if (transferState(run) !== "copied") {
      const body = { connectors: ["turso"], overwrite: true };
      const begun = await run.call("POST", "/v1/settings/transfer", body, facts.page ?? {});
      mustAnswer(begun, [200, 201, 202], "the transfer is not begun");
      await run.settle();
    }
    await swap(run, facts);
  },
  expect: async (run, facts) => {
    must(transferState(run) === "switched", `the transfer is ${transferState(run)}, not switched`);
    must((await runSql(ownDatabase(facts), notes)) === undefined, "notes about the copy are left");
    const env = await readEnv(run, facts.buildId);
    must(env.TURSO_AUTH_TOKEN === ownValue(facts, "TURSO_AUTH_TOKEN"), "the env is not the user's");
    must(
      (await rowsOf(ownDatabase(facts))) === facts.values["sample rows"],
      "the user's database lacks rows",
    );
    must((await rowsOf(facts.values)) === facts.values["sample rows"], "the source is gone before its time");
    must(
      (await runSql(facts.values, "DELETE FROM notes")) === undefined,
      "the source can be written while it is kept",
    );
  },
};

/** A transfer that is given up leaves the source as it was, and nothing in the target. */
export const cancelTransfer: Scenario = {
  name: "cancel-transfer",
  setUp: async (run) => {
    const facts = await fill(await buildWithOwnKeys(run, ["turso"]));
    const body = { connectors: ["turso"] };
    const begun = await run.call("POST", "/v1/settings/transfer", body, facts.page ?? {});
    mustAnswer(begun, [200, 201, 202], "not begun");
    return facts;
  },
  act: async (run, facts) => {
    if (transferState(run) === "cancelled") return;
    const answer = await run.call("POST", "/v1/settings/transfer/cancel", {}, facts.page ?? {});
    mustAnswer(answer, [200, 202], "the transfer is not cancelled");
  },
  expect: async (run, facts) => {
    must(transferState(run) === "cancelled", `the transfer is ${transferState(run)}, not cancelled`);
    must((await rowsOf(facts.values)) === facts.values["sample rows"], "the source lacks rows");
    must(
      (await runSql(facts.values, "INSERT INTO notes VALUES (500, 'new', 0, NULL)")) !== undefined,
      "the source takes no writes",
    );
    must((await runSql(ownDatabase(facts), "SELECT * FROM notes")) === undefined, "a half copy is left");
    must((await runSql(ownDatabase(facts), notes)) === undefined, "notes about a half copy are left");
  },
};

/** What a load writes into the user's database until the copy is proven or taken back. */
const notes = "SELECT * FROM _keyloan_load_journal";

function transferState(run: Run): string {
  const [row] = run.rows<{ state: string }>("SELECT state FROM transfers ORDER BY created_at DESC");
  return row?.state ?? "absent";
}

/** An idle database is put away, proven, and only then dropped. */
export const archive: Scenario = {
  name: "archive",
  setUp: async (run) => fill(await readyBuild(run, ["turso", "app-secrets"])),
  act: askToArchive,
  expect: async (run, facts) => {
    must(leaseStates(run).join() === "archived", `the lease is ${leaseStates(run).join()}`);
    must((await runSql(facts.values, "SELECT 1")) === undefined, "the archived database serves");
    const verified = run.rows("SELECT id FROM archives WHERE state = 'verified'");
    must(verified.length === 1, `${verified.length} archives are verified`);
  },
};

/** What was put away comes back whole, in a new database with a new token. */
export const restore: Scenario = {
  name: "restore",
  setUp: async (run) => {
    const facts = await fill(await readyBuild(run, ["turso", "app-secrets"]));
    await askToArchive(run, facts);
    await run.settle();
    must(leaseStates(run).join() === "archived", "it is not archived");
    return facts;
  },
  act: async (run, facts) => {
    if (leaseStates(run).includes("active")) return;
    const answer = await run.call("POST", `/v1/builds/${facts.buildId}/databases/turso/restore`);
    mustAnswer(answer, [200, 201, 202, 409], "it is not restored");
  },
  expect: async (run, facts) => {
    must(leaseStates(run).filter((state) => state === "active").length === 1, leaseStates(run).join());
    const env = await readEnv(run, facts.buildId);
    must(env.TURSO_AUTH_TOKEN !== facts.values.TURSO_AUTH_TOKEN, "the token is the old one");
    must((await rowsOf(env)) === facts.values["sample rows"], "rows are missing");
  },
};

async function askToArchive(run: Run, facts: Facts): Promise<void> {
  if (leaseStates(run).includes("archived")) return;
  const answer = await run.call("POST", `/v1/builds/${facts.buildId}/databases/turso/archive`);
  mustAnswer(answer, [200, 201, 202, 409], "it is not archived");
}

function leaseStates(run: Run): string[] {
  return run
    .rows<{ state: string }>("SELECT state FROM leases WHERE connector_id = 'turso' ORDER BY created_at")
    .map(({ state }) => state);
}
