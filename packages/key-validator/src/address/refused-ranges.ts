import { BlockList, isIP, isIPv4 } from "node:net";

export type RefusedRange =
  | "loopback"
  | "private"
  | "link_local"
  | "shared"
  | "metadata"
  | "multicast"
  | "embedded"
  | "reserved";

type Subnet = readonly [address: string, prefix: number];

// IANA IPv4 Special-Purpose Address Registry and multicast block. The first range that contains an address counts.
const ipv4: readonly (readonly [RefusedRange, readonly Subnet[]])[] = [
  // Instance metadata: the common link-local one, Alibaba Cloud, Oracle Cloud, and Azure's on a public address.
  [
    "metadata",
    [
      ["169.254.169.254", 32],
      ["100.100.100.200", 32],
      ["192.0.0.192", 32],
      ["168.63.129.16", 32],
    ],
  ],
  ["loopback", [["127.0.0.0", 8]]],
  [
    "private",
    [
      ["10.0.0.0", 8],
      ["172.16.0.0", 12],
      ["192.168.0.0", 16],
    ],
  ],
  ["link_local", [["169.254.0.0", 16]]],
  ["shared", [["100.64.0.0", 10]]],
  ["multicast", [["224.0.0.0", 4]]],
  [
    "reserved",
    [
      ["0.0.0.0", 8],
      ["192.0.0.0", 24],
      ["192.0.2.0", 24],
      ["192.31.196.0", 24],
      ["192.52.193.0", 24],
      ["192.88.99.0", 24],
      ["192.175.48.0", 24],
      ["198.18.0.0", 15],
      ["198.51.100.0", 24],
      ["203.0.113.0", 24],
      ["240.0.0.0", 4],
    ],
  ],
];

// IANA IPv6 Special-Purpose Address Registry; RFC 4291 for the mapped, compatible, site-local and multicast forms.
const ipv6: readonly (readonly [RefusedRange, readonly Subnet[]])[] = [
  [
    "metadata",
    [
      ["fd00:ec2::254", 128],
      ["fd20:ce::254", 128],
    ],
  ],
  ["loopback", [["::1", 128]]],
  [
    "private",
    [
      ["fc00::", 7],
      ["fec0::", 10],
    ],
  ],
  ["link_local", [["fe80::", 10]]],
  ["multicast", [["ff00::", 8]]],
  [
    // Forms that contain an IPv4 address: mapped, compatible, translated, NAT64 (well-known and local), 6to4, Teredo.
    "embedded",
    [
      ["::ffff:0:0", 96],
      ["::ffff:0:0:0", 96],
      ["::", 96],
      ["64:ff9b::", 96],
      ["64:ff9b:1::", 48],
      ["2002::", 16],
      ["2001::", 32],
    ],
  ],
  [
    "reserved",
    [
      ["2001::", 23],
      ["2001:db8::", 32],
      ["2620:4f:8000::", 48],
      ["3fff::", 20],
    ],
  ],
];

const refusedIpv4 = ipv4.map(([range, subnets]) => [range, blockList(subnets, "ipv4")] as const);
const refusedIpv6 = ipv6.map(([range, subnets]) => [range, blockList(subnets, "ipv6")] as const);
const globalUnicast = blockList([["2000::", 3]], "ipv6");

/**
 * The range because of which we must not call an IP address for a stranger; `undefined` for public addresses.
 * In IPv6 only global unicast (2000::/3) is public. Text that is not an IP address counts as `reserved`.
 */
export function refusedRangeOf(address: string): RefusedRange | undefined {
  if (isIPv4(address)) return refusedIpv4.find(([, list]) => list.check(address, "ipv4"))?.[0];
  // A zone id (`fe80::1%eth0`) has a meaning on one machine only.
  if (isIP(address) !== 6 || address.includes("%")) return "reserved";
  const found = refusedIpv6.find(([, list]) => list.check(address, "ipv6"))?.[0];
  if (found !== undefined) return found;
  return globalUnicast.check(address, "ipv6") && !isIsatap(address) ? undefined : "reserved";
}

/** An interface id of 0000:5efe or 0200:5efe carries an IPv4 address under any prefix (RFC 5214). */
function isIsatap(address: string): boolean {
  const { hostname } = new URL(`http://[${address}]`);
  const groups = expandGroups(hostname.slice(1, -1));
  return groups[5] === 0x5efe && (groups[4] === 0 || groups[4] === 0x0200);
}

function expandGroups(canonical: string): readonly number[] {
  const [head = "", tail] = canonical.split("::");
  const read = (part: string) =>
    part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16));
  const [before, after] = [read(head), read(tail ?? "")];
  if (tail === undefined) return before;
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
}

function blockList(subnets: readonly Subnet[], family: "ipv4" | "ipv6"): BlockList {
  const list = new BlockList();
  for (const [address, prefix] of subnets) list.addSubnet(address, prefix, family);
  return list;
}
