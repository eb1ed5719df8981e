import {
  BrokerError,
  type KeySubmission,
  keyValuesSchema,
  limits,
  revealValues,
  type Secret,
  type SecretValues,
  secretValues,
} from "@keyloan/contract";
import type { SessionRow } from "@keyloan/store";
import { openSubmission, openValue, VaultError } from "@keyloan/vault";
import * as z from "zod";
import type { Deps } from "../../deps.ts";
import { sealingContexts } from "../../sealing/contexts.ts";
import { withDataKey } from "../../sealing/data-key.ts";

const sealedSchema = z.strictObject({ values: keyValuesSchema });

/**
 * The values a page or a program sent, whichever way.
 * @throws BrokerError `invalid_input` for a box that does not open with this session's key, or holds no values, or too
 * many or too long ones
 */
export async function openSubmittedValues(
  deps: Deps,
  session: SessionRow,
  submission: KeySubmission,
): Promise<{ readonly values: SecretValues; readonly way: "sealed" | "plain" }> {
  if ("values" in submission) return { values: secretValues(submission.values), way: "plain" };
  const text = await withDataKey(deps, session.buildId, (key) => {
    const privateKey = openValue(
      key,
      sealingContexts.sessionKey(key.ownerId, session.id),
      session.openingKey,
    );
    try {
      return openSubmission({ publicKey: session.sealingKey, privateKey }, submission.sealed);
    } catch (error) {
      if (error instanceof VaultError) throw notOurs();
      throw error;
    }
  });
  const parsed = sealedSchema.safeParse(parseSecret(text));
  if (!parsed.success) throw notValues();
  return { values: secretValues(parsed.data.values), way: "sealed" };
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

function notValues(): BrokerError {
  const { keyValuesMax, keyValueLengthMax } = limits;
  return new BrokerError(
    "invalid_input",
    "the sealed content is not values by name, or it has too many values or values that are too long",
    {
      remedy: `Seal {"values": {…}} with at most ${keyValuesMax} values of ${keyValueLengthMax} characters each.`,
    },
  );
}

function notOurs(): BrokerError {
  return new BrokerError("invalid_input", "the sealed values do not open with this session's key", {
    remedy: "Reload the page and send them again.",
  });
}
