import { createHash, randomBytes } from "node:crypto";
import {
  type Connector,
  type ConnectorContext,
  type SecretValues,
  type StorageContent,
  type StoredObject,
  secretValues,
} from "@keyloan/contract";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Fault, StartEmulator } from "../emulator.ts";
import {
  everythingOf,
  openEmulatorTarget,
  orgCredential,
  planLease,
  slotOf,
  testContext,
} from "./harness.ts";
import { failureOf } from "./issuer-promises.ts";
import { mark, markedBody } from "./marked-body.ts";

/** What an app does with its storage, by a plain client of its ecosystem. Keys are as in StoredObject. */
export type StorageTestClient = {
  readonly put: (
    values: SecretValues,
    key: string,
    bytes: Uint8Array,
    headers?: Readonly<Record<string, string>>,
  ) => Promise<void>;
  /** The bytes and all headers that were put with them; `undefined` when there is no such object. */
  readonly get: (
    values: SecretValues,
    key: string,
  ) => Promise<{ readonly bytes: Buffer; readonly headers: Readonly<Record<string, string>> } | undefined>;
  /** How many unfinished uploads there are. */
  readonly pending: (values: SecretValues) => Promise<number>;
};

export type StorageSuite = {
  readonly connector: Connector;
  readonly startEmulator: StartEmulator;
  /** How many objects a page of that one's listing holds, and one call deletes. */
  readonly entriesMax: number;
  readonly client: StorageTestClient;
  readonly options?: unknown;
  /** Bytes of an object that goes in several parts. */
  readonly largeBytes: number;
  /** Keys that the connector cannot carry, and refuses. */
  readonly refusedKeys: readonly string[];
};

const trickyKeys: readonly [string, string][] = [
  ["spaces", " a  b "],
  ["a plus and a percent sign", "a+b%2Bc%zz%"],
  ["letters beyond ASCII", "ключ/🔑/é"],
  ["slashes at its beginning, its end and in pairs", "/a//b/"],
  ["signs of addresses and of XML", "q?a=1&b#c<d>\"'`]]>"],
  ["a backslash and a colon", "c:\\temp\\x"],
  ["a name like a prefix", "builds"],
  ["dots that are no path", "..a/.b/c../..."],
];

/** What a connector promises that moves stored objects: every byte, every header, and nothing half done. */
export function testStorage(suite: StorageSuite): void {
  const { connector, client } = suite;
  const storage = storageOf(connector);

  describe(`${connector.spec.id} moves stored objects as every storage promises`, () => {
    let target: Awaited<ReturnType<typeof openEmulatorTarget>>;
    let lent: SecretValues;
    let own: SecretValues;
    beforeAll(async () => {
      target = await openEmulatorTarget(suite.startEmulator);
    });
    afterAll(() => target?.close());
    beforeEach(async () => {
      target.emulator.faults.clear();
      const context = testContext({ baseUrl: target.baseUrl });
      const org = await orgCredential(connector, context, target.orgFields);
      lent = await slotOf(connector).issue(context, org, planLease(connector, suite.options));
      own = secretValues(await target.emulator.createUserEnv());
    });

    const context = (changes: Partial<ConnectorContext> = {}) =>
      testContext({ baseUrl: target.baseUrl, ...changes });
    const list = async (values: SecretValues, using = context()) => {
      const found: StoredObject[] = [];
      for await (const object of storage.list(using, values)) found.push(object);
      return found;
    };
    const copy = (key: string, bytes = 0, onBytes?: (more: number) => void, over?: string) =>
      storage.copy(
        { context: context(), values: lent },
        { context: context(), values: own },
        { key, bytes },
        onBytes,
        over,
      );
    const versionOf = async (key: string) => (await storage.hash(context(), own, key))?.version;
    const hash = async (values: SecretValues, key: string) => {
      const found = await storage.hash(context(), values, key);
      return found === undefined ? undefined : { bytes: found.bytes, sha256: found.sha256 };
    };
    const sumOf = (bytes: Uint8Array) => ({
      bytes: bytes.length,
      sha256: createHash("sha256").update(bytes).digest("hex"),
    });
    const everyCall = (fault: Fault) => target.emulator.faults.add(fault, 60);

    test("an empty store has nothing", async () => {
      expect(await list(lent)).toEqual([]);
      expect(await hash(lent, "nothing")).toBeUndefined();
    });

    test.each(trickyKeys)("an object is listed, copied and read whose key has %s", async (_, key) => {
      const bytes = Buffer.from(`bytes of ${key}`);
      await client.put(lent, key, bytes);
      expect(await list(lent)).toEqual([{ key, bytes: bytes.length }]);
      expect(await copy(key, bytes.length)).toEqual(sumOf(bytes));
      expect((await client.get(own, key))?.bytes).toEqual(bytes);
      expect(await list(own)).toEqual([{ key, bytes: bytes.length }]);
      expect(await hash(own, key)).toEqual(sumOf(bytes));
    });

    test.each(suite.refusedKeys)("an object is refused whose key cannot be carried: %j", async (key) => {
      const failure = await failureOf(() => copy(key));
      expect(failure).toMatchObject({ name: "ProviderError", code: "rejected", retryable: false });
      expect(await failureOf(() => hash(own, key))).toMatchObject({ code: "rejected" });
      expect(await list(own)).toEqual([]);
    });

    test("an object of no bytes is copied, and one of every byte", async () => {
      const every = Buffer.from(Array.from({ length: 256 }, (_, value) => value));
      await client.put(lent, "empty", Buffer.alloc(0));
      await client.put(lent, "every", every);
      expect(await copy("empty")).toEqual(sumOf(Buffer.alloc(0)));
      expect(await copy("every")).toEqual(sumOf(every));
      expect((await client.get(own, "empty"))?.bytes.length).toBe(0);
      expect((await client.get(own, "every"))?.bytes).toEqual(every);
      expect(await hash(own, "empty")).toEqual(sumOf(Buffer.alloc(0)));
    });

    const headers = {
      "content-type": "text/html; charset=utf-8",
      "content-disposition": 'attachment; filename="a b.html"',
      "content-language": "de, en",
      "cache-control": "public, max-age=3600",
      expires: "Wed, 21 Oct 2026 07:28:00 GMT",
      "x-amz-meta-owner": "user 7; a=b",
      "x-amz-meta-unicode": "=?UTF-8?B?w7xiZXI=?=",
    };
    test.each([
      ["small", 1000],
      ["large", suite.largeBytes],
    ])("a %s object keeps all that was said of it", async (_, size) => {
      const bytes = randomBytes(size);
      await client.put(lent, "page", bytes, headers);
      const told: number[] = [];
      expect(await copy("page", size, (more) => told.push(more))).toEqual(sumOf(bytes));
      const arrived = await client.get(own, "page");
      expect(arrived?.bytes.equals(bytes)).toBe(true);
      expect(arrived?.headers).toMatchObject(headers);
      expect(told.reduce((sum, more) => sum + more, 0)).toBe(size);
      expect(told.every((more) => more > 0)).toBe(true);
      expect(await hash(lent, "page")).toEqual(await hash(own, "page"));
    });

    test("a packed object stays as it is packed, and an odd date what it is", async () => {
      const { gzipSync } = await import("node:zlib");
      const bytes = gzipSync("text ".repeat(1000));
      await client.put(lent, "packed", bytes, { "content-encoding": "gzip", expires: "0" });
      expect(await copy("packed", bytes.length)).toEqual(sumOf(bytes));
      const arrived = await client.get(own, "packed");
      expect(arrived?.bytes.equals(bytes)).toBe(true);
      expect(arrived?.headers).toMatchObject({ "content-encoding": "gzip", expires: "0" });
      expect(await hash(own, "packed")).toEqual(sumOf(bytes));
    });

    test("copying over what is there replaces it whole, and again with the same", async () => {
      await client.put(own, "again", Buffer.from("other"), { "x-amz-meta-old": "1" });
      await client.put(lent, "again", Buffer.from("right"));
      const first = await copy("again", 5, undefined, await versionOf("again"));
      expect(await copy("again", 5, undefined, await versionOf("again"))).toEqual(first);
      const arrived = await client.get(own, "again");
      expect(arrived?.bytes.toString()).toBe("right");
      expect(arrived?.headers).not.toHaveProperty("x-amz-meta-old");
      expect((await list(own)).length).toBe(1);
    });

    test.each([
      ["small", 1000],
      ["large", suite.largeBytes],
    ])("a %s object replaces nothing but what it is said to", async (_, size) => {
      await client.put(own, "again", Buffer.from("first"));
      const first = await versionOf("again");
      await client.put(own, "again", Buffer.from("theirs"));
      await client.put(lent, "again", randomBytes(size));
      const tried = [await copy("again", size), await copy("again", size, undefined, first)];
      expect(tried).toEqual([undefined, undefined]);
      expect((await client.get(own, "again"))?.bytes.toString()).toBe("theirs");
      await client.put(lent, "gone", randomBytes(size));
      expect(await copy("gone", size, undefined, first)).toBeUndefined();
      expect([await hash(own, "gone"), await client.pending(own)]).toEqual([undefined, 0]);
    });

    test("an object that is gone since it was listed is told", async () => {
      expect(await failureOf(() => copy("gone"))).toMatchObject({ code: "not_found", retryable: false });
      expect(await list(own)).toEqual([]);
    });

    test("more objects than a page holds are listed, each once", async () => {
      const keys = Array.from({ length: 2 * suite.entriesMax + 1 }, (_, number) => `many/${number}`);
      await Promise.all(keys.map((key) => client.put(lent, key, Buffer.from("x"))));
      const found = (await list(lent)).map(({ key }) => key);
      expect(found.length).toBe(keys.length);
      expect(new Set(found)).toEqual(new Set(keys));
    });

    test("keys of another build's reach nothing here", async () => {
      await client.put(lent, "mine", Buffer.from("x"));
      const org = await orgCredential(connector, context(), target.orgFields);
      const other = await slotOf(connector).issue(context(), org, planLease(connector, suite.options));
      expect(await list(other)).toEqual([]);
      expect(await hash(other, "mine")).toBeUndefined();
    });

    describe("when something fails", () => {
      const works = { list: () => list(lent), copy: () => copy("file"), hash: () => hash(lent, "file") };
      const names = ["list", "copy", "hash"] as const;
      beforeEach(() => client.put(lent, "file", Buffer.from("content")));
      const expectQuiet = (error: unknown) => {
        const secrets = [lent, own].flatMap((values) =>
          connector.spec.env
            .filter(({ secret }) => secret)
            .flatMap(({ name }) => values[name]?.reveal() ?? []),
        );
        const text = everythingOf(error);
        expect([mark, ...secrets].filter((word) => text.includes(word))).toEqual([]);
      };

      describe.each(names)("%s", (name) => {
        test.each([
          [401, "unauthorized", false],
          [403, "forbidden", false],
          [429, "rate_limited", true],
          [500, "unavailable", true],
          [503, "unavailable", true],
        ] as const)("tells %i as what it is", async (status, code, retryable) => {
          everyCall({ kind: "status", status, body: markedBody });
          const error = await failureOf(works[name]);
          expect(error).toMatchObject({ name: "ProviderError", code, retryable, status });
          expectQuiet(error);
        });

        test("tells a cut connection", async () => {
          everyCall({ kind: "cut" });
          expect(await failureOf(works[name])).toMatchObject({ code: "network", retryable: true });
        });

        test("ends with its signal", async () => {
          everyCall({ kind: "delay", ms: 60_000 });
          const controller = new AbortController();
          const using = context({ signal: controller.signal });
          const ends = { context: using, values: lent };
          const begun = {
            list: () => list(lent, using),
            copy: () => storage.copy(ends, { context: using, values: own }, { key: "file", bytes: 7 }),
            hash: () => storage.hash(using, lent, "file"),
          };
          const failure = failureOf(begun[name]);
          await expect.poll(() => target.emulator.faults.size(), { interval: 2 }).toBeLessThan(60);
          controller.abort(new DOMException("time is up", "TimeoutError"));
          expect(await failure).toMatchObject({ code: "timeout", retryable: true });
        });

        test.each(["<html></html>", "{}", ""])("takes no 200 with %j for an answer", async (body) => {
          everyCall({ kind: "status", status: 200, body });
          expect(await failureOf(works[name])).toMatchObject({ name: "ProviderError" });
        });
      });
    });
  });
}

function storageOf(connector: Connector): StorageContent {
  if (connector.storage === undefined) throw new Error(`connector ${connector.spec.id} has no storage`);
  return connector.storage;
}
