import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { guardAddress, type Resolve } from "./guard-address.ts";
import { readAddress } from "./read-address.ts";

const publicIp = "93.184.216.34";
const resolveTo =
  (...addresses: string[]): Resolve =>
  async () =>
    addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
const unasked: Resolve = () => Promise.reject(new Error("the resolver was asked"));

describe("hostile addresses", () => {
  it.each([
    // This machine.
    ["https://127.0.0.1", "loopback"],
    ["https://127.0.0.1:8080/v2", "loopback"],
    ["https://127.255.255.254", "loopback"],
    ["https://127.1", "loopback"],
    ["https://127.0.1", "loopback"],
    ["https://2130706433", "loopback"],
    ["https://0x7f000001", "loopback"],
    ["https://0x7f.0.0.1", "loopback"],
    ["https://0177.0.0.1", "loopback"],
    ["https://017700000001", "loopback"],
    ["https://0x7F.0x0.0x0.0x1", "loopback"],
    ["https://127.0.0.1.", "loopback"],
    ["https://127。0。0。1", "loopback"],
    ["https://127.0.0.1", "loopback"],
    ["https://①②⑦.0.0.1", "loopback"],
    ["https://127%2e0%2e0%2e1", "loopback"],
    ["https://%31%32%37.0.0.1", "loopback"],
    ["https://[::1]", "loopback"],
    ["https://[0:0:0:0:0:0:0:1]", "loopback"],
    ["https://[0000::0001]:8443", "loopback"],
    ["libsql://127.0.0.1", "loopback"],
    ["libsql://2130706433", "loopback"],
    ["wss://0x7f.1", "loopback"],
    ["https://localhost", "name"],
    ["https://LOCALHOST.", "name"],
    ["https://db.localhost", "name"],
    ["https://loc\u00ADalhost", "name"],
    ["https://localhost.localdomain", "name"],
    ["https://0.0.0.0", "reserved"],
    ["https://0", "reserved"],
    ["https://[::]", "embedded"],
    // Private networks.
    ["https://10.0.0.1", "private"],
    ["https://10.255.255.255", "private"],
    ["https://172.16.0.1", "private"],
    ["https://172.31.255.254", "private"],
    ["https://192.168.1.1", "private"],
    ["https://192.168.257", "private"],
    ["https://3232235777", "private"],
    ["https://0xC0A80101", "private"],
    ["https://0300.0250.1.1", "private"],
    ["https://[fc00::1]", "private"],
    ["https://[fdff::1]", "private"],
    ["https://[fec0::1]", "private"],
    ["https://100.64.0.1", "shared"],
    ["https://100.127.255.254", "shared"],
    ["https://169.254.10.10", "link_local"],
    ["https://[fe80::1]", "link_local"],
    ["https://[fe80::1%25eth0]", "unreadable"],
    ["https://intranet", "name"],
    ["https://db.internal", "name"],
    ["https://metadata.google.internal", "name"],
    ["https://nas.local", "name"],
    ["https://router.lan", "name"],
    ["https://box.home.arpa", "name"],
    ["https://1.0.0.127.in-addr.arpa", "name"],
    // Where clouds keep secrets.
    ["https://169.254.169.254/latest/meta-data/", "metadata"],
    ["https://2852039166", "metadata"],
    ["https://0xA9FEA9FE", "metadata"],
    ["https://0251.0376.0251.0376", "metadata"],
    ["https://169.254.43518", "metadata"],
    ["https://[fd00:ec2::254]", "metadata"],
    ["https://100.100.100.200", "metadata"],
    ["https://192.0.0.192", "metadata"],
    ["https://168.63.129.16", "metadata"],
    // An address inside an address.
    ["https://[::ffff:127.0.0.1]", "embedded"],
    ["https://[::ffff:7f00:1]", "embedded"],
    ["https://[::ffff:169.254.169.254]", "embedded"],
    ["https://[::ffff:93.184.216.34]", "embedded"],
    ["https://[::127.0.0.1]", "embedded"],
    ["https://[::ffff:0:10.0.0.1]", "embedded"],
    ["https://[64:ff9b::10.0.0.1]", "embedded"],
    ["https://[64:ff9b::a9fe:a9fe]", "embedded"],
    ["https://[64:ff9b:1::7f00:1]", "embedded"],
    ["https://[2002:7f00:1::]", "embedded"],
    ["https://[2002:c0a8:101::1]", "embedded"],
    ["https://[2001:0:7f00:1::1]", "embedded"],
    ["https://[2a00:1450::5efe:10.0.0.1]", "reserved"],
    ["https://[2a00:1450::200:5efe:127.0.0.1]", "reserved"],
    // Groups, examples, nothing.
    ["https://224.0.0.1", "multicast"],
    ["https://239.255.255.250", "multicast"],
    ["https://[ff02::1]", "multicast"],
    ["https://240.0.0.1", "reserved"],
    ["https://255.255.255.255", "reserved"],
    ["https://192.0.2.1", "reserved"],
    ["https://198.18.0.1", "reserved"],
    ["https://198.51.100.7", "reserved"],
    ["https://203.0.113.7", "reserved"],
    ["https://192.88.99.1", "reserved"],
    ["https://[2001:db8::1]", "reserved"],
    ["https://[2001:20::1]", "reserved"],
    ["https://[3fff::1]", "reserved"],
    ["https://[100::1]", "reserved"],
    ["https://[4000::1]", "reserved"],
    // Other schemes, credentials, ports, spellings.
    ["file:///etc/passwd", "scheme"],
    ["FILE://localhost/etc/passwd", "scheme"],
    ["file:dev.db", "unreadable"],
    ["ftp://example.com", "scheme"],
    ["gopher://example.com:6379/_INFO", "scheme"],
    ["unix:///var/run/docker.sock", "scheme"],
    ["data:text/plain,hello", "unreadable"],
    ["javascript:alert(1)", "unreadable"],
    [":memory:", "unreadable"],
    ["example.com", "unreadable"],
    ["//example.com", "unreadable"],
    ["https:example.com", "unreadable"],
    ["", "unreadable"],
    ["https://", "unreadable"],
    ["https://example.com@127.0.0.1", "credentials"],
    ["https://user:password@example.com", "credentials"],
    ["https://example.com\\@127.0.0.1", "unreadable"],
    ["https:\\\\127.0.0.1", "unreadable"],
    ["https://exam\nple.com", "unreadable"],
    ["https://exam\tple.com", "unreadable"],
    [" https://example.com", "unreadable"],
    ["https://example.com\u0000.internal", "unreadable"],
    ["https://127.0.0.1,example.com", "unreadable"],
    ["https://exa$mple.com", "unreadable"],
    ["https://a..example.com", "unreadable"],
    ["https://256.256.256.256", "unreadable"],
    ["https://1.2.3.4.5", "unreadable"],
    ["https://[::1", "unreadable"],
    ["https://example.com:22", "port"],
    ["https://example.com:25", "port"],
    ["https://example.com:6379", "port"],
    ["https://example.com:99999", "unreadable"],
    ["http://example.com", "unencrypted"],
    ["ws://example.com", "unencrypted"],
    ["libsql://example.com?tls=0", "unencrypted"],
    ["libsql://example.com:8080/?a=1&tls=0", "unencrypted"],
  ])("%s is refused by rule %s before any name is resolved", async (address, rule) => {
    const answer = await guardAddress(address, { resolve: unasked });
    expect(answer).toMatchObject({ ok: false, rule });
  });

  it.each([
    ["127.0.0.1"],
    ["10.1.2.3"],
    ["169.254.169.254"],
    ["100.64.0.1"],
    ["::1"],
    ["fd00:ec2::254"],
    ["fe80::1%eth0"],
    ["2606:2800:220:1::1%eth0"],
    ["::ffff:10.0.0.1"],
    ["64:ff9b::7f00:1"],
    ["0.0.0.0"],
    ["no address at all"],
  ])("a name that resolves to %s is refused, and the refusal does not tell it", async (inner) => {
    const answer = await guardAddress("https://db.example.com", { resolve: resolveTo(inner) });
    expect(answer.ok).toBe(false);
    expect(JSON.stringify(answer)).not.toContain(inner);
  });

  it("one inner address among public ones is enough", async () => {
    const resolve = resolveTo(publicIp, "2606:2800:220:1::1", "10.0.0.1");
    expect(await guardAddress("https://db.example.com", { resolve })).toMatchObject({
      ok: false,
      rule: "private",
    });
  });

  it("a name without an address is an error, not a refusal", async () => {
    await expect(guardAddress("https://db.example.com", { resolve: resolveTo() })).rejects.toThrow(
      "no address",
    );
  });
});

describe("public addresses", () => {
  it.each([
    ["https://db.example.com", "https://db.example.com/"],
    ["https://DB.Example.com:443/a?b=c", "https://db.example.com/a?b=c"],
    ["libsql://notes-acme.turso.io", "https://notes-acme.turso.io/"],
    ["libsql://notes-acme.turso.io?tls=1", "https://notes-acme.turso.io/?tls=1"],
    ["wss://db.example.com:8443", "https://db.example.com:8443/"],
    ["https://bücher.example", "https://xn--bcher-kva.example/"],
    ["https://93.184.216.34", "https://93.184.216.34/"],
    ["https://172.32.0.1", "https://172.32.0.1/"],
    ["https://100.128.0.1", "https://100.128.0.1/"],
    ["https://[2606:2800:220:1:248:1893:25c8:1946]", "https://[2606:2800:220:1:248:1893:25c8:1946]/"],
    ["https://db.example.com.", "https://db.example.com./"],
  ])("%s passes as %s", async (address, canonical) => {
    const answer = await guardAddress(address, { resolve: resolveTo(publicIp) });
    expect(answer.ok && answer.url.href).toBe(canonical);
  });

  it("come with the addresses that were checked", async () => {
    const answer = await guardAddress("https://db.example.com", { resolve: resolveTo(publicIp) });
    expect(answer).toMatchObject({
      ok: true,
      host: "db.example.com",
      addresses: [{ address: publicIp, family: 4 }],
    });
  });
});

describe("exceptions", () => {
  it("an allowed origin is that origin alone", () => {
    const rules = { allowedOrigins: ["http://127.0.0.1:4010/some/path"] };
    expect(readAddress("http://127.0.0.1:4010/v1", rules)).toMatchObject({ ok: true, trusted: true });
    expect(readAddress("http://127.0.0.1:4011/v1", rules)).toMatchObject({ ok: false });
    expect(readAddress("https://127.0.0.1:4010/v1", rules)).toMatchObject({ ok: false });
    expect(readAddress("http://user@127.0.0.1:4010/v1", rules)).toMatchObject({
      ok: false,
      rule: "credentials",
    });
  });

  it.each([
    ["http://127.0.0.1:4010"],
    ["http://localhost:4010"],
    ["http://db.localhost:4010"],
    ["libsql://127.0.0.1:8081?tls=0"],
    ["http://192.168.1.7:9000"],
    ["http://minio:9000"],
    ["https://[::1]"],
  ])("%s is allowed in development", async (address) => {
    const resolve = resolveTo("127.0.0.1");
    expect(await guardAddress(address, { allowPrivate: true, resolve })).toMatchObject({ ok: true });
  });

  it.each([
    ["http://169.254.169.254", "metadata"],
    ["http://[fd00:ec2::254]", "metadata"],
    ["http://169.254.1.1", "link_local"],
    ["http://[::ffff:127.0.0.1]", "embedded"],
    ["http://224.0.0.1", "multicast"],
    ["file:///etc/passwd", "scheme"],
    ["http://user@localhost", "credentials"],
  ])("%s is refused in development too", (address, rule) => {
    expect(readAddress(address, { allowPrivate: true })).toMatchObject({ ok: false, rule });
  });
});

describe("any spelling", () => {
  const octet = fc.integer({ min: 0, max: 255 });
  const innerIpv4 = fc.oneof(
    fc.tuple(fc.constantFrom(10, 127, 0, 224, 255), octet, octet, octet),
    fc.tuple(fc.constant(192), fc.constant(168), octet, octet),
    fc.tuple(fc.constant(172), fc.integer({ min: 16, max: 31 }), octet, octet),
    fc.tuple(fc.constant(169), fc.constant(254), octet, octet),
    fc.tuple(fc.constant(100), fc.integer({ min: 64, max: 127 }), octet, octet),
  );
  const spellNumber = (value: number, base: string) =>
    base === "hex" ? `0x${value.toString(16)}` : base === "octal" ? `0${value.toString(8)}` : `${value}`;
  const base = fc.constantFrom("decimal", "hex", "octal");
  const spelled = fc
    .record({
      octets: innerIpv4,
      bases: fc.tuple(base, base, base, base),
      parts: fc.integer({ min: 1, max: 4 }),
      dot: fc.constantFrom(".", "。", "．", "｡", "%2e", "%E3%80%82"),
      end: fc.constantFrom("", "."),
      disguise: fc.constantFrom("plain", "fullwidth", "percent", "upper"),
    })
    .map(({ octets, bases, parts, dot, end, disguise }) => {
      const last = octets.slice(parts - 1).reduce((sum, each) => sum * 256 + each, 0);
      const numbers = [...octets.slice(0, parts - 1), last];
      const texts = numbers.map((value, at) =>
        disguiseText(spellNumber(value, bases[at] ?? "decimal"), disguise),
      );
      return texts.join(dot) + end;
    });
  const disguiseText = (text: string, disguise: string) =>
    disguise === "upper"
      ? text.toUpperCase()
      : [...text]
          .map((sign) =>
            disguise === "fullwidth"
              ? String.fromCodePoint((sign.codePointAt(0) ?? 0) + 0xfee0)
              : disguise === "percent"
                ? `%${(sign.codePointAt(0) ?? 0).toString(16)}`
                : sign,
          )
          .join("");

  it("of an inner IPv4 address is refused without asking a resolver", async () => {
    await fc.assert(
      fc.asyncProperty(spelled, fc.constantFrom("https", "libsql", "wss"), async (host, scheme) => {
        const answer = await guardAddress(`${scheme}://${host}/`, { resolve: unasked });
        expect(answer.ok).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it("of an inner IPv4 address inside an IPv6 one is refused", async () => {
    const wrapped = fc
      .tuple(
        innerIpv4,
        fc.constantFrom("::", "::ffff:", "::ffff:0:", "64:ff9b::", "64:ff9b:1::", "2a00:1450::5efe:"),
      )
      .map(([octets, prefix]) => `https://[${prefix}${octets.join(".")}]`);
    await fc.assert(
      fc.asyncProperty(wrapped, async (address) => {
        expect((await guardAddress(address, { resolve: unasked })).ok).toBe(false);
      }),
    );
  });

  it("of anything else is refused or resolved, and never throws by itself", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: "binary" }),
        fc.constantFrom("", "https://", "libsql://["),
        async (text, before) => {
          const answer = await guardAddress(before + text, { resolve: resolveTo("10.0.0.1") });
          expect(answer.ok).toBe(
            answer.ok && answer.addresses.every(({ address }) => address !== "10.0.0.1"),
          );
        },
      ),
    );
  });
});
