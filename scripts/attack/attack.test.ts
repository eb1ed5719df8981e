import { describe, expect, it } from "vitest";
import { families } from "./families/index.ts";
import { help, readOptions } from "./options.ts";

const ids = families.flatMap(({ name, attacks }) => attacks.map(({ id }) => `${name}/${id}`));

describe("the attacks", () => {
  it("are at least 150, and each has an id of its own that a shell takes as one word", () => {
    expect(ids.length).toBeGreaterThanOrEqual(150);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => !/^[a-z0-9-]+\/[a-z0-9-]+$/.test(id))).toEqual([]);
  });

  it.each([
    "foreign-reads",
    "unproven-sessions",
    "floods",
    "races",
    "forged-audit",
    "forged-schema",
    "lent-database",
  ])("hold a family %s", (name) => {
    expect(families.map((family) => family.name)).toContain(name);
  });
});

describe("the options", () => {
  it("start a broker unless one is given with its token", () => {
    expect(readOptions([])).toEqual({ given: undefined, only: [], list: false });
    expect(readOptions(["--url", "http://127.0.0.1:1/", "--admin-token-file", "t"])).toMatchObject({
      given: { url: "http://127.0.0.1:1", adminTokenFile: "t" },
    });
  });

  it.each([[["--url", "http://127.0.0.1:1"]], [["--url", "x", "--admin-token-file", "t"]], [["--unknown"]]])(
    "refuse %j",
    (argv) => {
      expect(() => readOptions(argv)).toThrow();
    },
  );

  it("explain themselves with examples", () => {
    expect(readOptions(["--help"])).toBe("help");
    expect(help).toContain("Examples:");
  });
});
