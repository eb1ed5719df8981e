import { describe, expect, test } from "vitest";
import { connectors } from "../../registry.ts";
import { liveVariable, readLiveKeys } from "./live-keys.ts";

const spec = {
  id: "two-words",
  label: "Two",
  category: "app",
  summary: "",
  grade: "B",
  revocation: "",
  orgFields: [
    { name: "secretKey", label: "", secret: true },
    { name: "group", label: "", secret: false },
    { name: "region", label: "", secret: false, optional: true },
  ],
  env: [],
} as const;
const key = { KEYLOAN_LIVE_TWO_WORDS_SECRET_KEY: "s" };
const group = { KEYLOAN_LIVE_TWO_WORDS_GROUP: "g" };

describe("keys for tests at real providers", () => {
  test.each([
    [
      { ...key, ...group },
      { state: "given", fields: { secretKey: "s", group: "g" } },
    ],
    [
      { ...key, ...group, KEYLOAN_LIVE_TWO_WORDS_REGION: "r" },
      { state: "given", fields: { secretKey: "s", group: "g", region: "r" } },
    ],
    [{}, { state: "absent", needed: [...Object.keys(key), ...Object.keys(group)] }],
    [
      { KEYLOAN_LIVE_TWO_WORDS_GROUP: "" },
      { state: "absent", needed: [...Object.keys(key), ...Object.keys(group)] },
    ],
    [key, { state: "incomplete", missing: Object.keys(group) }],
    [
      { KEYLOAN_LIVE_TWO_WORDS_REGION: "r" },
      { state: "incomplete", missing: [...Object.keys(key), ...Object.keys(group)] },
    ],
  ])("of %j are read as %j", (environment, expected) => {
    expect(readLiveKeys(spec, environment)).toEqual(expected);
  });

  test("have a variable of their own for every field of every connector", () => {
    const names = connectors.flatMap(({ spec: { id, orgFields } }) =>
      orgFields.map(({ name }) => liveVariable(id, name)),
    );
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => !/^KEYLOAN_LIVE(?:_[A-Z0-9]+)+$/.test(name))).toEqual([]);
  });
});
