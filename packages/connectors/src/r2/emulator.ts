import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type S3Interception, startS3Gateway } from "@keyloan/local-servers";
import * as z from "zod";
import {
  createFaultQueue,
  type EmulatorOptions,
  type Fault,
  type FaultQueue,
  type RunningEmulator,
} from "../kit/emulator.ts";
import { openEmulatorState } from "../kit/emulator-state.ts";
import { createCredentialResolver } from "./emulator-credentials.ts";

const stateSchema = z.object({
  accountId: z.string(),
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
});

/** The org's token of the stand-in: object read and write on one bucket, as a person would make it. */
export type EmulatorOrgKey = z.infer<typeof stateSchema>;

export type R2Emulator = RunningEmulator & {
  /**
   * What an operator does in the dashboard: the org's token is rolled. Its old secret, and every temporary
   * credential signed with it, is refused from now on.
   */
  readonly rollOrgKey: () => Promise<Readonly<Record<string, string>>>;
};

export const emulatorBucket = "keyloan-builds";

/**
 * A stand-in for R2's S3 API: a real S3 server on 127.0.0.1 with its objects in a folder, which knows one
 * account, one bucket, one token and the temporary credentials signed with it.
 */
export async function startEmulator(options: EmulatorOptions): Promise<R2Emulator> {
  const { stateDirectory, port, now: nowMs = Date.now } = options;
  const faults = createFaultQueue();
  const state = await openEmulatorState(stateDirectory, "r2", stateSchema, newOrgKey);
  const known = { key: state.value, host: "" };
  const gateway = await startS3Gateway({
    dataDirectory: join(stateDirectory, "objects"),
    port,
    buckets: [emulatorBucket],
    resolveCredential: createCredentialResolver(() => known, nowMs),
    nowMs,
    intercept: (method, path) => interceptionOf(faults, method, path),
  });
  known.host = new URL(gateway.url).host;
  const orgFields = () => ({ ...state.value, bucket: emulatorBucket });
  return {
    baseUrl: gateway.url,
    port: gateway.port,
    orgFields: orgFields(),
    faults,
    close: gateway.close,
    rollOrgKey: async () => {
      state.value.secretAccessKey = newOrgKey().secretAccessKey;
      await state.save();
      return orgFields();
    },
  };
}

function newOrgKey(): EmulatorOrgKey {
  const hex = (bytes: number) => randomBytes(bytes).toString("hex");
  return { accountId: hex(16), accessKeyId: hex(16), secretAccessKey: hex(32) };
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
