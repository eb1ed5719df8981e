import { randomUUID } from "node:crypto";
import type { Run } from "./run.ts";
import { type Facts, must, mustAnswer } from "./scenario.ts";

type BuildAnswer = { readonly id: string; readonly state: string };

/** A ready build with these connectors. */
export async function readyBuild(run: Run, connectors: readonly string[]): Promise<Facts> {
  const made = await run.call("POST", "/v1/builds", { name: "fault", connectors, ttlSeconds: 86_400 });
  mustAnswer(made, [201], "the build is not ready");
  const { id: buildId } = made.body as BuildAnswer;
  return { buildId, key: randomUUID(), values: await readEnv(run, buildId) };
}

export async function readEnv(run: Run, buildId: string): Promise<Record<string, string>> {
  const answer = await run.call("GET", `/v1/builds/${buildId}/env`);
  mustAnswer(answer, [200], "the env cannot be read");
  return answer.body as Record<string, string>;
}

/** Opens the settings page of a build with a new link. */
export async function openPage(run: Run, buildId: string): Promise<Readonly<Record<string, string>>> {
  const link = await run.call("POST", `/v1/builds/${buildId}/handoff`, {});
  mustAnswer(link, [201], "no link");
  const code = new URL((link.body as { url: string }).url).hash.replace("#code=", "");
  const opened = await run.call("POST", "/v1/session", { code }, { "x-keyloan-session": "1" });
  mustAnswer(opened, [201], "no session");
  const cookie = opened.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  return { "x-keyloan-session": "1", "x-keyloan-build": buildId, cookie };
}

export async function settingsOf(
  run: Run,
  page: Readonly<Record<string, string>>,
): Promise<{
  readonly version: number;
  readonly bindings: readonly { connector: string; source: string }[];
  readonly person: { readonly standing: string };
}> {
  const answer = await run.call("GET", "/v1/settings", undefined, page);
  mustAnswer(answer, [200], "the settings cannot be read");
  return answer.body as Awaited<ReturnType<typeof settingsOf>>;
}

/** A ready build whose user has saved keys of their own for every connector. */
export async function buildWithOwnKeys(run: Run, connectors: readonly string[]): Promise<Facts> {
  const facts = await readyBuild(run, connectors);
  const page = await openPage(run, facts.buildId);
  const own: Record<string, string> = {};
  for (const connector of connectors) {
    const emulator = run.world.standIns.emulators.get(connector);
    must(emulator !== undefined, `${connector} has no stand-in`);
    const values = await emulator.createUserEnv();
    Object.assign(own, values);
    const { version } = await settingsOf(run, page);
    const body = { submission: { values }, expectedVersion: version };
    mustAnswer(
      await run.call("PUT", `/v1/settings/keys/${connector}`, body, page),
      [200],
      "keys are not saved",
    );
  }
  return { ...facts, page, values: { ...facts.values, ...prefixed(own) } };
}

// Under names of their own, so that what is lent and what is the user's are both known.
const prefixed = (values: Record<string, string>) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`own ${name}`, value]));

export const ownValue = (facts: Facts, name: string) => facts.values[`own ${name}`];

/** Asks for the swap until it is done: an answer that never came may have been one. */
export async function swap(run: Run, facts: Facts): Promise<void> {
  const page = facts.page ?? {};
  for (let tries = 3; ; tries--) {
    const { version, bindings } = await settingsOf(run, page);
    if (bindings.every(({ source }) => source === "user")) return;
    // The env that is read afterwards is to hold the user's values.
    const preview = Object.fromEntries(bindings.map(({ connector }) => [connector, true]));
    const body = { preview, expectedVersion: version };
    const answer = await run.call("POST", "/v1/settings/swap", body, page);
    // Somebody else's step came between reading and asking; a page reads again.
    if (tries > 0 && isSettingsChanged(answer.body)) continue;
    return mustAnswer(answer, [200], "the swap fails");
  }
}

function isSettingsChanged(body: unknown): boolean {
  return JSON.stringify(body).includes('"settings_changed"');
}

export function buildState(run: Run, buildId: string): string {
  return run.rows<{ state: string }>("SELECT state FROM builds WHERE id = ?", buildId)[0]?.state ?? "absent";
}
