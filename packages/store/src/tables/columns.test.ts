import { expect, test } from "vitest";
import { archives, builds, leases, orgKeys, tokens } from "./schema.ts";
import { unreadableCheck, unreadableError } from "./stored.ts";

const check = { status: "valid", capabilities: [{ name: "Read", state: "works" }], warnings: [] };
const error = { provider: "acme", code: "timeout", message: "m", remedy: "r", retryable: true };
const summary = { schemaSha256: "a", tables: [{ name: "t", rows: 1, sha256: "b" }] };

test.each([
  ["facts of an org key", orgKeys.facts, { a: "b" }, {}, [{ a: 7 }, ["a"], "a", null]],
  [
    "its last check",
    orgKeys.check,
    check,
    unreadableCheck,
    [{ ...check, status: "great" }, { status: "valid" }],
  ],
  ["a lease's handle", leases.handle, { name: "x" }, {}, [[[]], { name: [] }]],
  ["its failure", leases.lastError, error, unreadableError, [7, { ...error, remedy: 7 }]],
  ["its usage", leases.usage, { rows: 1, checkedAt: 2, idleSince: 3 }, null, [{ rows: 1 }]],
  [
    "a build's way back",
    builds.adminRevert,
    { at: 1, reason: "r" },
    null,
    [
      { at: 9e15, reason: "r" },
      { at: 0.5, reason: "r" },
    ],
  ],
  ["a token's scopes", tokens.scopes, ["builds:read"], [], [[7], {}]],
  ["an archive's summary", archives.summary, summary, null, [{ ...summary, tables: [{ name: "t" }] }]],
])("%s of another form are read as what their use refuses", (_what, column, good, otherwise, bad) => {
  expect(column.mapFromDriverValue(JSON.stringify(good))).toEqual(good);
  const stored = [...bad.map((value) => JSON.stringify(value)), "{", "", 7, new Uint8Array([255])];
  expect(stored.map((value) => column.mapFromDriverValue(value as never))).toEqual(
    stored.map(() => otherwise),
  );
});

test("what is stored beside the members that are known stays", () => {
  const more = { ...check, further: 1 };
  expect(orgKeys.check.mapFromDriverValue(JSON.stringify(more))).toEqual(more);
});
