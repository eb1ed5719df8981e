import { existsSync, readdirSync, readFileSync } from "node:fs";
import { catalogSchema } from "@keyloan/contract";
import { describe, expect, test } from "vitest";
import { loadEmulators } from "./emulators.ts";
import { connectors, toCatalogEntries } from "./registry.ts";

const folderOf = (id: string) => new URL(`./${id}/`, import.meta.url);
const readIn = (id: string, name: string) => readFileSync(new URL(name, folderOf(id)), "utf8");
const testsOf = (id: string) =>
  readdirSync(folderOf(id))
    .filter((name) => name.endsWith(".test.ts") && !name.endsWith(".live.test.ts"))
    .map((name) => readIn(id, name))
    .join("\n");
const rows = connectors.map((connector): [string, (typeof connectors)[number]] => [
  connector.spec.id,
  connector,
]);

describe("every connector in the list", () => {
  test.each(rows)("%s lives in a folder of its own name", (id) => {
    expect(existsSync(new URL("index.ts", folderOf(id)))).toBe(true);
  });

  test.each(rows)("%s is tried by the shared suite", (id) => {
    expect(testsOf(id)).toMatch(/^testConnector\(/m);
  });

  test.each(rows.filter(([, { database }]) => database !== undefined))(
    "%s is tried by the database suite too",
    (id) => {
      expect(testsOf(id)).toMatch(/^testDatabase\(/m);
    },
  );

  test.each(rows)("%s says in its README what it calls", (id, { spec }) => {
    const readme = readIn(id, "README.md");
    expect(readme).toMatch(new RegExp(`^# .*${id}`, "im"));
    const calls =
      spec.orgFields.length === 0 ? /calls no provider/i : /\b(?:GET|POST|PUT|DELETE|PATCH|HEAD)\b/;
    expect(readme).toMatch(calls);
  });

  test.each(rows.filter(([, { spec }]) => spec.orgFields.length > 0))(
    "%s has a stand-in that development can start",
    async (id) => {
      expect((await loadEmulators()).get(id)).toBeTypeOf("function");
    },
  );

  test.each(rows)("%s never leads production code to its stand-in", (id) => {
    const sources = readdirSync(folderOf(id)).filter(
      (name) => name.endsWith(".ts") && !name.endsWith(".test.ts") && !name.startsWith("emulator"),
    );
    const leading = sources.filter((name) =>
      /from "\.[^"]*\/emulator|@hono|local-servers|\/testing\//.test(readIn(id, name)),
    );
    expect(leading).toEqual([]);
  });
});

describe("the list", () => {
  test("names every id and every variable once", () => {
    const ids = connectors.map(({ spec }) => spec.id);
    const variables = connectors.flatMap(({ spec }) => spec.env.map(({ name }) => name));
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(variables).size).toBe(variables.length);
  });

  test("leaves out no folder that is a connector", () => {
    const folders = readdirSync(new URL(".", import.meta.url), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && existsSync(new URL("index.ts", folderOf(entry.name))))
      .map(({ name }) => name)
      .filter((name) => name !== "kit");
    expect(folders.sort()).toEqual(connectors.map(({ spec }) => spec.id).sort());
  });

  test("fits the catalogue that the API answers", () => {
    const catalog = { connectors: toCatalogEntries(connectors) };
    expect(catalogSchema.parse(catalog)).toEqual(catalog);
  });
});
