import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type S3Interception, startS3Gateway } from "@keyloan/local-servers";
import {
  createFaultQueue,
  type EmulatorOptions,
  type Fault,
  type FaultQueue,
  type RunningEmulator,
} from "../kit/emulator.ts";
import { emulatorListener } from "../kit/emulator-app.ts";
import { createAccountApp, isAccountPath } from "./emulator-account.ts";
import { createCredentialResolver } from "./emulator-credentials.ts";
import { type OrgFields, openOrgKeys } from "./emulator-org-keys.ts";
import { openEmulatedTokens } from "./emulator-tokens.ts";
import { openUserAccounts } from "./emulator-users.ts";

export type R2EmulatorOptions = EmulatorOptions & {
  /** How many tokens the account may have; a real one has 500. Without it there is no limit. */
  readonly tokensMax?: number;
  /** How many bytes the bucket of a user may hold, as other stores of the kind limit it. Without it there is no limit. */
  readonly userBytesMax?: number;
};

export type R2Emulator = RunningEmulator & {
  /**
   * What an operator does in the dashboard: the org's token is rolled. Its old secret, and every temporary
   * credential signed with it, is refused from now on.
   */
  readonly rollOrgKey: () => Promise<Readonly<Record<string, string>>>;
  /** What an operator does before a rotation: makes two more tokens. Those before go on until they are deleted. */
  readonly createOrgKey: () => Promise<Readonly<Record<string, string>>>;
};

export const emulatorBucket = "keyloan-builds";

/**
 * A stand-in for R2: a real S3 server on 127.0.0.1 with its objects in a folder, which knows one account
 * with one bucket, and on the same port the account's API tokens. It accepts the org's token, the tokens
 * that were made, and temporary credentials signed with either.
 */
export async function startEmulator(options: R2EmulatorOptions): Promise<R2Emulator> {
  const { stateDirectory, port, now: nowMs = Date.now, tokensMax = Number.POSITIVE_INFINITY } = options;
  const faults = createFaultQueue();
  const org = await openOrgKeys(stateDirectory);
  const tokens = await openEmulatedTokens(join(stateDirectory, "r2-tokens.jsonl"), nowMs);
  const account = createAccountApp({ org, tokens, faults, nowMs, tokensMax });
  const { accountId } = org;
  const findKey = (id: string) => org.findKey(id) ?? tokens.findKey(id);
  const intercept = (method: string, path: string) => interceptionOf(faults, method, path);
  const limits = options.userBytesMax === undefined ? {} : { bucketBytesMax: options.userBytesMax };
  const users = await openUserAccounts(stateDirectory, { nowMs, intercept, limits });
  let host = "";
  const gateway = await startS3Gateway({
    dataDirectory: join(stateDirectory, "objects"),
    port,
    buckets: [emulatorBucket],
    resolveCredential: createCredentialResolver({ accountId, host: () => host, findKey }, nowMs),
    nowMs,
    intercept,
    other: { matches: isAccountPath, serve: emulatorListener(account) },
  }).catch(async (error: unknown) => {
    await Promise.all([users.close(), tokens.close()]);
    throw error;
  });
  host = new URL(gateway.url).host;
  const withBucket = (fields: OrgFields) => ({ ...fields, bucket: emulatorBucket });
  return {
    baseUrl: gateway.url,
    port: gateway.port,
    orgFields: withBucket(org.first()),
    faults,
    createUserEnv: ({ kind = "good" } = {}) => users.createEnv(kind),
    close: async () => {
      await Promise.all([gateway.close(), users.close()]);
      await tokens.close();
    },
    rollOrgKey: async () => withBucket(await org.roll()),
    createOrgKey: async () => withBucket(await org.create()),
  };
}

async function interceptionOf(
  faults: FaultQueue,
  method: string,
  path: string,
): Promise<S3Interception | undefined> {
  const fault = faults.take(method, path);
  switch (fault?.kind) {
    case undefined:
      return undefined;
    case "delay":
      await delay(fault.ms, undefined, { ref: false });
      return undefined;
    case "status":
      return { when: "before", answer: errorAnswer(fault) };
    case "cut":
      return { when: "before", answer: "cut" };
    case "cut_after":
      return { when: "after", answer: "cut" };
    case "status_after":
      return { when: "after", answer: errorAnswer(fault) };
  }
}

/** R2's codes by status ("R2 error codes"). */
const codes: Readonly<Record<number, string>> = {
  401: "Unauthorized",
  403: "AccessDenied",
  404: "NoSuchKey",
  409: "BucketConflict",
  412: "PreconditionFailed",
  429: "TooManyRequests",
  500: "InternalError",
  503: "ServiceUnavailable",
};

function errorAnswer(fault: Extract<Fault, { status: number }>) {
  const { status } = fault;
  const code = codes[status] ?? "InvalidRequest";
  const given = fault.kind === "status" ? fault : undefined;
  return {
    status,
    headers: { "content-type": "application/xml", ...given?.headers },
    body: given?.body ?? `<Error><Code>${code}</Code><Message>injected</Message></Error>`,
  };
}
