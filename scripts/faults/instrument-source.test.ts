import { expect, test } from "vitest";
import { instrumentSource } from "./instrument-source.ts";
import { pointFunction } from "./point-function.ts";
import { pointsOf } from "./points.ts";

/** Runs a module's `main` and gives what it returns and the places it passed. */
async function run(source: string): Promise<{ readonly value: unknown; readonly places: readonly string[] }> {
  const code = instrumentSource(source, "file.ts");
  const places: string[] = [];
  const point = async (place: string, awaited: unknown) => {
    places.push(place);
    return awaited;
  };
  const make = new Function(pointFunction, `${code.replace("export ", "")}; return main;`);
  return { value: await make(point)(), places };
}

test("every await is a point, named by its place in the source, and the code does what it did", async () => {
  const source = [
    "export async function main(): Promise<number[]> {",
    "  const one: number = await Promise.resolve(1);",
    "  const nested = await Promise.resolve((await Promise.resolve(2)) + one);",
    "  const spread = [...(await Promise.resolve([nested] as const))];",
    "  return spread;",
    "}",
  ].join("\n");
  const { value, places } = await run(source);
  expect(value).toEqual([3]);
  expect(places.toSorted()).toEqual(["file.ts:2:23", "file.ts:3:18", "file.ts:3:41", "file.ts:4:23"]);
});

test("a failure that is awaited stays a failure", async () => {
  const source = `export async function main() {
    try { await Promise.reject(new Error("no")); } catch (error) { return error.message; }
  }`;
  expect((await run(source)).value).toBe("no");
});

test("of a place that is passed often, the first and the last pass are points", () => {
  expect(pointsOf({ "b:1:1": 1, "a:1:1": 7 })).toEqual([
    { place: "a:1:1", pass: 1, moment: "done" },
    { place: "a:1:1", pass: 7, moment: "done" },
    { place: "b:1:1", pass: 1, moment: "begun" },
    { place: "b:1:1", pass: 1, moment: "done" },
  ]);
});
