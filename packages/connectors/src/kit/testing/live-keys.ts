import type { ConnectorSpec } from "@keyloan/contract";

/** The org key for tests at a real provider, as far as it is given. */
export type LiveKeys =
  | { readonly state: "given"; readonly fields: Readonly<Record<string, string>> }
  /** Nothing is given: the tests are skipped. `needed` would enable them. */
  | { readonly state: "absent"; readonly needed: readonly string[] }
  /** Some of it is given, which is a mistake. */
  | { readonly state: "incomplete"; readonly missing: readonly string[] };

/** The variable that gives a field of an org key, for instance `KEYLOAN_LIVE_STRIPE_SECRET_KEY` for `secretKey`. */
export function liveVariable(connectorId: string, field: string): string {
  const words = (text: string) =>
    text
      .replaceAll("-", "_")
      .replaceAll(/(?=[A-Z])/g, "_")
      .toUpperCase();
  return `KEYLOAN_LIVE_${words(connectorId)}_${words(field)}`;
}

/** Reads a connector's live keys; an empty variable counts as unset. */
export function readLiveKeys(
  { id, orgFields }: ConnectorSpec,
  environment: Readonly<Record<string, string | undefined>>,
): LiveKeys {
  const fields: Record<string, string> = {};
  for (const { name } of orgFields) {
    const value = environment[liveVariable(id, name)];
    if (value !== undefined && value !== "") fields[name] = value;
  }
  const needed = orgFields.filter(({ optional }) => optional !== true).map(({ name }) => name);
  const missing = needed.filter((name) => fields[name] === undefined).map((name) => liveVariable(id, name));
  if (missing.length === 0) return { state: "given", fields };
  if (Object.keys(fields).length > 0) return { state: "incomplete", missing };
  return { state: "absent", needed: missing };
}
