import { createHash } from "node:crypto";
import { ProviderError, type StorageContent, type TransferProgress } from "@keyloan/contract";
import { beforeEach, describe, expect, test } from "vitest";
import { fakeStorage } from "./testing/fake-storage.ts";
import { listObjects, transferObjects } from "./transfer-objects.ts";

let fake: ReturnType<typeof fakeStorage>;
let progress: TransferProgress[];
let kept: number;
let written: Map<string, string>;

beforeEach(() => {
  fake = fakeStorage(["lent", "own"]);
  progress = [];
  kept = 0;
  written = new Map();
  for (let index = 0; index < 30; index++) fake.bucket("lent").set(`photos/${index}.jpg`, `photo ${index}`);
});

const run = (changes: Partial<Parameters<typeof transferObjects>[0]> = {}) =>
  transferObjects({
    storage: fake.storage,
    from: fake.end("lent"),
    to: fake.end("own"),
    overwrite: false,
    resuming: false,
    written: {
      recall: async (key) => written.get(key),
      keep: async (key, sha256) => void written.set(key, sha256),
    },
    retry: (call) => call(),
    beforeWriting: async () => void kept++,
    onProgress: (step) => progress.push(step),
    ...changes,
  });
const refuse = (code: ConstructorParameters<typeof ProviderError>[1]) => () => {
  throw new ProviderError("fake", code, "refuses");
};

describe("moving files", () => {
  test("copies every file and proves by a manifest that anyone can make again", async () => {
    const manifest = await run();
    expect(fake.bucket("own")).toEqual(fake.bucket("lent"));
    const lines = [...fake.bucket("own")]
      .map(([key, text]) => [key, text.length, createHash("sha256").update(text).digest("hex")])
      .sort(([a], [b]) => ((a ?? "") < (b ?? "") ? -1 : 1))
      .map((line) => `${JSON.stringify(line)}\n`);
    expect(manifest).toMatchObject({
      objects: 30,
      manifestSha256: createHash("sha256").update(lines.join("")).digest("hex"),
    });
    expect(manifest.listSha256).toBe((await listObjects(fake.storage, fake.end("lent"))).listSha256);
  });

  test("tells how far it is, with the totals", async () => {
    const { bytes } = await run();
    const copying = progress.filter(({ phase }) => phase === "copying");
    expect(copying.at(-1)).toMatchObject({ objects: 30, objectsTotal: 30, bytes, bytesTotal: bytes });
    expect(progress.at(-1)).toMatchObject({ phase: "proving", objects: 30 });
  });

  test("copies once more what was written meanwhile", async () => {
    let reads = 0;
    fake.trouble.lent = {
      read: () => {
        if (++reads === 20) {
          fake.bucket("lent").set("photos/0.jpg", "another");
          fake.bucket("lent").set("late.txt", "late");
        }
      },
    };
    const manifest = await run();
    expect(fake.bucket("own").get("photos/0.jpg")).toBe("another");
    expect(fake.bucket("own").get("late.txt")).toBe("late");
    expect(manifest.objects).toBe(31);
  });

  test("leaves out what was removed meanwhile", async () => {
    let reads = 0;
    fake.trouble.lent = { read: () => ++reads === 5 && fake.bucket("lent").delete("photos/29.jpg") };
    expect((await run()).objects).toBe(29);
  });

  test("gives up on a source that never rests", async () => {
    let writes = 0;
    fake.trouble.lent = { hash: () => fake.bucket("lent").set("log.txt", `line ${++writes}`) };
    await expect(run()).rejects.toMatchObject({ code: "not_faithful", details: { differing: ["log.txt"] } });
  });

  test.each([true, false])(
    "replaces no file that somebody changed since it arrived: %s",
    async (overwrite) => {
      let hashes = 0;
      fake.trouble.own = {
        hash: () => ++hashes === (overwrite ? 31 : 1) && fake.bucket("own").set("photos/0.jpg", "THEIRS"),
      };
      await expect(run({ overwrite })).rejects.toMatchObject({
        code: "target_not_empty",
        message: expect.stringContaining('"photos/0.jpg"'),
      });
      expect(fake.bucket("own").get("photos/0.jpg")).toBe("THEIRS");
    },
  );

  test("copies a file again that somebody removed since it arrived", async () => {
    let hashes = 0;
    fake.trouble.own = { hash: () => ++hashes === 1 && fake.bucket("own").delete("photos/0.jpg") };
    await run();
    expect(fake.bucket("own").get("photos/0.jpg")).toBe("photo 0");
  });

  test("replaces nothing that came into an empty target since it was looked at", async () => {
    const beforeWriting = async () => void fake.bucket("own").set("photos/3.jpg", "theirs");
    await expect(run({ beforeWriting })).rejects.toMatchObject({ code: "target_not_empty" });
    expect(fake.bucket("own").get("photos/3.jpg")).toBe("theirs");
  });

  test("replaces nothing that comes in the very moment of writing", async () => {
    fake.trouble.own = { write: () => fake.bucket("own").set("photos/3.jpg", "theirs") };
    await expect(run()).rejects.toMatchObject({ code: "target_not_empty" });
    expect(fake.bucket("own").get("photos/3.jpg")).toBe("theirs");
  });

  test("replaces what it wrote in an attempt before, and nothing else, when it goes on", async () => {
    await run();
    fake.bucket("lent").set("photos/1.jpg", "newer");
    await run({ resuming: true });
    expect(fake.bucket("own").get("photos/1.jpg")).toBe("newer");
    fake.bucket("own").set("photos/2.jpg", "theirs");
    fake.bucket("lent").set("photos/2.jpg", "newest");
    await expect(run({ resuming: true })).rejects.toMatchObject({ code: "target_not_empty" });
    written.clear();
    fake.bucket("lent").set("photos/1.jpg", "newest");
    fake.bucket("own").set("photos/2.jpg", "newest");
    await expect(run({ resuming: true })).rejects.toMatchObject({ code: "target_not_empty" });
    expect(fake.bucket("own").get("photos/1.jpg")).toBe("newer");
  });

  test("refuses a target that holds something, before it writes", async () => {
    fake.bucket("own").set("mine.txt", "mine");
    await expect(run()).rejects.toMatchObject({ code: "target_not_empty" });
    expect([kept, fake.copied.length]).toEqual([0, 0]);
  });

  test("replaces files of the same name when it may, and touches no other", async () => {
    fake.bucket("own").set("mine.txt", "mine").set("photos/1.jpg", "other");
    await run({ overwrite: true });
    expect(fake.bucket("own").get("mine.txt")).toBe("mine");
    expect(fake.bucket("own").get("photos/1.jpg")).toBe("photo 1");
  });

  test("copies nothing twice when it goes on", async () => {
    fake.trouble.own = {
      write: () => {
        if (fake.copied.length === 12) refuse("network")();
      },
    };
    await expect(run()).rejects.toMatchObject({ side: "target" });
    fake.trouble.own = {};
    const before = fake.copied.length;
    await run({ resuming: true });
    expect(fake.copied.length).toBe(30);
    expect(before).toBeGreaterThanOrEqual(12);
    expect(fake.bucket("own")).toEqual(fake.bucket("lent"));
  });

  test("asks about no other file again when one has ended them all", async () => {
    const never = new Promise<void>(() => {});
    let asked = 0;
    fake.trouble.own = { write: () => (++asked === 4 ? refuse("quota_exceeded")() : never) };
    const retry = async <T>(call: () => Promise<T>, signal: AbortSignal): Promise<T> =>
      call().catch((error: unknown) => {
        if (signal.aborted || asked === 4) throw error;
        return retry(call, signal);
      });
    await expect(run({ retry })).rejects.toMatchObject({ failure: { code: "quota_exceeded" } });
    expect(asked).toBe(4);
  });

  test("asks again about one file that did not answer", async () => {
    let asked = 0;
    fake.trouble.own = { write: () => (++asked === 7 ? refuse("unavailable")() : undefined) };
    const retry = async <T>(call: () => Promise<T>) => call().catch(() => call());
    expect((await run({ retry })).objects).toBe(30);
  });

  describe("whose list is longer than may be kept in memory", () => {
    /** @param from which listing on is too long: one of the source is read to count, to copy and to prove */
    const endless = (name: string, from = 1) => {
      let listings = 0;
      const list: StorageContent["list"] = async function* (context, values) {
        if (values.NAME?.reveal() !== "lent" || ++listings < from) yield* fake.storage.list(context, values);
        else for (let index = 0; index < 300_000; index++) yield { key: `${index}${name}`, bytes: 1 };
      };
      return { ...fake.storage, list };
    };
    const refused = {
      code: "not_supported",
      message: expect.stringContaining("200,000 files, or 32 MiB of their names"),
      remedy: expect.stringContaining("Delete files"),
    };

    test.each([
      ["files", ""],
      ["names", "é".repeat(500_000)],
    ])("are not begun, nor compared: %s", async (_what, name) => {
      await expect(run({ storage: endless(name) })).rejects.toMatchObject(refused);
      expect([kept, fake.copied.length]).toEqual([0, 0]);
      await expect(listObjects(endless(name), fake.end("lent"))).rejects.toMatchObject(refused);
    });

    test.each([2, 3])("are given up in reading %s", async (from) => {
      const hash: StorageContent["hash"] = async () => undefined;
      const storage = { ...endless("é".repeat(500_000), from), hash };
      await expect(run({ storage })).rejects.toMatchObject(refused);
    });
  });

  test.each([
    ["the target is full", "own", "write", "quota_exceeded", "target"],
    ["the target refuses", "own", "write", "forbidden", "target"],
    ["the target cannot be read", "own", "hash", "unauthorized", "target"],
    ["the source cannot be listed", "lent", "list", "unavailable", "source"],
    ["the source cannot be read", "lent", "hash", "unauthorized", "source"],
  ] as const)("tells whose fault it is when %s", async (_what, name, step, code, side) => {
    fake.trouble[name] = { [step]: refuse(code) };
    await expect(run()).rejects.toMatchObject({ name: "TransferFailure", side, failure: { code } });
  });
});
