import { must, mustAnswer, type Scenario } from "../scenario.ts";
import { runSql, sampleCount, sampleStatements } from "../sql.ts";
import { readEnv, readyBuild } from "../steps.ts";

/** The credentials of one database are ended and made anew; its content stays. */
export const rotateLease: Scenario = {
  name: "rotate-lease",
  setUp: async (run) => {
    const facts = await readyBuild(run, ["turso", "app-secrets"]);
    must((await runSql(facts.values, ...sampleStatements)) !== undefined, "nothing can be written");
    return facts;
  },
  act: async (run) => {
    const [lease] = run.rows<{ id: string }>("SELECT id FROM leases WHERE connector_id = 'turso'");
    const answer = await run.call("POST", `/v1/leases/${lease?.id}/rotation`, {});
    mustAnswer(answer, [200, 201, 202, 409], "the lease is not rotated");
  },
  expect: async (run, facts) => {
    const env = await readEnv(run, facts.buildId);
    must((await runSql(env, sampleCount))?.[0]?.[0] === "401", "the new token does not read the old rows");
    must((await runSql(facts.values, "SELECT 1")) === undefined, "the old token still works");
  },
};

/** The org's key is replaced while builds use it. */
export const rotateOrgKey: Scenario = {
  name: "rotate-org-key",
  setUp: (run) => readyBuild(run, ["stripe", "clerk", "turso"]),
  act: async (run) => {
    const fields = await newKey(run);
    mustAnswer(await run.call("PUT", "/v1/org-keys/stripe", { fields }), [200], "the key is not put");
  },
  expect: async (run, facts) => {
    const active = run.rows<{ version: number }>(
      "SELECT version FROM org_keys WHERE connector_id = 'stripe' AND state = 'active'",
    );
    must(active.length === 1, `${active.length} versions of the key are active`);
    const [lease] = run.rows<{ org_key_version: number; state: string }>(
      "SELECT org_key_version, state FROM leases WHERE connector_id = 'stripe'",
    );
    must(lease?.state === "active", "the lease does not go on");
    const env = await readEnv(run, facts.buildId);
    must(env.STRIPE_SECRET_KEY !== undefined, "the env lacks the key");
  },
};

// Another person's account at the stand-in is another key that it accepts.
async function newKey(run: Parameters<Scenario["act"]>[0]): Promise<Record<string, string>> {
  const emulator = run.world.standIns.emulators.get("stripe");
  must(emulator !== undefined, "stripe has no stand-in");
  const own = await emulator.createUserEnv({ mode: "test" });
  return { secretKey: own.STRIPE_SECRET_KEY ?? "", publishableKey: own.STRIPE_PUBLISHABLE_KEY ?? "" };
}

/** Data keys are wrapped anew; no value is touched. */
export const rotateRootKey: Scenario = {
  name: "rotate-root-key",
  setUp: (run) => readyBuild(run, ["app-secrets", "clerk"]),
  act: async (run) =>
    mustAnswer(await run.call("POST", "/v1/root-key/rewrap"), [200], "nothing is wrapped anew"),
  expect: async (run, facts) => {
    const env = await readEnv(run, facts.buildId);
    must(env.CLERK_SECRET_KEY === facts.values.CLERK_SECRET_KEY, "a value has changed");
  },
};
