import { describe, expect, it } from "vitest";
import { addressBuckets, clientAddress, proxiesProblem, trustedProxies } from "./client-address.ts";

const proxies = trustedProxies(["127.0.0.1", "10.0.0.0/8", "2001:db8:aaaa::/48"]);
const told = (xForwardedFor?: string, forwarded?: string, peer = "127.0.0.1") =>
  clientAddress(peer, { xForwardedFor, forwarded }, proxies);
const own = "127.0.0.1";

describe("the address of a client", () => {
  it.each([
    ["without a header", undefined, own],
    ["with one address", "203.0.113.7", "203.0.113.7"],
    ["behind two proxies", "203.0.113.7, 10.1.1.1, 10.2.2.2", "203.0.113.7"],
    ["that puts others before its own", "198.51.100.1, 203.0.113.7, 10.1.1.1", "203.0.113.7"],
    ["that puts a proxy's before its own", "10.9.9.9, 203.0.113.7", "203.0.113.7"],
    ["that puts nonsense before its own", "x'; DROP, 203.0.113.7, 10.1.1.1", "203.0.113.7"],
    ["inside the proxies' network", "10.5.5.5, 10.1.1.1", "10.5.5.5"],
    ["with a port", "203.0.113.7:4711", "203.0.113.7"],
    ["of IPv6", "2001:DB8::1, 2001:db8:aaaa::2", "2001:db8:0:0:0:0:0:1"],
    ["of IPv6 with a port", "[2001:db8::1]:443", "2001:db8:0:0:0:0:0:1"],
    ["of IPv4 inside IPv6", "::ffff:203.0.113.7", "203.0.113.7"],
    ["of IPv4 inside IPv6, in hexadecimal", "::ffff:cb00:7107", "203.0.113.7"],
    ["of a trusted proxy inside IPv6", "203.0.113.7, ::ffff:10.1.1.1", "203.0.113.7"],
    ["that is empty", "", own],
    ["that ends in nothing", "203.0.113.7,", own],
    ["that is no address", "unknown", own],
    ["that is a name", "localhost", own],
    ["with a zone", "fe80::1%eth0", own],
    ["with zeros before", "010.0.0.1", own],
    ["that is a number", "3405803783", own],
    ["with white space inside", "203.0.113. 7", own],
  ])("%s is found in X-Forwarded-For", (_what, header, expected) => {
    expect(told(header)).toBe(expected);
  });

  it.each([
    ["one element", "for=203.0.113.7", "203.0.113.7"],
    ["more than the address", 'For="203.0.113.7:80";proto=https;by=10.0.0.1', "203.0.113.7"],
    ["IPv6", 'proto=https;for="[2001:db8::1]:4711"', "2001:db8:0:0:0:0:0:1"],
    ["two elements", "for=198.51.100.1, for=203.0.113.7, for=10.1.1.1", "203.0.113.7"],
    ["an element without it", "for=203.0.113.7, proto=https", own],
    ["a hidden client", "for=_hidden", own],
    ["an unknown client", "for=unknown", own],
    ["a comma in quotes", 'for="203.0.113.7,198.51.100.1"', own],
    ["another name that ends like it", "xfor=203.0.113.7", own],
  ])("is found in Forwarded with %s", (_what, header, expected) => {
    expect(told(undefined, header)).toBe(expected);
  });

  it("is the peer's own when the two headers tell different ones, for the client may have written one", () => {
    expect(told("203.0.113.7", "for=198.51.100.1")).toBe(own);
    expect(told("203.0.113.7", "for=203.0.113.7")).toBe("203.0.113.7");
    expect(told("203.0.113.7", "for=unknown")).toBe(own);
  });

  it.each(["203.0.113.9", "::ffff:203.0.113.9"])(
    "is the peer's own when it is no proxy of ours: %s",
    (peer) => {
      expect(told("198.51.100.1", undefined, peer)).toBe("203.0.113.9");
      expect(told(undefined, "for=198.51.100.1", peer)).toBe("203.0.113.9");
    },
  );

  it("is the same for a peer that writes it as IPv6", () => {
    expect(told("203.0.113.7", undefined, "::ffff:127.0.0.1")).toBe("203.0.113.7");
  });

  it("is nobody's when the peer is not known", () => {
    expect(told("203.0.113.7", undefined, "")).toBe("unknown");
  });
});

describe("the buckets of an address", () => {
  it("are one for IPv4", () => {
    expect(addressBuckets("203.0.113.7")).toEqual([{ name: "203.0.113.7", share: 1 }]);
  });

  it("are those of its networks for IPv6", () => {
    const names = (address: string) => addressBuckets(told(address)).map(({ name }) => name);
    expect(names("2001:db8:1:2::1")).toEqual(names("2001:db8:1:2:ffff:ffff:ffff:ffff"));
    expect(names("2001:db8:1:2::1")[0]).not.toBe(names("2001:db8:1:3::1")[0]);
    expect(names("2001:db8:1:2::1")[1]).toBe(names("2001:db8:1:3::1")[1]);
  });
});

describe("networks of proxies", () => {
  it.each(["10.0.0.0/8", "192.168.1.7", "fd00::/8", "::1", "::ffff:10.0.0.1"])("may be %s", (network) => {
    expect(proxiesProblem([network])).toBeUndefined();
  });

  it.each([
    "",
    "10.0.0.0/33",
    "10.0.0.0/0",
    "::/0",
    "fd00::/129",
    "10.0.0.0/8/8",
    "10.0.0.0/",
    "10.0.0.0/08",
    "10.0.0/8",
    "proxy.example.com",
    "10.0.0.0 / 8",
    "*",
  ])("may not be %j, and the problem does not repeat it", (network) => {
    const problem = proxiesProblem(["10.0.0.0/8", network]);
    expect(problem).toContain("must be networks");
    expect(problem?.replace("10.0.0.0/8 or", "")).not.toContain(network === "" ? "\0" : network);
  });
});
