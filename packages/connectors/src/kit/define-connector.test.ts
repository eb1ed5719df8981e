import type { ConnectorSpec, EnvVarSpec } from "@keyloan/contract";
import { describe, expect, test } from "vitest";
import { defineConnector } from "./define-connector.ts";

const issuer = { plan: () => ({}), issue: async () => ({}), revoke: async () => {} };
const validate = async () => ({ status: "valid", capabilities: [], warnings: [] }) as const;
const key: EnvVarSpec = {
  name: "ACME_KEY",
  label: "Key",
  help: "Copy the key.",
  helpUrl: "https://acme.example.com/keys",
  secret: true,
  exposure: "server",
  pattern: "^[0-9a-f]{32,}$",
  own: { kind: "typed" },
};
const hidden: EnvVarSpec = { name: "ACME_KEY", label: "Key", secret: true, exposure: "server" };
const open: EnvVarSpec = { name: "ACME_SITE", label: "Site", secret: false, exposure: "browser" };
const define = (env: readonly EnvVarSpec[], changes: Partial<ConnectorSpec> = {}) =>
  defineConnector({
    spec: {
      id: "acme",
      label: "Acme",
      category: "app",
      summary: "Does things.",
      grade: "B",
      revocation: "The key is deleted.",
      guide: { url: "https://acme.example.com", steps: ["Sign in.", "Copy the key."] },
      orgFields: [],
      env,
      ...changes,
    },
    validate,
    issuer,
  });

describe("a connector's description of a user's own keys", () => {
  test.each<[string, readonly EnvVarSpec[]]>([
    ["a typed key", [key]],
    ["a default of its form", [key, { ...open, pattern: "^/", own: { kind: "default", value: "/home" } }]],
    [
      "a secret that is made up",
      [key, { ...hidden, name: "ACME_SALT", own: { kind: "generated", bytes: 32 } }],
    ],
    ["what only lent keys have", [key, { ...open, optional: true, own: { kind: "absent" } }]],
    ["an address", [key, { ...open, pattern: "^https:", role: "address", own: { kind: "typed" } }]],
    ["a secret of calls", [key, { ...key, name: "ACME_HOOK", role: "webhook_secret" }]],
  ])("may have %s", (_name, env) => {
    expect(define(env).spec.env).toEqual(env);
  });

  test.each<[string, readonly EnvVarSpec[]]>([
    ["does not match its pattern", [{ ...open, pattern: "^/", own: { kind: "default", value: "home" } }]],
    ["the same for everybody", [{ ...hidden, own: { kind: "default", value: "x" } }]],
    ["is generated but not secret", [{ ...open, own: { kind: "generated", bytes: 32 } }]],
    ["is generated but has a help page", [{ ...key, own: { kind: "generated", bytes: 32 } }]],
    ["from fewer than 16", [{ ...hidden, own: { kind: "generated", bytes: 8 } }]],
    [
      "in a form that does not match",
      [{ ...hidden, pattern: "^[A-Z]+$", own: { kind: "generated", bytes: 32 } }],
    ],
    ["is required", [{ ...open, own: { kind: "absent" } }]],
    ["lent credentials only", [{ ...key, optional: true, own: { kind: "absent" } }]],
    ["a family", [{ ...key, family: true }]],
    ["has no pattern", [{ ...open, role: "address" }]],
    ["an address that the user does not type", [{ ...key, role: "address" }]],
    ["is not secret", [{ ...open, pattern: "^x", role: "webhook_secret" }]],
  ])("is refused when a variable %s", (reason, env) => {
    expect(() => define(env)).toThrow(reason);
  });

  test.each<[string, readonly EnvVarSpec[], ConnectorSpec["guide"]]>([
    [
      "the user does not type",
      [{ ...open, optional: true, own: { kind: "absent" } }],
      { url: "https://a.b", steps: ["A."] },
    ],
    ["no https page", [key], { url: "http://a.b", steps: ["Sign in."] }],
    ["full sentences", [key], { url: "https://a.b", steps: [] }],
    ["full sentences", [key], { url: "https://a.b", steps: ["1. sign in"] }],
  ])("is refused when its guide has %s", (reason, env, guide) => {
    expect(() => define(env, guide === undefined ? {} : { guide })).toThrow(reason);
  });
});
