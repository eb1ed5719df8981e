import { existsSync, readdirSync, readFileSync } from "node:fs";
import { catalogSchema, findOwner, findVariable, sharedNames } from "@keyloan/contract";
import { describe, expect, test } from "vitest";
import { loadEmulators } from "./emulators.ts";
import { type Calls, callLines } from "./kit/calls/define-calls.ts";
import { connectors, toCatalogEntries } from "./registry.ts";

const folderOf = (id: string) => new URL(`./${id}/`, import.meta.url);
const readIn = (id: string, name: string) => readFileSync(new URL(name, folderOf(id)), "utf8");
const testsOf = (id: string) =>
  readdirSync(folderOf(id))
    .filter((name) => name.endsWith(".test.ts") && !name.endsWith(".live.test.ts"))
    .map((name) => readIn(id, name))
    .join("\n");
function isTable(exported: unknown): exported is Calls {
  const calls = typeof exported === "object" && exported !== null ? Object.values(exported) : [];
  return (
    calls.length > 0 && calls.every((call) => typeof call === "object" && "path" in call && "answer" in call)
  );
}

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

  test.each(rows)(
    "%s lists in its README the calls of its table, and the table names their pages",
    async (id) => {
      const files = ["calls.ts", "client.ts"]
        .map((name) => new URL(name, folderOf(id)))
        .filter((file) => existsSync(file));
      const modules: object[] = await Promise.all(files.map((file) => import(file.href)));
      const tables = modules.flatMap((each) => Object.values(each)).filter(isTable);
      const readme = readIn(id, "README.md");
      const calls = tables.flatMap((table) => Object.values(table));
      expect(calls.filter(({ doc }) => doc === "")).toEqual([]);
      expect(tables.flatMap(callLines).filter((line) => !readme.includes(line))).toEqual([]);
    },
  );

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
  test("names every id once, and in each connector every variable once", () => {
    for (const names of [
      connectors.map(({ spec }) => spec.id),
      ...connectors.map(({ spec }) => spec.env.map(({ name }) => name)),
    ])
      expect(new Set(names).size).toBe(names.length);
  });

  test("lets connectors of one category alone give the same name: no default build holds two of these", () => {
    for (const { spec } of connectors)
      for (const { spec: other } of connectors)
        if (spec.category !== other.category) expect(sharedNames(spec.env, other.env)).toEqual([]);
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

describe("a key that stands in a field of another provider", () => {
  const specs = connectors.map(({ spec }) => spec);
  const variables = specs.flatMap(({ env }) => env);
  const text = (kind: string, rest: string) => `${kind}_${"live"}_${rest}`;
  const stripes = `51${"A1".repeat(49)}`;
  const clerks = text("pk", Buffer.from("clerk.example.com$").toString("base64"));

  test.each([
    ["STRIPE_SECRET_KEY", clerks, "Publishable key", "Clerk"],
    ["STRIPE_PUBLISHABLE_KEY", clerks, "Publishable key", "Clerk"],
    ["CLERK_SECRET_KEY", text("sk", stripes), "Secret or restricted key", "Stripe"],
    ["CLERK_SECRET_KEY", text("rk", "A1".repeat(20)), "Secret or restricted key", "Stripe"],
    ["CLERK_PUBLISHABLE_KEY", text("pk", stripes), "Publishable key", "Stripe"],
    ["CLERK_SECRET_KEY", "whsec_abcdefgh", "Webhook signing secret", undefined],
    ["STRIPE_PRICE_ID", "whsec_abcdefgh", "Webhook signing secret", undefined],
    ["STRIPE_PRICE_ID", text("rk", "A1".repeat(20)), "Secret or restricted key", undefined],
    ["STRIPE_SECRET_KEY", text("pk", "A1".repeat(20)), "Publishable key", undefined],
    ["STRIPE_WEBHOOK_SECRET", text("rk", "A1".repeat(20)), "Secret or restricted key", undefined],
  ])("%s = %s is called “%s” of %s", (name, value, label, provider) => {
    const field = findVariable(variables, name);
    const own = specs.find(({ env }) => field !== undefined && env.includes(field));
    const owner = field === undefined ? undefined : findOwner(field, value, own?.env ?? [], specs);
    expect([owner?.field.label, owner?.label]).toEqual([label, provider]);
  });

  test.each([
    ["CLERK_PUBLISHABLE_KEY", clerks],
    ["STRIPE_PUBLISHABLE_KEY", text("pk", stripes)],
    ["STRIPE_SECRET_KEY", text("sk", "A1".repeat(12))],
    ["CLERK_SECRET_KEY", text("sk", "A1".repeat(21))],
    ["STRIPE_PRICE_ID", "pro-monthly.2019"],
  ])("%s = %s stands where it belongs", (name, value) => {
    const field = findVariable(variables, name);
    expect(field === undefined || findOwner(field, value, variables, specs)).toBeUndefined();
  });
});
