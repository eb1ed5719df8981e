import type { Connector, SecretValues, ValidationResult } from "@keyloan/contract";
import type { OrgKeyRow } from "@keyloan/store";
import { type AskDeps, askAboutKey } from "./ask-about-key.ts";
import { type CredentialProbe, credentialProbes } from "./credential-probes.ts";
import { type OrgKeyDeps, openActiveOrgKey, openOrgKeyVersion } from "./open-org-key.ts";

/** `continued`: the key in use contains every secret of the replaced key, so nothing of it should be dead. */
export type Death = "dead" | "alive" | "unknown" | "continued";

/**
 * Asks the provider whether a replaced key still works. The key is dead only if the provider refuses it and, asked
 * at the same time, accepts the key in use: a provider that refuses everything, or cannot be asked, proves nothing.
 */
export async function askIfDead(
  deps: OrgKeyDeps & AskDeps,
  connector: Connector,
  row: OrgKeyRow,
  signal: AbortSignal,
): Promise<Death> {
  const specs = connector.spec.orgFields;
  const old = await openOrgKeyVersion(deps, row);
  const current = await openActiveOrgKey(deps, connector.spec.id);
  const probes = credentialProbes(specs, old.fields, current?.fields);
  if (probes.length === 0) return "continued";
  const ask = (values: SecretValues) => askAboutKey(deps, connector, values, signal);
  const answers: Death[] = [];
  for (const probe of probes) answers.push(read(await ask(probe.fields), probe));
  if (answers.includes("alive")) return "alive";
  if (answers.includes("unknown")) return "unknown";
  if (current !== undefined && (await ask(current.fields)).status !== "valid") return "unknown";
  return "dead";
}

function read(answer: ValidationResult, { refusedBy }: CredentialProbe): Death {
  if (answer.status === "valid") return "alive";
  if (answer.status === "undetermined") return "unknown";
  // A key that lacks a permission still works.
  if (answer.code === "lacks_permission") return "alive";
  return answer.code === "rejected" && refusedBy.includes(answer.envVar) ? "dead" : "unknown";
}
