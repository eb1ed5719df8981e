import { must, mustAnswer, type Scenario } from "../scenario.ts";
import { buildState, buildWithOwnKeys, ownValue, readEnv, settingsOf, swap } from "../steps.ts";

const connectors = ["turso", "clerk", "stripe"];

export const swapKeys: Scenario = {
  name: "swap",
  setUp: (run) => buildWithOwnKeys(run, connectors),
  act: swap,
  expect: async (run, facts) => {
    const { bindings } = await settingsOf(run, facts.page ?? {});
    must(
      bindings.every(({ source }) => source === "user"),
      "some bindings are not swapped",
    );
    const env = await readEnv(run, facts.buildId);
    must(env.TURSO_AUTH_TOKEN === ownValue(facts, "TURSO_AUTH_TOKEN"), "the env is not the user's");
  },
};

export const revert: Scenario = {
  name: "revert",
  setUp: async (run) => {
    const facts = await buildWithOwnKeys(run, connectors);
    await swap(run, facts);
    return facts;
  },
  act: async (run, facts) => {
    const page = facts.page ?? {};
    const { version, bindings } = await settingsOf(run, page);
    if (bindings.every(({ source }) => source === "org")) return;
    mustAnswer(
      await run.call("POST", "/v1/settings/revert", { expectedVersion: version }, page),
      [200],
      "it is not reverted",
    );
  },
  expect: async (run, facts) => {
    const { bindings } = await settingsOf(run, facts.page ?? {});
    must(
      bindings.every(({ source }) => source === "org"),
      "some bindings are not reverted",
    );
    const env = await readEnv(run, facts.buildId);
    must(env.TURSO_DATABASE_URL === facts.values.TURSO_DATABASE_URL, "the env is not what was lent");
  },
};

export const finish: Scenario = {
  name: "finish",
  setUp: async (run) => {
    const facts = await buildWithOwnKeys(run, connectors);
    await swap(run, facts);
    return facts;
  },
  act: async (run, facts) => {
    const page = facts.page ?? {};
    const { version } = await settingsOf(run, page);
    if (buildState(run, facts.buildId) === "handed_off") return;
    mustAnswer(
      await run.call("POST", "/v1/settings/finish", { expectedVersion: version }, page),
      [200],
      "it is not finished",
    );
  },
  expect: async (run, facts) => {
    must(
      buildState(run, facts.buildId) === "handed_off",
      `the build is ${buildState(run, facts.buildId)}, not handed off`,
    );
  },
};
