import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { Secret } from "@keyloan/contract";
import {
  type AddressRefusal,
  type AddressRules,
  type ReadAddress,
  readAddress,
  refuseIpAddress,
} from "./read-address.ts";

export type ResolvedAddress = { readonly address: string; readonly family: 4 | 6 };

/** Resolves a name to all its addresses. Rejects, or returns an empty list, if there are none. */
export type Resolve = (host: string) => Promise<readonly ResolvedAddress[]>;

export type GuardOptions = AddressRules & {
  /** Default: the system's resolver. */
  readonly resolve?: Resolve;
};

export type GuardedAddress = ReadAddress & {
  /** The checked addresses. Connect to one of these and do not resolve the name again: the answer may change. */
  readonly addresses: readonly [ResolvedAddress, ...ResolvedAddress[]];
};

/**
 * Checks an address that a stranger typed, and every IP address that its name resolves to, against every rule.
 * For connections that are not HTTP, connect to one of `addresses`, with `host` as the TLS server name.
 * @throws what the resolver throws, and Error if the name has no address
 */
export async function guardAddress(
  address: string | URL | Secret,
  options: GuardOptions = {},
): Promise<GuardedAddress | AddressRefusal> {
  const read = readAddress(address, options);
  if (!read.ok) return read;
  const [first, ...others] = await resolveHost(read.host, options.resolve ?? resolveWithSystem);
  if (first === undefined) throw new Error("the host name has no address");
  const refusal = read.trusted ? undefined : refuseAny([first, ...others], options);
  return refusal ?? { ...read, addresses: [first, ...others] };
}

async function resolveHost(host: string, resolve: Resolve): Promise<readonly ResolvedAddress[]> {
  const family = isIP(host);
  return family === 4 || family === 6 ? [{ address: host, family }] : resolve(host);
}

/** Refuses if only one address is internal: we cannot choose which of them a connection uses. */
function refuseAny(addresses: readonly ResolvedAddress[], rules: AddressRules): AddressRefusal | undefined {
  for (const { address } of addresses) {
    const refusal = refuseIpAddress(address, rules);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

const resolveWithSystem: Resolve = async (host) => {
  const found = await lookup(host, { all: true });
  return found.map(({ address }) => ({ address, family: isIP(address) === 6 ? 6 : 4 }));
};
