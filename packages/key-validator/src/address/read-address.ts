import { isIP } from "node:net";
import type { Secret } from "@keyloan/contract";
import { type RefusedRange, refusedRangeOf } from "./refused-ranges.ts";

export type AddressRule =
  | "unreadable"
  | "scheme"
  | "credentials"
  | "unencrypted"
  | "port"
  | "name"
  | RefusedRange;

/** Which rule refused an address, and what to do. It never says what a name resolved to. */
export type AddressRefusal = {
  readonly ok: false;
  readonly rule: AddressRule;
  readonly message: string;
  readonly remedy: string;
};

export type ReadAddress = {
  readonly ok: true;
  /** Canonical, always `https:` or `http:`: libsql, wss and ws addresses are read as if they were. */
  readonly url: URL;
  /** A name, or an IP address without brackets. */
  readonly host: string;
  /** Whether it is one of the operator's own origins: then its name may resolve to any address. */
  readonly trusted: boolean;
};

export type AddressRules = {
  /**
   * Origins that the operator has chosen, such as `http://127.0.0.1:4010`: no rule applies to them. Only for a fetch
   * that is never given an address that a stranger typed.
   */
  readonly allowedOrigins?: readonly string[];
  /**
   * For development on one machine: allows loopback and private addresses, internal names, any port, no encryption.
   * Still refuses addresses that no such service uses: metadata, link-local, multicast, embedded and reserved ones.
   */
  readonly allowPrivate?: boolean;
};

/** Schemes by how their connection is encrypted. Anything else, `file:` above all, is refused. */
const encryptedSchemes = ["https:", "libsql:", "wss:"];
const plainSchemes = ["http:", "ws:"];
const ports = [443, 8080, 8443, 9000];

/**
 * Reads an address as a browser would, so that every spelling of a host has one meaning, and checks every rule that
 * needs no network. A name that passes may still resolve to any address: `guardAddress` checks that too.
 */
export function readAddress(
  address: string | URL | Secret,
  rules: AddressRules = {},
): ReadAddress | AddressRefusal {
  const url = parseAddress(textOf(address));
  if (!(url instanceof URL)) return url;
  const host = hostOf(url);
  const trusted = isTrusted(url, rules);
  const refusal = trusted
    ? undefined
    : (refuseConnection(url, rules) ??
      (isIP(host) === 0 ? refuseName(host, rules) : refuseIpAddress(host, rules)));
  return refusal ?? { ok: true, url, host, trusted };
}

const allowedInDevelopment: readonly RefusedRange[] = ["loopback", "private", "shared"];

/** Which rule refuses an IP address; `undefined` if none does. */
export function refuseIpAddress(
  ip: string,
  { allowPrivate = false }: AddressRules,
): AddressRefusal | undefined {
  const range = refusedRangeOf(ip);
  if (range === undefined || (allowPrivate && allowedInDevelopment.includes(range))) return undefined;
  return refuse(range, rangeMessages[range], usePublicAddress);
}

const textOf = (address: string | URL | Secret) =>
  typeof address === "string" ? address : address instanceof URL ? address.href : address.reveal();

function parseAddress(text: string): URL | AddressRefusal {
  // Parsers drop some of these and stop at others, so that what one takes for the host is part of the path for another.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\s\u0000-\u001f\u007f\\]/u.test(text))
    return unreadable("holds a space, a line break or a backslash");
  const [, scheme, rest] = /^([a-z][a-z0-9+.-]*:)\/\/(.*)$/isu.exec(text) ?? [];
  if (scheme === undefined || rest === undefined)
    return unreadable("does not start with a scheme such as https://");
  const protocol = scheme.toLowerCase();
  const encrypted = encryptedSchemes.includes(protocol);
  if (!encrypted && !plainSchemes.includes(protocol)) {
    return refuse(
      "scheme",
      `The address cannot start with ${protocol.slice(0, 20)}//.`,
      "Enter an address that starts with https://.",
    );
  }
  // A URL parser recognizes 2130706433 as an IP address only in http and https URLs.
  const http = encrypted && !/[?&]tls=0(?:&|$)/u.test(rest) ? "https" : "http";
  const url = URL.parse(`${http}://${rest}`);
  if (url === null || url.hostname === "") return unreadable("is incomplete or has an extra character");
  if (url.username !== "" || url.password !== "") {
    return refuse(
      "credentials",
      "The address holds a user name or a password before an @ sign.",
      "Remove everything between // and @; keys have their own fields.",
    );
  }
  return url;
}

function isTrusted(url: URL, { allowedOrigins = [] }: AddressRules): boolean {
  return allowedOrigins.some((trusted) => URL.parse(trusted)?.origin === url.origin);
}

/** The host without brackets, and without the dot at the end of a fully qualified name. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/u, "$1").replace(/\.$/u, "");
}

function refuseConnection(url: URL, { allowPrivate = false }: AddressRules): AddressRefusal | undefined {
  if (allowPrivate) return undefined;
  if (url.protocol !== "https:") {
    return refuse(
      "unencrypted",
      "The connection to this address is not encrypted.",
      "Enter the address that starts with https:// or libsql://, without tls=0.",
    );
  }
  const port = url.port === "" ? 443 : Number(url.port);
  if (ports.includes(port)) return undefined;
  return refuse(
    "port",
    `Services like this do not use port ${port}.`,
    `Leave the port out, or run the service on one of ${ports.join(", ")}.`,
  );
}

// Names that mean a different host in each network, including those of RFC 6761 and RFC 8375.
const innerNames =
  /(?:^|\.)(?:localhost|localdomain|local|internal|intranet|private|corp|home|lan|arpa|test|invalid|onion)$/u;

function refuseName(name: string, { allowPrivate = false }: AddressRules): AddressRefusal | undefined {
  if (!/^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9])?$/u.test(name) || name.includes("..")) {
    return unreadable("has an invalid host name");
  }
  if (allowPrivate || (name.includes(".") && !innerNames.test(name))) return undefined;
  return refuse(
    "name",
    "The address is a name that only one machine or one network knows.",
    usePublicAddress,
  );
}

const usePublicAddress =
  "Enter the address that the service shows you: one that can be reached from the whole internet.";

const rangeMessages: Readonly<Record<RefusedRange, string>> = {
  loopback: "The address points to the same machine that makes the request.",
  private: "The address points into a private network.",
  link_local: "The address points to a neighbour on a local network.",
  shared: "The address points into a network that a carrier shares among its customers.",
  metadata: "The address is where a cloud gives its machines their secrets.",
  multicast: "The address belongs to a group, not to one service.",
  embedded: "The address hides another address inside it.",
  reserved: "The address is reserved and cannot be reached from the internet.",
};

const unreadable = (problem: string) =>
  refuse("unreadable", `The address ${problem}.`, "Copy the whole address again, as the service shows it.");

function refuse(rule: AddressRule, message: string, remedy: string): AddressRefusal {
  return { ok: false, rule, message, remedy };
}
