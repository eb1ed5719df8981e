import { statSync } from "node:fs";
import { KeyloanError } from "@keyloan/sdk";
import type { Caller } from "@keyloan/sdk/parts";
import { auditApi, buildsApi, healthApi, orgKeysApi } from "@keyloan/sdk/parts";
import { readSettings } from "../env.ts";
import { type Check, failed, type Outcome, ok, skipped, warning } from "./checks.ts";
import type { Io } from "./io.ts";
import { spanText } from "./moments.ts";
import { verdictText } from "./show-verification.ts";

const skewMsTolerated = 60_000;
// Beyond a quarter of an hour S3 services refuse a signature.
const skewMsMax = 15 * 60_000;

/** The checks in the order in which they build on each other. */
export function doctorChecks(
  io: Io,
  connect: (needsToken?: boolean) => Caller,
  inProduction: boolean,
): Check[] {
  const seen = { broker: false, token: false, admin: false };
  return [
    { name: "Node.js", run: () => [nodeVersion(process.versions.node)] },
    { name: "Address", run: () => [ok(connect(false).base.href.replace(/\/$/, ""))] },
    {
      name: "Broker",
      run: async () => {
        const outcomes = await brokerHealth(connect(false), io.now);
        seen.broker = true;
        return outcomes;
      },
    },
    {
      name: "Readiness",
      run: async () => (seen.broker ? readiness(connect(false)) : [skipped("the broker does not answer")]),
    },
    { name: "Token file", run: () => tokenFile(io) },
    {
      name: "Token",
      run: async () => {
        if (!seen.broker) return [skipped("the broker does not answer")];
        const caller = connect(true);
        const outcomes = await tokenPowers(caller);
        seen.token = outcomes.every((outcome) => outcome.state === "ok");
        seen.admin = seen.token && (await isAdmin(caller));
        return seen.admin ? [ok("valid; it is an admin token and can do everything")] : outcomes;
      },
    },
    {
      name: "Configuration",
      run: async () => {
        if (seen.admin) return brokerWarnings(connect(true), inProduction ? failed : warning);
        return [skipped(seen.token ? "only an admin token can see it" : "there is no valid token")];
      },
    },
    {
      name: "Org keys",
      run: async () => {
        if (seen.admin) return orgKeys(connect(true));
        return [skipped(seen.token ? "only an admin token can see them" : "there is no valid token")];
      },
    },
    ...(inProduction
      ? [{ name: "Audit", run: async () => (seen.admin ? anchoredAudit(connect(true)) : [auditUnseen]) }]
      : []),
  ];
}

/** Whether this Node.js can run the command line. */
export function nodeVersion(version: string): Outcome {
  return Number.parseInt(version, 10) >= 20
    ? ok(version)
    : failed(`${version} is too old.`, "Install Node.js 20 or newer; 24 starts fastest.");
}

async function brokerHealth({ call }: Caller, now: () => number): Promise<Outcome[]> {
  const answer = await call({ method: "GET", path: "/health", expect: "json", alsoFine: [503] });
  const version = answer.body?.version === undefined ? "" : `, version ${answer.body.version}`;
  return [ok(`answers${version}`), clockSkew(answer.headers.date, now())];
}

function clockSkew(date: string | undefined, nowMs: number): Outcome {
  const brokerMs = date === undefined ? Number.NaN : Date.parse(date);
  if (Number.isNaN(brokerMs)) {
    return warning(
      "the broker does not report its time",
      "Check the proxies between this machine and the broker.",
      "Clock",
    );
  }
  const skewMs = Math.abs(nowMs - brokerMs);
  const message = `this clock and the broker's are ${spanText(Math.round(skewMs / 1000))} apart`;
  if (skewMs <= skewMsTolerated) return ok(message, "Clock");
  const remedy = "Synchronise both clocks (NTP): expiry times and storage signatures depend on them.";
  return skewMs <= skewMsMax ? warning(message, remedy, "Clock") : failed(message, remedy, "Clock");
}

async function readiness(caller: Caller): Promise<Outcome[]> {
  const health = await healthApi(caller).ready();
  const remedy =
    health.status === "degraded"
      ? "Envs can be read as usual. Look at the broker's log, and at keyloan audit verify."
      : "Look at the broker's log; until this is fixed it lends nothing.";
  const parts = (health.parts ?? []).map((part) => {
    const name = `Part ${part.name}`;
    return part.ok
      ? ok(part.message ?? "works", name)
      : failed(part.message ?? "does not work", remedy, name);
  });
  if (health.status === "ok" || parts.some((part) => part.state === "failed")) {
    return parts.length === 0 ? [ok("ready")] : parts;
  }
  return [...parts, failed("the broker reports that it is not ready", "Look at the broker's log.")];
}

/** What the operator should fix of who reaches the broker and what it lends: in production nobody may go on with it. */
async function brokerWarnings(caller: Caller, tell: typeof warning): Promise<Outcome[]> {
  try {
    const { warnings } = await healthApi(caller).warnings();
    if (warnings.length === 0) return [ok("nothing to fix")];
    return warnings.map(({ message, remedy }) => tell(message, remedy));
  } catch (error) {
    if (!(error instanceof KeyloanError) || error.status !== 404) throw error;
    return [skipped("this broker is an older version and does not report this")];
  }
}

const auditUnseen = failed(
  "the audit cannot be read without a valid admin token",
  "Set KEYLOAN_TOKEN to the admin token.",
);

async function anchoredAudit(caller: Caller): Promise<Outcome[]> {
  const result = await auditApi(caller).verify();
  const message = verdictText(result);
  if (result.verdict === "anchored") return [ok(message)];
  if (result.verdict === "broken") return [failed(message, "Look at it with keyloan audit verify.")];
  const notes = result.warnings.map((warning) => ` (${warning})`).join("");
  return [
    failed(
      `${message}${notes}`,
      "Set KEYLOAN_AUDIT_SINK to a file or address outside the broker's machine. It gets its first signed head within a minute after the start.",
    ),
  ];
}

function tokenFile(io: Io): Outcome[] {
  const file = io.env.KEYLOAN_TOKEN_FILE;
  if (!file) return [];
  readSettings(io.env);
  const openToOthers = process.platform !== "win32" && (statSync(file).mode & 0o077) !== 0;
  return openToOthers
    ? [warning(`${file} can be read by others`, `Restrict it: chmod 600 ${file}`)]
    : [ok(`${file} is readable by you alone`)];
}

/** What the broker lets this token do, found with calls that change nothing. */
async function tokenPowers(caller: Caller): Promise<Outcome[]> {
  try {
    await buildsApi(caller).list({ limit: 1 });
    return [ok("valid; it can read builds")];
  } catch (error) {
    if (!(error instanceof KeyloanError)) throw error;
    if (error.status === 403)
      return [ok("valid; it cannot list builds, so it is for the env of one build or for writing")];
    throw error;
  }
}

async function isAdmin(caller: Caller): Promise<boolean> {
  try {
    await orgKeysApi(caller).list();
    return true;
  } catch (error) {
    if (error instanceof KeyloanError && error.status === 403) return false;
    throw error;
  }
}

async function orgKeys(caller: Caller): Promise<Outcome[]> {
  const { orgKeys: all } = await orgKeysApi(caller).list();
  // One that was replaced is meant to be refused.
  const keys = all.filter(({ state }) => state === "active");
  if (keys.length === 0) {
    return [
      warning(
        "there are none, so builds get no services",
        "Set one with keyloan org-keys set; see keyloan catalog.",
      ),
    ];
  }
  return keys.map((key) => {
    const name = `Org key ${key.connector}`;
    const account = key.account === undefined ? "" : `, account ${key.account}`;
    if (key.checkStatus === "valid") return ok(`version ${key.version} works${account}`, name);
    const message = key.checkMessage ?? `version ${key.version} is ${key.checkStatus}`;
    return key.checkStatus === "invalid"
      ? failed(message, `Set a new one: keyloan org-keys set ${key.connector}`, name)
      : warning(message, "The provider could not be asked; the broker checks again automatically.", name);
  });
}
