import { createHash, randomBytes } from "node:crypto";
import { s3Actions } from "@keyloan/local-servers";
import * as z from "zod";
import { openEmulatorState, randomText } from "../kit/emulator-state.ts";
import type { KnownKey } from "./emulator-tokens.ts";

const pairSchema = z.object({
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
  apiToken: z.string().default(newApiToken),
});
type Pair = z.infer<typeof pairSchema>;

const stateSchema = pairSchema.extend({
  accountId: z.string(),
  /** Made later, as before a rotation. */
  further: z.array(pairSchema).default([]),
  /** The ids of tokens that were deleted. */
  ended: z.array(z.string()).default([]),
});

export type OrgFields = Pair & { readonly accountId: string };

/**
 * The tokens of the org as a person makes them in the dashboard, two and two: one for the bucket, which is an S3
 * key, and one to edit tokens.
 */
export type OrgKeys = {
  readonly accountId: string;
  /** The first two; the same after a restart. */
  readonly first: () => OrgFields;
  /** Makes another two; those before go on. */
  readonly create: () => Promise<OrgFields>;
  /** Rolls the first token for the bucket: its old secret is refused from now on. */
  readonly roll: () => Promise<OrgFields>;
  readonly findKey: (accessKeyId: string) => KnownKey | undefined;
  /** The id of a token that may edit tokens; `undefined` for any other text. */
  readonly idOfApiToken: (value: string) => string | undefined;
  /** Deletes a token, and tells whether there was one. */
  readonly end: (id: string) => Promise<boolean>;
};

export async function openOrgKeys(stateDirectory: string): Promise<OrgKeys> {
  const state = await openEmulatorState(stateDirectory, "r2", stateSchema, () => ({
    ...newPair(),
    accountId: hex(16),
    further: [],
    ended: [],
  }));
  await state.save();
  const { value } = state;
  const { accountId } = value;
  const pairs = (): Pair[] => [value, ...value.further];
  const isAlive = (id: string) => !value.ended.includes(id);
  const fieldsOf = ({ accessKeyId, secretAccessKey, apiToken }: Pair): OrgFields => ({
    accountId,
    accessKeyId,
    secretAccessKey,
    apiToken,
  });
  const idsOf = (pair: Pair) => [pair.accessKeyId, idOf(accountId, pair.apiToken)];
  return {
    accountId,
    first: () => fieldsOf(value),
    create: async () => {
      const pair = newPair();
      value.further.push(pair);
      await state.save();
      return fieldsOf(pair);
    },
    roll: async () => {
      value.secretAccessKey = newPair().secretAccessKey;
      await state.save();
      return fieldsOf(value);
    },
    findKey: (accessKeyId) => {
      const pair = pairs().find((each) => each.accessKeyId === accessKeyId && isAlive(accessKeyId));
      return pair === undefined
        ? undefined
        : {
            secretAccessKey: pair.secretAccessKey,
            policy: { buckets: "any", actions: new Set(s3Actions) },
          };
    },
    idOfApiToken: (text) => {
      const known = pairs().find(({ apiToken }) => apiToken === text);
      const id = known === undefined ? undefined : idOf(accountId, known.apiToken);
      return id !== undefined && isAlive(id) ? id : undefined;
    },
    end: async (id) => {
      if (!pairs().flatMap(idsOf).includes(id) || !isAlive(id)) return false;
      value.ended.push(id);
      await state.save();
      return true;
    },
  };
}

const idOf = (accountId: string, apiToken: string) =>
  createHash("sha256").update(`${accountId} ${apiToken}`).digest("hex").slice(0, 32);

const hex = (bytes: number) => randomBytes(bytes).toString("hex");

function newPair(): Pair {
  return { accessKeyId: hex(16), secretAccessKey: hex(32), apiToken: newApiToken() };
}

function newApiToken(): string {
  return `cfat_${randomText(48)}`;
}
