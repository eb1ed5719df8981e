import { createHash, randomBytes } from "node:crypto";
import { type S3Action, type S3Policy, s3Actions, s3ReadActions } from "@keyloan/local-servers";
import * as z from "zod";
import { openJournal } from "../kit/emulator-journal.ts";
import { randomText } from "../kit/emulator-state.ts";

/** A token of the account as it is kept: its value only as the secret that the value hashes to. */
export const accountTokenSchema = z.object({
  id: z.string(),
  name: z.string(),
  secretAccessKey: z.string(),
  buckets: z.array(z.string()),
  access: z.enum(["read", "write"]),
  issuedAt: z.number(),
  /** Milliseconds since the epoch. */
  expiresAt: z.number().optional(),
});
export type AccountToken = z.infer<typeof accountTokenSchema>;

/** An S3 key and what it may do by itself; what is signed with it may do no more. */
export type KnownKey = { readonly secretAccessKey: string; readonly policy: S3Policy };

/** The tokens of the stand-in's account, all that are not deleted or expired. */
export type EmulatedTokens = {
  readonly list: () => readonly AccountToken[];
  /** Gives the token with its value, which is not kept. */
  readonly create: (
    token: Omit<AccountToken, "id" | "secretAccessKey" | "issuedAt">,
  ) => Promise<AccountToken & { readonly value: string }>;
  /** Whether there was one. */
  readonly remove: (id: string) => Promise<boolean>;
  /** The key that a token is, by its access key id. */
  readonly findKey: (accessKeyId: string) => KnownKey | undefined;
  /** The token of a value. */
  readonly findByValue: (value: string) => AccountToken | undefined;
  readonly close: () => Promise<void>;
};

/** Opens the tokens kept in a file, and forgets those that expired meanwhile. */
export async function openEmulatedTokens(path: string, nowMs: () => number): Promise<EmulatedTokens> {
  const journal = await openJournal(path, accountTokenSchema);
  const { records } = journal;
  const isAlive = ({ expiresAt }: AccountToken) => expiresAt === undefined || expiresAt > nowMs();
  const remove = async (id: string) => {
    const wasThere = records.delete(id);
    if (wasThere) await journal.write(id);
    return wasThere;
  };
  for (const token of [...records.values()]) if (!isAlive(token)) await remove(token.id);
  return {
    list: () => [...records.values()].filter(isAlive),
    create: async (given) => {
      const value = `cfat_${randomText(48)}`;
      const id = randomBytes(16).toString("hex");
      const token = { ...given, id, secretAccessKey: hashOf(value), issuedAt: nowMs() };
      records.set(id, token);
      await journal.write(id);
      return { ...token, value };
    },
    remove,
    findKey: (accessKeyId) => {
      const token = records.get(accessKeyId);
      return token === undefined || !isAlive(token) ? undefined : keyOf(token);
    },
    findByValue: (value) => {
      const secretAccessKey = hashOf(value);
      const found = [...records.values()].find((token) => token.secretAccessKey === secretAccessKey);
      return found !== undefined && isAlive(found) ? found : undefined;
    },
    close: journal.close,
  };
}

const actionsOf: Readonly<Record<AccountToken["access"], ReadonlySet<S3Action>>> = {
  read: new Set(s3ReadActions),
  write: new Set(s3Actions),
};

function keyOf({ secretAccessKey, buckets, access, expiresAt }: AccountToken): KnownKey {
  const policy = { buckets, actions: actionsOf[access], ...(expiresAt === undefined ? {} : { expiresAt }) };
  return { secretAccessKey, policy };
}

const hashOf = (value: string) => createHash("sha256").update(value).digest("hex");
