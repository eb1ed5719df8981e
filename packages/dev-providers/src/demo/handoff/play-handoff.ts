import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { parseEnv } from "node:util";
import type { Client } from "@keyloan/sdk";
import type { RunningKeyloan } from "../../start/launcher.ts";
import { startOwnExampleApp, useExampleApp } from "../example-app.ts";
import type { DemoBuild } from "../play-demo.ts";
import { must, type Step } from "../steps.ts";
import { differing, pick, proveSealedAtRest } from "./prove-own.ts";
import { startChromium } from "./start-chromium.ts";
import type { OwnKeys, Visit } from "./visit.ts";
import { visitInBrowser } from "./visit-in-browser.ts";
import { visitOverHttp } from "./visit-over-http.ts";

export type HandoffStage = {
  readonly step: Step;
  readonly running: RunningKeyloan;
  readonly admin: Client;
  /** The demo's own folder, gone at its end. */
  readonly homePath: string;
  /** A browser to run; without one the page's calls are made over HTTP. */
  readonly chromium: string | undefined;
  readonly onCleanUp: (stop: () => Promise<void>) => void;
};

/** Where the stand-ins are: accounts at the real services need none of these. */
const standInAddresses = new Set(["CLERK_API_URL", "STRIPE_API_URL"]);
const mistyped = "STRIPE_SECRET_KEY";

/** What the person who gets a build does with its link: own keys in, everything lent out, one file away. */
export async function playHandoff(stage: HandoffStage, build: DemoBuild): Promise<void> {
  const { step, admin } = stage;
  const secretNames = await readSecretNames(admin);
  const keys = await step(
    "a person has accounts of their own",
    () => readOwnKeys(stage),
    (own) => own.map(({ label }) => label).join(", "),
  );
  const visit = await openVisit(stage, build);
  // The link renewed what was lent, so that it outlives the link.
  const renewed = { ...build, env: await admin.builds.env(build.view.id) };
  await giveKeys(step, visit, renewed, keys);
  await swapBackAndForth(stage, visit, renewed, keys);
  const file = join(stage.homePath, "handoff", ".env.production");
  const own = await step(
    "the person's .env.production is downloaded",
    async () => {
      await visit.downloadTo(file);
      return readOwnFile(file, keys);
    },
    (values) => `${Object.keys(values).length} variables`,
  );
  await step("the handoff is finished", visit.finish);
  await runFromFile(stage, build, file);
  await proveOwn(stage, { build, lent: [build.env, renewed.env], file, own, secretNames });
}

async function readSecretNames(admin: Client): Promise<ReadonlySet<string>> {
  const { connectors } = await admin.catalog.get();
  return new Set(connectors.flatMap(({ env }) => env.filter(({ secret }) => secret).map(({ name }) => name)));
}

async function readOwnKeys({ running }: HandoffStage): Promise<readonly OwnKeys[]> {
  const envs = await running.createUserEnvs();
  return running.providers.flatMap(({ id, label }) => {
    const values = envs[id];
    return values === undefined ? [] : [{ id, label, values }];
  });
}

async function openVisit(stage: HandoffStage, build: DemoBuild): Promise<Visit> {
  const { step, admin, running, chromium, homePath, onCleanUp } = stage;
  const { url } = await step(`a link to ${build.name}'s settings page is made`, () =>
    admin.builds.createHandoff(build.view.id),
  );
  const folder = join(homePath, "handoff");
  await mkdir(folder, { recursive: true });
  if (chromium === undefined) {
    const visit = visitOverHttp(running.url);
    await step("the link opens over HTTP, in place of the page", () => visit.open(url));
    return visit;
  }
  return step("the link opens in Chromium", async () => {
    const page = await startChromium(chromium, join(folder, "chromium"), onCleanUp);
    const visit = visitInBrowser(page, build.name);
    await visit.open(url);
    return visit;
  });
}

async function giveKeys(step: Step, visit: Visit, build: DemoBuild, keys: readonly OwnKeys[]): Promise<void> {
  const right = keys.find(({ values }) => mistyped in values);
  if (right === undefined) throw new Error(`nobody has a ${mistyped}`);
  const quote = (words: string) => `"${words}"`;
  const { [mistyped]: key = "" } = right.values;
  const wrong = `${key.slice(0, -1)}${key.endsWith("A") ? "B" : "A"}`;
  await step(
    `a wrong ${mistyped} is refused`,
    () => visit.seeRefused({ ...right, values: { ...right.values, [mistyped]: wrong } }, "rejected"),
    quote,
  );
  const lent = pick(build.env, new Set(Object.keys(right.values)));
  await step(
    `the lent ${mistyped} is refused`,
    () => visit.seeRefused({ ...right, values: { ...right.values, ...lent } }, "ours"),
    quote,
  );
  await step(
    "the person's own keys work",
    () => visit.giveKeys(keys),
    () => `${keys.length} services`,
  );
  await step("all of them fit together", visit.check);
}

async function swapBackAndForth(
  { step, admin }: HandoffStage,
  visit: Visit,
  { name, view, env }: DemoBuild,
  keys: readonly OwnKeys[],
): Promise<void> {
  const own = Object.assign({}, ...keys.map(({ values }) => values));
  const lent = pick(env, new Set(Object.keys(own)));
  const mustBe = async (wanted: Readonly<Record<string, string>>) => {
    const wrong = differing(await admin.builds.env(view.id), wanted);
    must(wrong.length === 0, `${wrong.join(", ")} did not change`);
  };
  const swap = () => visit.swap().then(() => mustBe(own));
  await step(`swap: ${name} uses the person's keys, and so does its preview`, swap);
  await step("the person keeps them from the preview, which goes on with lent keys", () =>
    visit.keepFromPreview().then(() => mustBe(lent)),
  );
  await step(`revert: ${name} uses the lent keys again`, () => visit.revert().then(() => mustBe(lent)));
  await step(`swap again: ${name} uses the person's keys`, swap);
}

function readOwnFile(file: string, keys: readonly OwnKeys[]): Readonly<Record<string, string>> {
  const values = parseEnv(readFileSync(file, "utf8"));
  const given = Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  const wrong = keys.flatMap((key) => differing(given, key.values));
  must(wrong.length === 0, `${wrong.join(", ")} in it is not the person's`);
  return given;
}

async function runFromFile({ step, onCleanUp }: HandoffStage, build: DemoBuild, file: string): Promise<void> {
  const addresses = pick(build.env, standInAddresses);
  const app = await step(
    `the example app starts from that file alone, told only that ${Object.keys(addresses).join(" and ")} are stand-ins`,
    () => startOwnExampleApp(file, addresses),
    ({ url }) => url,
  );
  onCleanUp(app.stop);
  await step(
    "it works on the person's own resources",
    () => useExampleApp(app),
    (count) => `${count} checks`,
  );
}

async function proveOwn(
  { step, homePath }: HandoffStage,
  proof: {
    readonly build: DemoBuild;
    readonly lent: readonly Readonly<Record<string, string>>[];
    readonly file: string;
    readonly own: Readonly<Record<string, string>>;
    readonly secretNames: ReadonlySet<string>;
  },
): Promise<void> {
  const { build, file, own, secretNames } = proof;
  await step(
    "the file holds no secret that was lent",
    async () => {
      const lent = proof.lent.flatMap((env) => Object.entries(pick(env, secretNames)));
      const text = readFileSync(file, "utf8");
      const found = lent.filter(([, value]) => text.includes(value)).map(([name]) => name);
      must(
        lent.length > 0 && found.length === 0,
        `it holds ${found.join(", ") || "nothing to compare with"}`,
      );
      return lent.length;
    },
    (count) => `${count} compared`,
  );
  await step(
    "no secret of the person's stands in the clear in the broker's files or logs",
    async () => {
      const secrets = pick(own, secretNames);
      const folders = [join(homePath, "broker"), join(homePath, "logs")];
      const files = proveSealedAtRest(folders, secrets, build.view.id);
      return `${Object.keys(secrets).length} secrets, ${files} files`;
    },
    (told) => told,
  );
}
