import { join } from "node:path";
import { type S3Gateway, type S3GatewayOptions, startS3Gateway } from "@keyloan/local-servers";
import * as z from "zod";
import { createFaultQueue, type EmulatorOptions, type RunningEmulator } from "../kit/emulator.ts";
import { emulatorListener } from "../kit/emulator-app.ts";
import { openEmulatorState } from "../kit/emulator-state.ts";
import { interceptWith } from "../kit/stand-in/s3-faults.ts";
import { createStandInApp } from "../kit/stand-in/start-stand-in.ts";
import {
  accountApi,
  accountSchema,
  findKey,
  hex,
  newToken,
  type R2Account,
  secretOf,
} from "./emulator-account.ts";
import { createCredentialResolver } from "./emulator-credentials.ts";

export type R2EmulatorOptions = EmulatorOptions & {
  /** How many tokens the account may have, the org's own two among them; a real one has 500. Without it there is no limit. */
  readonly tokensMax?: number;
  /** How many bytes the bucket of a user may hold, as other stores of the kind limit it. Without it there is no limit. */
  readonly userBytesMax?: number;
  /** How many entries a page of a listing holds, and one call deletes; as at R2 by default. */
  readonly entriesMax?: number;
};

type Fields = Readonly<Record<string, string>>;
export type R2Emulator = RunningEmulator & {
  /**
   * What an operator does in the dashboard: the org's token is rolled. Its old secret, and every temporary
   * credential signed with it, is refused from now on.
   */
  readonly rollOrgKey: () => Promise<Fields>;
  /** What an operator does before a rotation: makes two more tokens. Those before go on until they are deleted. */
  readonly createOrgKey: () => Promise<Fields>;
};

export const emulatorBucket = "keyloan-builds";
const userBucket = "my-app";
const userFolder = "app/";

const stateSchema = z.object({
  org: accountSchema,
  /** Of the first two tokens, as the org keeps them. */
  orgFields: z.record(z.string(), z.string()),
  users: z.array(accountSchema),
});

const newAccount = (): R2Account => ({ accountId: hex(16), port: 0, tokens: [] });

/** Two more tokens of a person: one that is an S3 key, one to edit tokens. */
function addOrgKey(org: R2Account) {
  const [key, editor] = [newToken("write"), newToken("edit")];
  org.tokens.push(key, editor);
  const secrets = { accessKeyId: key.id, secretAccessKey: secretOf(key), apiToken: editor.value };
  return { accountId: org.accountId, ...secrets, bucket: emulatorBucket };
}

/**
 * A stand-in for R2: a real S3 server on 127.0.0.1 with its objects in a folder, which knows one account
 * with one bucket, and on the same port the account's API tokens. Each user has an account and a port too.
 */
export async function startEmulator(options: R2EmulatorOptions): Promise<R2Emulator> {
  const {
    stateDirectory,
    now = Date.now,
    tokensMax = Number.POSITIVE_INFINITY,
    userBytesMax,
    entriesMax,
  } = options;
  const pages = entriesMax === undefined ? {} : { entriesMax };
  const state = await openEmulatorState(stateDirectory, "r2", stateSchema, () => {
    const org = newAccount();
    return { org, orgFields: addOrgKey(org), users: [] };
  });
  const { org, orgFields, users } = state.value;
  const faults = createFaultQueue();
  const api = createStandInApp(accountApi(tokensMax), { list: () => [org], save: state.save }, faults, now);
  const gateways: S3Gateway[] = [];
  const serve = async (account: R2Account, given: Omit<S3GatewayOptions, "resolveCredential">) => {
    const host = () => `127.0.0.1:${account.port}`;
    const known = {
      accountId: account.accountId,
      host,
      findKey: (id: string) => findKey(account, id, now()),
    };
    const resolveCredential = createCredentialResolver(known, now);
    const gateway = await startS3Gateway({
      intercept: interceptWith(faults),
      resolveCredential,
      nowMs: now,
      ...given,
    });
    account.port = gateway.port;
    gateways.push(gateway);
    return gateway;
  };
  const serveUser = (user: R2Account) => {
    const dataDirectory = join(stateDirectory, "users", user.accountId);
    const limits = { ...pages, ...(userBytesMax === undefined ? {} : { bucketBytesMax: userBytesMax }) };
    const given = { dataDirectory, buckets: [userBucket], limits };
    // Its port is the same after a restart, unless someone else has it then.
    return serve(user, { ...given, port: user.port }).catch(() => serve(user, { ...given, port: 0 }));
  };
  const close = async () => void (await Promise.all(gateways.map((gateway) => gateway.close())));
  try {
    const other = { matches: (path: string) => path.startsWith("/client/v4/"), serve: emulatorListener(api) };
    const dataDirectory = join(stateDirectory, "objects");
    const buckets = [emulatorBucket];
    const gateway = await serve(org, { dataDirectory, port: options.port, buckets, limits: pages, other });
    for (const user of users) await serveUser(user);
    return {
      baseUrl: gateway.url,
      port: gateway.port,
      orgFields,
      faults,
      createUserEnv: async ({ kind = "good" } = {}) => {
        const isInFolder = kind === "limited" || kind === "wide";
        const confined = kind === "limited" ? { prefix: userFolder } : {};
        const key = newToken(kind === "read-only" ? "read" : "write", { buckets: [userBucket], ...confined });
        const user = { ...newAccount(), tokens: [key] };
        const { url } = await serveUser(user);
        users.push(user);
        await state.save();
        return {
          R2_ENDPOINT: url,
          R2_BUCKET: userBucket,
          R2_ACCESS_KEY_ID: key.id,
          R2_SECRET_ACCESS_KEY: secretOf(kind === "wrong-pair" ? newToken("write") : key),
          ...(isInFolder ? { R2_PREFIX: userFolder } : {}),
        };
      },
      close,
      rollOrgKey: async () => {
        const key = org.tokens.find(({ id }) => id === orgFields.accessKeyId);
        if (key !== undefined) {
          key.value = newToken("write").value;
          orgFields.secretAccessKey = secretOf(key);
        }
        await state.save();
        return orgFields;
      },
      createOrgKey: async () => {
        const fields = addOrgKey(org);
        await state.save();
        return fields;
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}
