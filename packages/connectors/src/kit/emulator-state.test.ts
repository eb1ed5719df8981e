import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { openEmulatorState, randomText } from "./emulator-state.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "keyloan-state-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const schema = z.object({ count: z.number() });
const openState = () => openEmulatorState(join(root, "inner"), "things", schema, () => ({ count: 0 }));
const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

describe("the state of a stand-in", () => {
  test("survives a restart", async () => {
    const first = await openState();
    first.value.count = 3;
    await first.save();
    expect((await openState()).value).toEqual({ count: 3 });
  });

  test("is readable by its owner only", async () => {
    await openState();
    expect(await modeOf(join(root, "inner"))).toBe("700");
    expect(await modeOf(join(root, "inner", "things.json"))).toBe("600");
  });

  test("ends with the newest value after many saves at once", async () => {
    const { value, save } = await openState();
    await Promise.all(
      Array.from({ length: 20 }, (_, index) => {
        value.count = index;
        return save();
      }),
    );
    expect(JSON.parse(await readFile(join(root, "inner", "things.json"), "utf8"))).toEqual({ count: 19 });
  });

  test.each(["", "{", '{"count":"many"}'])("is refused when the file holds %j", async (text) => {
    await openState();
    await writeFile(join(root, "inner", "things.json"), text);
    await expect(openState()).rejects.toThrow("delete it");
  });

  test("gets keys of the asked length that differ", () => {
    expect(randomText(24)).toMatch(/^[A-Za-z2-9]{24}$/);
    expect(randomText(24)).not.toBe(randomText(24));
  });
});
