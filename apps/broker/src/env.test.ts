import { randomBytes } from "node:crypto";
import { newTokenBody } from "@keyloan/contract";
import { describe, expect, it } from "vitest";
import { readConfig } from "./env.ts";

const needed = { KEYLOAN_ROOT_KEY: "rk:x", KEYLOAN_ADMIN_TOKEN: newTokenBody("admin", randomBytes) };
const read = (environment: Record<string, string>) => readConfig({ ...needed, ...environment }, []);

describe("the configuration", () => {
  it("trusts no proxy, and shows metrics only to this machine, by default", () => {
    expect(read({})).toMatchObject({
      ok: true,
      config: { trustedProxies: [], metricsHost: "127.0.0.1", metricsToken: undefined },
    });
  });

  it("takes networks of both families", () => {
    expect(read({ KEYLOAN_TRUSTED_PROXIES: "10.0.0.0/8, fd00::/8,192.0.2.1" })).toMatchObject({
      ok: true,
      config: { trustedProxies: ["10.0.0.0/8", "fd00::/8", "192.0.2.1"] },
    });
  });

  it.each([
    [{ KEYLOAN_HANDS_HOURS: "3" }, 3, [{ from: "KEYLOAN_HANDS_HOURS", to: "KEYLOAN_ACTION_HOURS" }]],
    [{ KEYLOAN_HANDS_HOURS: "3", KEYLOAN_ACTION_HOURS: "4" }, 4, []],
    [{}, 24, []],
  ])(
    "reads a variable by its name of before, and says so: %o",
    (environment, actionHours, renamedVariables) => {
      expect(read(environment)).toMatchObject({ ok: true, config: { actionHours, renamedVariables } });
    },
  );

  it.each([
    ["KEYLOAN_TRUSTED_PROXIES", "0.0.0.0/0"],
    ["KEYLOAN_TRUSTED_PROXIES", "10.0.0.0/8,proxy.internal"],
    ["KEYLOAN_METRICS_TOKEN", "short"],
    ["KEYLOAN_ADMIN_TOKEN", newTokenBody("api", randomBytes)],
  ])("is refused by name and without the value: %s", (name, value) => {
    const result = read({ [name]: value });
    const problems = result.ok ? [] : result.problems;
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${name}: must `));
    expect(problems[0]).not.toContain(value);
  });

  it("prefers connectors that there are, in their order, and names the one that there is not", () => {
    const prefer = (text: string) => readConfig({ ...needed, KEYLOAN_PREFER: text }, ["turso", "neon", "r2"]);
    expect(read({})).toMatchObject({ ok: true, config: { preferredConnectors: [] } });
    expect(prefer("neon, r2")).toMatchObject({ ok: true, config: { preferredConnectors: ["neon", "r2"] } });
    expect(prefer("neo,r2")).toEqual({
      ok: false,
      problems: ["KEYLOAN_PREFER: there is no connector neo; choose from turso, neon, r2"],
    });
  });
});
