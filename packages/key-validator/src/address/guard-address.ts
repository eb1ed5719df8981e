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

/** All addresses of a name. Rejects, or gives none, when there are none. */
export type Resolve = (host: string) => Promise<readonly ResolvedAddress[]>;

export type GuardOptions = AddressRules & {
  /** Default: the system's resolver. */
  readonly resolve?: Resolve;
};

export type GuardedAddress = ReadAddress & {
  /** What was checked. Connect to one of these and ask no resolver again: it may change its answer. */
  readonly addresses: readonly [ResolvedAddress, ...ResolvedAddress[]];
};

/**
 * Asks every rule of an address that a stranger typed, and of every address its name resolves to.
 * For connections that are not HTTP, connect to one of `addresses`, with `host` as the TLS server name.
 * @throws Error what the resolver throws, and when the name has no address
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

/** One inner address among public ones is enough: which of them is connected to is not ours to choose. */
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
