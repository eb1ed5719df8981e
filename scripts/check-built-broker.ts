import { spawnSync } from "node:child_process";
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  type BrokerProcess,
  buildBroker,
  builtFolder,
  callApi,
  expectApi,
  newConfiguration,
  programIn,
  putOrgKeys,
  type StandIns,
  startBrokerProcess,
  startStandIns,
} from "@keyloan/test-kit";

const slowProviderMs = 1_500;
const drainSeconds = 8;
const stopMsMax = 2_000;

type Build = {
  readonly id: string;
  readonly state: string;
  readonly leases: readonly { connector: string }[];
};

/** Proves the built broker as it would be deployed: a copy outside the workspace, run from configuration alone. */
async function checkBuiltBroker(): Promise<void> {
  runBuild();
  const folder = await mkdtemp(join(tmpdir(), "keyloan-built-"));
  const standIns = await startStandIns(join(folder, "stand-ins"));
  try {
    const copy = join(folder, "broker");
    await cp(builtFolder, copy, { recursive: true });
    await mkdir(join(folder, "data"));
    const environment = { ...newConfiguration(join(folder, "data")), ...standIns.urls };
    await proveTheMainJob(copy, environment, standIns);
    await proveGracefulStop(copy, environment, standIns);
    proveHonestRefusal(copy, folder);
  } finally {
    await standIns.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function runBuild(): void {
  buildBroker();
  done("built the broker");
}

async function proveTheMainJob(
  copy: string,
  environment: Readonly<Record<string, string>>,
  standIns: StandIns,
): Promise<void> {
  const broker = await startBrokerProcess(programIn(copy), environment);
  await expectApi(200, broker, "GET", "/health/ready");
  const page = await fetch(`http://127.0.0.1:${broker.port}/settings`);
  expect(
    page.status === 200 && (await page.text()).includes("/settings/assets/"),
    "it serves no settings page",
  );
  const policy = page.headers.get("content-security-policy") ?? "";
  expect(
    /default-src 'none'/.test(policy) && !/unsafe-inline|https?:/.test(policy),
    `its policy is ${policy}`,
  );
  await putOrgKeys(broker, standIns.orgKeys);
  done(`started from configuration and accepted ${standIns.emulators.size} org keys`);
  const build = await expectApi<Build>(201, broker, "POST", "/v1/builds", { name: "built broker" });
  expect(build.state === "ready", `the build is ${build.state}`);
  const { token } = await expectApi<{ token: string }>(
    201,
    broker,
    "POST",
    `/v1/builds/${build.id}/tokens`,
    {},
  );
  const env = await expectApi<object>(200, broker, "GET", `/v1/builds/${build.id}/env`, undefined, token);
  done(
    `lent ${build.leases.map(({ connector }) => connector).join(", ")}: ${Object.keys(env).length} variables read`,
  );
  await proveDownloads(broker, build.id);
  const document = await expectApi<{ paths: object }>(200, broker, "GET", "/openapi.json");
  expect("/v1/builds/{id}/env" in document.paths, "/openapi.json does not tell of the env");
  await expectApi(200, broker, "DELETE", `/v1/builds/${build.id}`);
  const afterwards = await callApi(broker, "GET", `/v1/builds/${build.id}/env`, undefined, token);
  expect(afterwards.status === 401, `the token of the closed build is answered with ${afterwards.status}`);
  done("closed the build; its token is refused");
  expect((await broker.stop()) === 0, "SIGTERM did not end with 0");
  noSecretsIn(
    broker.output(),
    [token, ...Object.values(environment)].filter((text) => /^klo_|^test:/.test(text)),
  );
}

/** Making a file of a database is a program of its own in the bundle. */
async function proveDownloads(broker: BrokerProcess, buildId: string): Promise<void> {
  const path = `/v1/builds/${buildId}/databases`;
  const { databases } = await expectApi<{ databases: readonly { connector: string }[] }>(
    200,
    broker,
    "GET",
    path,
  );
  expect(databases.length > 0, "no connector lends a database");
  for (const { connector } of databases) {
    const answer = await fetch(`${broker.url}${path}/${connector}/download`, {
      headers: { authorization: `Bearer ${broker.adminToken}` },
    });
    const file = Buffer.from(await answer.arrayBuffer());
    expect(answer.status === 200, `the download of ${connector} is answered with ${answer.status}`);
    expect(file.subarray(0, 15).toString() === "SQLite format 3", `${connector} gives no database file`);
  }
  done(`made files of ${databases.map(({ connector }) => connector).join(", ")}`);
}

/** A request that is under way when the signal comes is answered, and new ones are not taken. */
async function proveGracefulStop(
  copy: string,
  environment: Readonly<Record<string, string>>,
  standIns: StandIns,
): Promise<void> {
  const settings = { ...environment, KEYLOAN_SHUTDOWN_SECONDS: String(drainSeconds) };
  const broker = await startBrokerProcess(programIn(copy), settings);
  const [slowest] = [...standIns.emulators];
  if (slowest === undefined) throw new Error("no connector has a stand-in");
  const [id, { faults }] = slowest;
  faults.add({ kind: "delay", ms: slowProviderMs });
  const slow = callApi(broker, "POST", "/v1/builds", { name: "slow", connectors: [id] });
  const answered = slow.then(() => true);
  while (faults.size() > 0 && !(await Promise.race([answered, delay(5)]))) {
    // The provider has not been asked yet.
  }
  const started = performance.now();
  const exited = broker.stop();
  const answer = await slow;
  const code = await exited;
  const ms = performance.now() - started;
  expect(answer.status === 201, `the request under way was answered with ${answer.status}`);
  expect(code === 0, `the stop ended with ${code}`);
  expect(ms < slowProviderMs + stopMsMax, `the stop took ${ms.toFixed(0)} ms`);
  await refusesConnections(broker);
  done(`answered a slow request after SIGTERM and ended with 0 in ${(ms / 1000).toFixed(1)} s`);
}

async function refusesConnections({ url }: BrokerProcess): Promise<void> {
  const reached = await fetch(url).then(
    () => true,
    () => false,
  );
  expect(!reached, "something still listens after the stop");
}

function proveHonestRefusal(copy: string, folder: string): void {
  const wrong = {
    PORT: "seventy",
    KEYLOAN_ADMIN_TOKEN: "secret-looking-token",
    KEYLOAN_RATE_LIMIT_PER_SECOND: "-1",
    KEYLOAN_LOG_LEVEL: "loud",
  };
  const { status, stderr, stdout } = spawnSync(process.execPath, [join(copy, "main.js")], {
    cwd: folder,
    env: wrong,
    encoding: "utf8",
  });
  expect(status === 2, `a wrong configuration ended with ${status}`);
  for (const name of [...Object.keys(wrong), "KEYLOAN_ROOT_KEY"]) {
    expect(stderr.includes(name), `the refusal does not name ${name}:\n${stderr}`);
  }
  noSecretsIn(stderr + stdout, [wrong.KEYLOAN_ADMIN_TOKEN]);
  done("named all five problems of a wrong configuration at once and ended with 2");
}

function noSecretsIn(text: string, secrets: readonly string[]): void {
  expect(secrets.length > 0, "there is no secret to look for");
  expect(!secrets.some((secret) => text.includes(secret)), "the broker printed a secret");
}

function expect(holds: boolean, problem: string): asserts holds {
  if (!holds) throw new Error(problem);
}

function done(what: string): void {
  console.log(`- ${what}`);
}

try {
  await checkBuiltBroker();
  console.log("The built broker works.");
} catch (error) {
  console.error(error);
  console.error("The built broker does NOT work.");
  process.exitCode = 1;
}
