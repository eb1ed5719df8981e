import { BlockList, isIP } from "node:net";

/** Networks of proxies whose word on a client's address is believed. */
export type TrustedProxies = { readonly include: (address: string) => boolean };

/** Networks such as `10.0.0.0/8` and `2001:db8::/32`, and single addresses; `proxiesProblem` told the others. */
export function trustedProxies(networks: readonly string[]): TrustedProxies {
  const list = new BlockList();
  for (const network of networks.map(readNetwork)) {
    if (network !== undefined) list.addSubnet(network.address, network.prefix, network.family);
  }
  return { include: (address) => list.check(address, isIP(address) === 6 ? "ipv6" : "ipv4") };
}

/** Why the networks cannot be used, without saying what they are. */
export function proxiesProblem(networks: readonly string[]): string | undefined {
  if (networks.every((network) => readNetwork(network) !== undefined)) return undefined;
  return "must be networks such as 10.0.0.0/8 or 2001:db8::/32, joined by commas";
}

/** A network that is all addresses is none: it would believe everybody. */
function readNetwork(text: string) {
  const [start = "", length, ...rest] = text.split("/");
  const address = plainAddress(start);
  if (address === undefined || rest.length > 0) return undefined;
  const family = isIP(address) === 6 ? "ipv6" : "ipv4";
  const bits = family === "ipv6" ? 128 : 32;
  if (length === undefined) return { address, family, prefix: bits } as const;
  const prefix = /^[1-9]\d{0,2}$/.test(length) ? Number(length) : 0;
  return prefix >= 1 && prefix <= bits ? ({ address, family, prefix } as const) : undefined;
}

/**
 * Whose request it is: the peer's, or what trusted proxies say of it. Each proxy adds whom it heard at the end, so
 * the header is read from there, and the first address that is no proxy's is the client's; what stands before it
 * the client may have written itself. Whatever cannot be read, or says two things, counts as the peer's own.
 */
export function clientAddress(
  peer: string,
  headers: { readonly forwarded: string | undefined; readonly xForwardedFor: string | undefined },
  proxies: TrustedProxies,
): string {
  const direct = plainAddress(peer);
  if (direct === undefined) return "unknown";
  if (!proxies.include(direct)) return direct;
  const told = [
    headers.xForwardedFor?.split(","),
    headers.forwarded === undefined ? undefined : forwardedFor(headers.forwarded),
  ].filter((list) => list !== undefined);
  // A proxy that writes one of the two passes on what the client wrote into the other.
  const [found, ...others] = told.map((list) => lastForeign(list, proxies));
  return found === undefined || others.some((other) => other !== found) ? direct : found;
}

/** Names of the buckets of an address, with the share of each: an IPv6 customer has a whole network. */
export function addressBuckets(
  address: string,
): readonly { readonly name: string; readonly share: number }[] {
  if (isIP(address) !== 6) return [{ name: address, share: 1 }];
  const groups = address.split(":");
  return [
    { name: `${groups.slice(0, 4).join(":")}/64`, share: 1 },
    { name: `${groups.slice(0, 3).join(":")}/48`, share: 16 },
  ];
}

function lastForeign(list: readonly string[], proxies: TrustedProxies): string | undefined {
  let address: string | undefined;
  for (const text of list.toReversed()) {
    address = hopAddress(text.trim());
    if (address === undefined || !proxies.include(address)) return address;
  }
  return address;
}

/** The `for` of each element of a `Forwarded` header (RFC 7239); one without it is unreadable. */
function forwardedFor(header: string): readonly string[] {
  return header
    .split(",")
    .map((element) => /(?:^|;)\s*for=(?:"([^"\\]*)"|([^\s";,]+))\s*(?:;|$)/i.exec(element))
    .map((match) => match?.[1] ?? match?.[2] ?? "");
}

/** An address of a hop, whose port does not matter. */
function hopAddress(text: string): string | undefined {
  const bracketed = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text)?.[1];
  const withPort = /^([\d.]+):\d{1,5}$/.exec(text)?.[1];
  return plainAddress(bracketed ?? withPort ?? text);
}

/** One spelling for each address: dotted IPv4, also of an IPv6 that only embeds one, or eight groups of IPv6. */
function plainAddress(text: string): string | undefined {
  const family = isIP(text);
  if (family === 4) return text;
  // What follows a percent sign means something on one machine alone.
  if (family === 0 || text.includes("%")) return undefined;
  const dotted = /(?<=:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  const tail = dotted?.slice(1).map(Number) ?? [];
  const pair = (at: number) => (((tail[at] ?? 0) << 8) | (tail[at + 1] ?? 0)).toString(16);
  const hexadecimal = dotted === null ? text : `${text.slice(0, dotted.index)}${pair(0)}:${pair(2)}`;
  const [head = "", rest] = hexadecimal.toLowerCase().split("::");
  const before = head === "" ? [] : head.split(":");
  const after = rest === undefined || rest === "" ? [] : rest.split(":");
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
  const groups = [...before, ...zeros, ...after].map((group) => Number.parseInt(group, 16));
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return groups
      .slice(6)
      .flatMap((group) => [group >> 8, group & 255])
      .join(".");
  }
  return groups.map((group) => group.toString(16)).join(":");
}
