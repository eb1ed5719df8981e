import { type DurabilityAnswer, ProviderError } from "@keyloan/contract";
import type { Deps } from "../../deps.ts";
import type { GateConnector } from "../../gates/gate.ts";

const probeTimeoutMs = 20_000;

/** Tries whether a user's database keeps what it is told, with the configured table of migrations. */
export async function probeDurability(
  deps: Deps,
  { spec, values }: GateConnector,
): Promise<DurabilityAnswer | "not_answered"> {
  const connector = deps.connectors.get(spec.id);
  const probe = connector?.database?.content?.probeDurability;
  if (connector === undefined || probe === undefined) return "not_answered";
  const context = deps.userContextFor(connector, AbortSignal.timeout(probeTimeoutMs));
  const { migrationsTable } = deps.config;
  try {
    return await probe(context, values, migrationsTable === undefined ? {} : { migrationsTable });
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    deps.logger.warn({ connector: spec.id, code: error.code }, "a database could not be tested");
    return "not_answered";
  }
}
