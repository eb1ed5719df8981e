import { randomUUID } from "node:crypto";
import { connectors } from "../../../packages/connectors/src/index.ts";
import type { Run } from "../run.ts";
import { type Facts, must, mustAnswer, type Scenario } from "../scenario.ts";
import { runSql } from "../sql.ts";
import { buildState, readEnv, readyBuild } from "../steps.ts";

/** Every connector that can be lent here. */
const everything = (run: Run) =>
  connectors
    .map(({ spec: { id, orgFields } }) => ({ id, isFree: orgFields.length === 0 }))
    .filter(({ id, isFree }) => isFree || run.world.standIns.emulators.has(id))
    .map(({ id }) => id);

/** A build is made once, and ready. */
export const issue: Scenario = {
  name: "issue",
  setUp: async () => ({ buildId: "", key: randomUUID(), values: {} }),
  act: async (run, facts) => {
    const body = { name: "fault", connectors: everything(run) };
    const answer = await run.call("POST", "/v1/builds", body, { "idempotency-key": facts.key });
    mustAnswer(answer, [201, 202], "the build cannot be made");
  },
  expect: async (run) => {
    const builds = run.rows<{ id: string; state: string }>("SELECT id, state FROM builds");
    must(builds.length === 1, `there are ${builds.length} builds, not one`);
    const [build] = builds;
    must(build?.state === "ready", `the build is ${build?.state}, not ready`);
    const env = await readEnv(run, build.id);
    must(Object.keys(env).length > 10, "the env is incomplete");
  },
};

export const renew: Scenario = {
  name: "renew",
  setUp: (run) => readyBuild(run, ["turso", "r2", "app-secrets"]),
  act: async (run, facts) =>
    mustAnswer(
      await run.call("POST", `/v1/builds/${facts.buildId}/renew`, { ttlSeconds: 172_800 }),
      [200],
      "it is not renewed",
    ),
  expect: async (run, facts) => {
    must(buildState(run, facts.buildId) === "ready", "the build is not ready");
    const leases = run.rows<{ expires_at: number }>("SELECT expires_at FROM leases");
    const [build] = run.rows<{ expires_at: number }>("SELECT expires_at FROM builds");
    must(
      leases.every(({ expires_at }) => expires_at === build?.expires_at),
      "some leases end at another time than their build",
    );
    must((build?.expires_at ?? 0) > run.now() + 86_400_000, "the build is not renewed");
    await databaseServes(await readEnv(run, facts.buildId));
  },
};

export const close: Scenario = {
  name: "close",
  setUp: (run) => readyBuild(run, everything(run)),
  act: async (run, facts) =>
    mustAnswer(await run.call("DELETE", `/v1/builds/${facts.buildId}`), [200, 202], "it is not closed"),
  expect: async (run, facts) => {
    must(buildState(run, facts.buildId) === "closed", `the build is ${buildState(run, facts.buildId)}`);
    const keys = run.rows("SELECT id FROM data_keys WHERE owner_id = ?", facts.buildId);
    must(keys.length === 0, "the data key of a closed build is there");
    must(!(await serves(facts.values)), "the database of a closed build serves");
  },
};

async function databaseServes(env: Facts["values"]): Promise<void> {
  must(await serves(env), "the database does not serve what the env says");
}

async function serves(env: Facts["values"]): Promise<boolean> {
  return (await runSql(env, "SELECT 1")) !== undefined;
}

/** One lease of a living build is ended; the rest of it goes on. */
export const revoke: Scenario = {
  name: "revoke",
  setUp: (run) => readyBuild(run, ["turso", "r2", "app-secrets"]),
  act: async (run) => {
    const [lease] = run.rows<{ id: string }>("SELECT id FROM leases WHERE connector_id = 'turso'");
    const answer = await run.call("DELETE", `/v1/leases/${lease?.id}`);
    mustAnswer(answer, [200, 202], "the lease is not revoked");
  },
  expect: async (run, facts) => {
    const states = run.rows<{ state: string }>("SELECT state FROM leases ORDER BY connector_id");
    must(
      states.map(({ state }) => state).join() === "active,active,released",
      `the leases are ${states.map(({ state }) => state).join()}`,
    );
    must(!(await serves(facts.values)), "the database of a revoked lease serves");
  },
};
