import { createHash } from "node:crypto";
import { type ArchiveProgress, BrokerError } from "@keyloan/contract";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type ArchiveMedium,
  archiveDatabase,
  type ProvenArchive,
  restoreDatabase,
} from "./archive-database.ts";
import { fakeDatabases } from "./testing/fake-databases.ts";

let fake: ReturnType<typeof fakeDatabases>;
let progress: ArchiveProgress[];
/** The stored file. */
let file: Buffer;

beforeEach(() => {
  fake = fakeDatabases(["source", "scratch", "back"]);
  progress = [];
  file = Buffer.alloc(0);
  const source = fake.database("source");
  source.exec("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)");
  source.exec("CREATE TABLE users (name TEXT)");
  const insert = source.prepare("INSERT INTO notes VALUES (?, ?)");
  for (let id = 1; id <= 500; id++) insert.run(id, `note ${id}`);
  source.prepare("INSERT INTO users VALUES (?)").run("Ada");
});
afterEach(() => fake.close());

const flip = (byte: number) => byte ^ 0x55;
async function* changed(pieces: AsyncIterable<Uint8Array>) {
  for await (const piece of pieces) yield Uint8Array.from(piece, flip);
}
const medium: ArchiveMedium = {
  seal: changed,
  open: changed,
  put: async (sealed) => {
    const parts: Uint8Array[] = [];
    for await (const piece of sealed) parts.push(piece);
    file = Buffer.concat(parts);
    return { bytes: file.length, sha256: createHash("sha256").update(file).digest("hex") };
  },
  get: async function* () {
    for (let start = 0; start < file.length; start += 1000) yield file.subarray(start, start + 1000);
  },
};

const archive = (changes: Partial<Parameters<typeof archiveDatabase>[0]> = {}) =>
  archiveDatabase({
    content: fake.content,
    source: fake.end("source"),
    makeScratch: async () => {
      fake.steps.push("make scratch");
      return fake.end("scratch");
    },
    medium,
    onProgress: (step) => progress.push(step),
    ...changes,
  });
const restore = (made: ProvenArchive) =>
  restoreDatabase({
    content: fake.content,
    target: fake.end("back"),
    medium,
    archive: made,
    onProgress: (step) => progress.push(step),
  });
const rowsIn = (name: string) =>
  fake.database(name).prepare("SELECT count(*) AS rows FROM notes").get()?.rows;

describe("archiving", () => {
  test("proves what was stored in another database before it is called good", async () => {
    const made = await archive();
    expect(fake.steps).toEqual([
      "finishWrites source",
      "dump source",
      "make scratch",
      "load scratch",
      "summarize scratch",
      "summarize source",
    ]);
    expect(made).toMatchObject({ bytes: file.length, summary: { tables: [{ rows: 500 }, { rows: 1 }] } });
    expect(rowsIn("scratch")).toBe(rowsIn("source"));
  });

  test("stores it compressed", async () => {
    await archive();
    expect(file.length).toBeLessThan(500 * "note 1".length);
  });

  test("tells what it is at", async () => {
    await archive();
    expect([...new Set(progress.map(({ phase }) => phase))]).toEqual(["dumping", "loading", "comparing"]);
    expect(progress.filter(({ phase }) => phase === "loading").at(-1)).toMatchObject({ rows: 501 });
  });

  test.each([
    ["a row that changed", "UPDATE notes SET text = 'other' WHERE id = 7", ["notes"]],
    ["a row that is missing", "DELETE FROM notes WHERE id = 7", ["notes"]],
    ["a table too many", "CREATE TABLE more (id)", ["the schema", "more"]],
  ])("fails for %s", async (_what, change, differing) => {
    fake.trouble.scratch = { summarize: () => fake.database("scratch").exec(change) };
    await expect(archive()).rejects.toMatchObject({ code: "not_faithful", details: { differing } });
  });

  test("fails when the source is written to after the dump", async () => {
    fake.trouble.scratch = {
      load: () => fake.database("source").exec("INSERT INTO notes VALUES (501, 'late')"),
    };
    await expect(archive()).rejects.toMatchObject({
      code: "not_faithful",
      details: { differing: ["notes"] },
    });
  });

  test.each<[string, () => void]>([
    ["lost its end", () => (file = file.subarray(0, -5))],
    ["was changed", () => (file = Buffer.from(file.map((byte, index) => (index === 9 ? flip(byte) : byte))))],
    ["grew", () => (file = Buffer.concat([file, Buffer.of(1)]))],
  ])("fails when the file %s in the store", async (_what, damage) => {
    const damaged = {
      ...medium,
      put: async (sealed: AsyncIterable<Uint8Array>) => {
        const stored = await medium.put(sealed);
        damage();
        return stored;
      },
    };
    await expect(archive({ medium: damaged })).rejects.toMatchObject({ code: "not_faithful" });
    expect(fake.steps).not.toContain("summarize scratch");
  });

  test.each(["seal", "put"] as const)("passes on what %s throws, as it is", async (step) => {
    const error = new BrokerError("unavailable", "the disk is full");
    const broken = {
      ...medium,
      [step]: () => {
        throw error;
      },
    };
    await expect(archive({ medium: broken })).rejects.toBe(error);
  });

  test("passes on a source that breaks half-way", async () => {
    let rows = 0;
    fake.trouble.source = {
      row: () => {
        if (++rows === 300) throw new Error("gone");
      },
    };
    await expect(archive()).rejects.toThrow("gone");
    expect(fake.steps).not.toContain("make scratch");
  });
});

describe("restoring", () => {
  test("gives back every row", async () => {
    await restore(await archive());
    expect(rowsIn("back")).toBe(500);
    expect(fake.steps.slice(-2)).toEqual(["load back", "summarize back"]);
  });

  test.each<[string, () => void]>([
    ["of another archive", () => (file = Buffer.from("something else"))],
    ["that lost its end", () => (file = file.subarray(0, -5))],
    ["that grew", () => (file = Buffer.concat([file, Buffer.of(1)]))],
  ])("refuses a file %s", async (_what, damage) => {
    const made = await archive();
    damage();
    await expect(restore(made)).rejects.toMatchObject({ code: "not_faithful" });
    expect(fake.steps).not.toContain("summarize back");
  });

  test("fails when what came back is not what was archived", async () => {
    const made = await archive();
    fake.trouble.back = { summarize: () => fake.database("back").exec("DELETE FROM users") };
    await expect(restore(made)).rejects.toMatchObject({ code: "not_faithful" });
  });
});
