import { randomBytes } from "node:crypto";
import { join } from "node:path";
import {
  type S3Gateway,
  type S3GatewayOptions,
  s3Actions,
  s3ReadActions,
  startS3Gateway,
} from "@keyloan/local-servers";
import * as z from "zod";
import type { UserEnvKind } from "../kit/emulator.ts";
import { openEmulatorState } from "../kit/emulator-state.ts";
import type { KnownKey } from "./emulator-tokens.ts";

const keySchema = z.object({
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
  access: z.enum(["read", "write"]),
  /** R2 confines permanent keys to buckets only; other stores of the kind confine them to prefixes too. */
  prefix: z.string().optional(),
});

const userSchema = z.object({ accountId: z.string(), port: z.number(), key: keySchema });
const stateSchema = z.object({ users: z.array(userSchema) });

type User = z.infer<typeof userSchema>;
type UserKey = z.infer<typeof keySchema>;

export type UserAccounts = {
  readonly createEnv: (kind: UserEnvKind) => Promise<Record<string, string>>;
  readonly close: () => Promise<void>;
};

const bucket = "my-app";
const folder = "app/";

/**
 * Accounts of other people, each with a bucket and a host of its own: one server on a port that is the same
 * after a restart, unless someone else has it then.
 */
export async function openUserAccounts(
  stateDirectory: string,
  served: Pick<S3GatewayOptions, "nowMs" | "intercept" | "limits">,
): Promise<UserAccounts> {
  const state = await openEmulatorState(stateDirectory, "r2-users", stateSchema, () => ({ users: [] }));
  const gateways: S3Gateway[] = [];
  const open = async (user: User) => {
    const options: S3GatewayOptions = {
      ...served,
      dataDirectory: join(stateDirectory, "users", user.accountId),
      port: user.port,
      buckets: [bucket],
      resolveCredential: (accessKeyId, sessionToken) =>
        accessKeyId === user.key.accessKeyId && sessionToken === undefined ? knownKey(user.key) : undefined,
    };
    const gateway = await startS3Gateway(options).catch(() => startS3Gateway({ ...options, port: 0 }));
    gateways.push(gateway);
    user.port = gateway.port;
    return gateway.url;
  };
  const add = async (key: UserKey) => {
    const user: User = { accountId: hex(16), port: 0, key };
    const url = await open(user);
    state.value.users.push(user);
    await state.save();
    return url;
  };
  const close = async () => {
    await Promise.all(gateways.map((gateway) => gateway.close()));
  };
  try {
    for (const user of state.value.users) await open(user);
    await state.save();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    createEnv: async (kind) => {
      const key = newKey(kind);
      const inFolder = kind === "limited" || kind === "wide";
      return {
        R2_ENDPOINT: await add(key),
        R2_BUCKET: bucket,
        R2_ACCESS_KEY_ID: key.accessKeyId,
        R2_SECRET_ACCESS_KEY: kind === "wrong-pair" ? newKey("good").secretAccessKey : key.secretAccessKey,
        ...(inFolder ? { R2_PREFIX: folder } : {}),
      };
    },
    close,
  };
}

function newKey(kind: UserEnvKind): UserKey {
  return {
    accessKeyId: hex(16),
    secretAccessKey: hex(32),
    access: kind === "read-only" ? "read" : "write",
    ...(kind === "limited" ? { prefix: folder } : {}),
  };
}

function knownKey({ secretAccessKey, access, prefix }: UserKey): KnownKey {
  const actions = new Set(access === "read" ? s3ReadActions : s3Actions);
  return {
    secretAccessKey,
    policy: { buckets: [bucket], actions, ...(prefix === undefined ? {} : { prefixes: [prefix] }) },
  };
}

const hex = (bytes: number) => randomBytes(bytes).toString("hex");
