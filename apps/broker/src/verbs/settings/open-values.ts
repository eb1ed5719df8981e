import {
  BrokerError,
  type KeySubmission,
  revealValues,
  type Secret,
  type SecretValues,
  secretValues,
} from "@keyloan/contract";
import type { DataKeyRow, SessionRow } from "@keyloan/store";
import {
  closeDataKey,
  type DataKey,
  openDataKey,
  openSubmission,
  openValue,
  openValues,
  sealValues,
  VaultError,
} from "@keyloan/vault";
import * as z from "zod";
import type { Deps } from "../../deps.ts";
import { buildClosed } from "../builds/find-build.ts";
import { sessionKeyContext } from "../handoff/session-key.ts";

const sealedSchema = z.strictObject({ values: z.record(z.string().max(128), z.string()) });

/**
 * The values a page or a program sent, whichever way.
 * @throws BrokerError `invalid_input` for a box that does not open with this session's key
 */
export async function openSubmittedValues(
  deps: Deps,
  session: SessionRow,
  submission: KeySubmission,
): Promise<{ readonly values: SecretValues; readonly way: "sealed" | "plain" }> {
  if ("values" in submission) return { values: secretValues(submission.values), way: "plain" };
  const text = await withDataKey(deps, session.buildId, (key) => {
    const privateKey = openValue(key, sessionKeyContext(session.buildId, session.id), session.openingKey);
    try {
      return openSubmission({ publicKey: session.sealingKey, privateKey }, submission.sealed);
    } catch (error) {
      if (error instanceof VaultError) throw notOurs();
      throw error;
    }
  });
  const parsed = sealedSchema.safeParse(parseSecret(text));
  if (!parsed.success) throw notOurs();
  return { values: secretValues(parsed.data.values), way: "sealed" };
}

/** Runs with the build's data key open, and erases it after. @throws BrokerError `build_closed` */
export async function withDataKey<T>(deps: Deps, buildId: string, use: (key: DataKey) => T): Promise<T> {
  const row = await deps.store.read.dataKeys.findByOwner(buildId);
  if (row === undefined) throw buildClosed("closed");
  return withOpenKey(deps, row, use);
}

export function withOpenKey<T>(deps: Pick<Deps, "keyring">, row: DataKeyRow, use: (key: DataKey) => T): T {
  const key = openDataKey(deps.keyring, row);
  try {
    return use(key);
  } finally {
    closeDataKey(key);
  }
}

function userKeyContext(buildId: string, userKeyId: string) {
  return { purpose: "user-key", ownerId: buildId, field: userKeyId };
}

export function sealUserKey(key: DataKey, userKeyId: string, values: SecretValues): string {
  return sealValues(key, userKeyContext(key.ownerId, userKeyId), values);
}

export function openUserKey(key: DataKey, userKeyId: string, envelope: string): SecretValues {
  return openValues(key, userKeyContext(key.ownerId, userKeyId), envelope);
}

/** Masked values by name: at most the last four characters, and those only of what is long enough to stay secret. */
export function previewsOf(values: SecretValues, secretNames: ReadonlySet<string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(revealValues(values)).map(([name, value]) => [
      name,
      secretNames.has(name) ? maskOf(value) : value,
    ]),
  );
}

export function maskOf(value: string): string {
  return value.length >= 16 ? `••••${value.slice(-4)}` : value.startsWith("••••") ? value : "••••";
}

function parseSecret(text: Secret): unknown {
  try {
    return JSON.parse(text.reveal());
  } catch {
    return undefined;
  }
}

function notOurs(): BrokerError {
  return new BrokerError("invalid_input", "the sealed values do not open with this session's key", {
    remedy: "Reload the page and send them again.",
  });
}
