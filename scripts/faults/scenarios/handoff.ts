import { must, mustAnswer, type Scenario } from "../scenario.ts";
import {
  buildState,
  buildWithOwnKeys,
  openPage,
  ownValue,
  readEnv,
  readyBuild,
  settingsOf,
  swap,
} from "../steps.ts";

const connectors = ["turso", "clerk", "stripe"];

const notOwned =
  "SELECT id FROM user_keys WHERE person_id IS NULL OR person_id NOT IN (SELECT id FROM persons)";
const livePerson = "SELECT id FROM persons WHERE build_id = ? AND ended_at IS NULL";

export const firstSave: Scenario = {
  name: "first-save",
  setUp: async (run) => {
    const facts = await readyBuild(run, ["app-secrets"]);
    return { ...facts, page: await openPage(run, facts.buildId) };
  },
  act: async (run, facts) => {
    const page = facts.page ?? {};
    const { version } = await settingsOf(run, page);
    if (version > 0) return;
    const body = { submission: { values: {} }, expectedVersion: version };
    mustAnswer(await run.call("PUT", "/v1/settings/keys/app-secrets", body, page), [200], "nothing is saved");
  },
  expect: async (run, facts) => {
    must(run.rows(livePerson, facts.buildId).length === 1, "the build has not exactly one person");
    must(run.rows(notOwned).length === 0, "something saved belongs to nobody");
    const { person } = await settingsOf(run, facts.page ?? {});
    must(person.standing === "you", `who saved is ${person.standing}`);
  },
};

export const startOver: Scenario = {
  name: "start-over",
  setUp: async (run) => {
    const facts = await buildWithOwnKeys(run, ["clerk"]);
    await run.advance(25 * 3_600_000);
    return { ...facts, page: await openPage(run, facts.buildId) };
  },
  act: async (run, facts) => {
    const page = facts.page ?? {};
    if ((await settingsOf(run, page)).person.standing === "none") return;
    mustAnswer(await run.call("POST", "/v1/settings/start-over", {}, page), [200], "it is not started over");
  },
  expect: async (run, facts) => {
    // A kill between asking and doing leaves it due: the next minute does it.
    await run.advance(61_000);
    await run.settle();
    must(run.rows(livePerson, facts.buildId).length === 0, "the person before is still there");
    const left = run.rows("SELECT id FROM user_keys WHERE build_id = ?", facts.buildId);
    must(left.length === 0, "what the person before saved is still there");
    const { person } = await settingsOf(run, facts.page ?? {});
    must(person.standing === "none", `who starts over is ${person.standing}`);
  },
};

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
