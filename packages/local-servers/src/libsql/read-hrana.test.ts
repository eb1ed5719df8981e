import { expect, test } from "vitest";
import { hranaSqlFields, sqlInJson, sqlInProtobuf } from "./read-hrana.ts";
import { field, varint } from "./testing/protobuf.ts";

test.each([
  [
    "a pipeline",
    { requests: [{ type: "execute", stmt: { sql: "A", args: [{ type: "text", value: "no" }] } }] },
  ],
  ["stored SQL", { requests: [{ type: "store_sql", sql_id: 1, sql: "A" }] }],
  [
    "a batch",
    { batch: { steps: [{ stmt: { sql: "A", named_args: [{ name: "no", value: { value: "no" } }] } }] } },
  ],
  ["a statement in an array, as the server takes it too", { stmt: ["A", null, [], [], true] }],
  ["the oldest form", { statements: ["A", { q: "B", params: ["no", { a: ["no"] }] }] }],
  ["nested arguments", { args: { a: [{ sql: "no" }], b: {} }, sql: "A" }],
])("all texts but arguments are found in %s", (_what, body) => {
  const found = sqlInJson(JSON.stringify(body)) ?? [];
  expect(found).toContain("A");
  expect(found).not.toContain("no");
});

test.each([
  ["a doubled key", '{"sql":"A","sql":"B"}', ["A", "B"]],
  ["an escaped key", '{"\\u0073ql":"A","\\u0061rgs":["no"]}', ["A"]],
  ["escaped letters", '{"sql":"\\u0072eadfile\\u0028"}', ["readfile("]],
  ["escaped quotes and backslashes", '{"sql":"a\\\\","x":"\\"args\\":","y":"b"}', ["a\\", '"args":', "b"]],
  ["white space around a key", '{"args"\n :\t["no"] , "sql" : "A"}', ["A"]],
  ["what follows arguments at the end of an object", '[{"args":"no"},"A"]', ["A"]],
])("%s is read as the server reads it", (_what, text, texts) => {
  expect(sqlInJson(text)).toEqual(texts);
});

test.each(["", "{", '{"sql":"A"', "\ufeff{}", '{"sql":"\n"}', "{'sql':'A'}", '{"sql":"A"}x'])(
  "%j is no JSON and is not read",
  (text) => {
    expect(sqlInJson(text)).toBeUndefined();
  },
);

const statement = Buffer.concat([
  field(1, "A"),
  field(3, field(4, "no")),
  field(4, field(1, "no")),
  field(5, 1),
]);
const batch = field(1, Buffer.concat([field(1, field(1, 0)), field(2, statement)]));

test.each([
  ["an execute", "pipeline", field(2, field(2, field(1, statement)))],
  ["a batch", "pipeline", field(2, field(3, field(1, batch)))],
  ["a sequence", "pipeline", field(2, field(4, field(1, "A")))],
  ["a describe", "pipeline", field(2, field(5, field(1, "A")))],
  ["stored SQL", "pipeline", field(2, field(6, Buffer.concat([field(1, 7), field(2, "A")])))],
  ["a cursor", "cursor", field(2, batch)],
  [
    "an execute over WebSocket",
    "message",
    field(2, Buffer.concat([field(1, 1), field(4, field(2, statement))])),
  ],
  ["a batch over WebSocket", "message", field(2, field(5, field(2, batch)))],
  ["a cursor over WebSocket", "message", field(2, field(6, field(3, batch)))],
  ["a sequence over WebSocket", "message", field(2, field(9, field(2, "A")))],
  ["a describe over WebSocket", "message", field(2, field(10, field(2, "A")))],
  ["stored SQL over WebSocket", "message", field(2, field(11, field(2, "A")))],
] as const)("the SQL of %s is found in Protobuf, and no argument", (_what, kind, bytes) => {
  expect(sqlInProtobuf(bytes, hranaSqlFields[kind])).toEqual(["A"]);
});

test("a field that is given twice is read twice, and one that is not known is passed over", () => {
  const twice = Buffer.concat([field(1, "A"), field(1, "B"), field(99, "no"), field(98, 5)]);
  expect(sqlInProtobuf(twice, { 1: "sql" })).toEqual(["A", "B"]);
});

test("a number of more bytes than it needs is the same number", () => {
  const long = Buffer.concat([varint(1 * 8 + 2, 5), varint(1, 10), Buffer.from("A")]);
  expect(sqlInProtobuf(long, { 1: "sql" })).toEqual(["A"]);
});

test.each([
  ["that ends early", Buffer.from([10, 5, 65])],
  ["with a length that is not there", Buffer.from([10])],
  ["with a group", Buffer.from([11, 12])],
  ["with a number in place of a text", field(1, 5)],
  ["with a number without an end", Buffer.alloc(11, 0xff)],
])("a message %s is not read", (_what, bytes) => {
  expect(sqlInProtobuf(bytes, { 1: "sql" })).toBeUndefined();
});

test("a message of very many statements is read", () => {
  const steps = Buffer.concat(Array.from({ length: 300_000 }, () => Buffer.from([10, 1, 65])));
  expect(sqlInProtobuf(field(1, steps), { 1: { 1: "sql" } })).toHaveLength(300_000);
});

test.each([
  ["of more lists than memory should hold", `[${"[],".repeat(1_000_000)}[]]`],
  ["with an open text", `["a`],
  ["with a text that ends in an escape", `["a\\`],
])("JSON %s is not read", (_what, text) => {
  expect(sqlInJson(text)).toBeUndefined();
});
