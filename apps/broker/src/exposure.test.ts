import { Secret } from "@keyloan/contract";
import { describe, expect, it } from "vitest";
import { exposureWarnings } from "./exposure.ts";

const quiet = {
  host: "127.0.0.1",
  publicUrl: undefined,
  trustedProxies: [],
  metricsPort: undefined,
  metricsHost: "127.0.0.1",
  metricsToken: undefined,
  renamedVariables: [],
};

describe("warnings of who reaches the broker", () => {
  it.each([
    ["on this machine alone", {}, []],
    ["on this machine, for development", { host: "::1", publicUrl: "http://localhost:8787" }, []],
    ["on every address", { host: "0.0.0.0" }, ["no_public_url"]],
    ["on every address of IPv6", { host: "::" }, ["no_public_url"]],
    ["on a name", { host: "broker.internal" }, ["no_public_url"]],
    ["over plain http", { host: "0.0.0.0", publicUrl: "http://keys.example.com" }, ["plain_http"]],
    ["over plain http behind something", { publicUrl: "http://keys.example.com" }, ["plain_http"]],
    [
      "behind a proxy that is not named",
      { host: "10.0.0.5", publicUrl: "https://keys.example.com" },
      ["no_trusted_proxies"],
    ],
    [
      "behind a proxy that is named",
      { host: "10.0.0.5", publicUrl: "https://keys.example.com", trustedProxies: ["10.0.0.1"] },
      [],
    ],
    [
      "with a variable by its name of before",
      { renamedVariables: [{ from: "KEYLOAN_OLD", to: "KEYLOAN_NEW" }] },
      ["renamed_variable"],
    ],
    ["with measures for everybody", { metricsPort: 9000, metricsHost: "0.0.0.0" }, ["open_metrics"]],
    [
      "with measures for anyone who has the token",
      { metricsPort: 9000, metricsHost: "0.0.0.0", metricsToken: Secret.of("0123456789abcdef") },
      [],
    ],
  ])("%s", (_what, config, codes) => {
    const warnings = exposureWarnings({ ...quiet, ...config });
    expect(warnings.map(({ code }) => code)).toEqual(codes);
    expect(warnings.every(({ remedy }) => /\w{3,}.*\.$/.test(remedy))).toBe(true);
  });
});
