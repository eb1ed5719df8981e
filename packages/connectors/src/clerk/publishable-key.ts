import { type KeyMode, trimEndOf } from "@keyloan/contract";

export type PublishableKey = {
  readonly mode: KeyMode;
  /** The host of the instance's Frontend API. */
  readonly host: string;
};

const hostPattern = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$/;

/**
 * Reads a publishable key: `pk_test_` or `pk_live_`, then the base64 of the Frontend API host and one `$`
 * (the form `@clerk/shared` builds and parses; padding is optional). Gives `undefined` for anything else,
 * also for hosts that are no public name, such as addresses.
 */
export function decodePublishableKey(key: string): PublishableKey | undefined {
  const [, mode, encoded] = /^pk_(test|live)_([A-Za-z0-9+/]+)={0,2}$/.exec(key) ?? [];
  if (encoded === undefined || (mode !== "test" && mode !== "live")) return undefined;
  const bytes = Buffer.from(encoded, "base64");
  // Buffer ignores stray bits at the end; a key must be the one encoding of its host.
  if (trimEndOf(bytes.toString("base64"), "=") !== encoded) return undefined;
  const text = bytes.toString("latin1");
  const host = text.slice(0, -1);
  return text.endsWith("$") && isPublicHostName(host) ? { mode, host } : undefined;
}

/** The publishable key of a Frontend API host, as Clerk's dashboard shows it. */
export function encodePublishableKey({ mode, host }: PublishableKey): string {
  return `pk_${mode}_${trimEndOf(Buffer.from(`${host}$`).toString("base64"), "=")}`;
}

/** Whether a name could be a host on the public internet: no address, no port, no private suffix. */
export function isPublicHostName(host: string): boolean {
  return (
    host.length <= 253 &&
    hostPattern.test(host) &&
    !/(?:^|\.)(?:localhost|local|internal|intranet|lan|home|corp|arpa|test|invalid|onion)$/.test(host)
  );
}
