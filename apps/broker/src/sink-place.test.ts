import { describe, expect, it } from "vitest";
import { readConfig } from "./env.ts";

const environment = {
  KEYLOAN_ROOT_KEY: "x",
  KEYLOAN_ADMIN_TOKEN: `klo_admin_${"a".repeat(43)}`,
  KEYLOAN_DATA_DIR: "/var/lib/keyloan",
};
const read = (place: string) => readConfig({ ...environment, KEYLOAN_AUDIT_SINK: place }, []);

describe("KEYLOAN_AUDIT_SINK", () => {
  it.each([
    "/mnt/audit/heads.jsonl",
    "heads.jsonl",
    "../heads.jsonl",
    "/var/lib/keyloan-heads.jsonl",
    "https://ops.example.com/heads?key=1",
    "http://127.0.0.1:9000/heads",
    "http://[::1]:9000/heads",
  ])("may be %s", (place) => {
    expect(read(place)).toMatchObject({ ok: true, config: { auditSink: place } });
  });

  it.each([
    ["http://ops.example.com/heads", "file or an https address"],
    ["http://127.0.0.1.example.com/heads", "file or an https address"],
    ["https://user:canary@ops.example.com/heads", "file or an https address"],
    ["https://canary@ops.example.com/heads", "file or an https address"],
    ["file:///mnt/heads.jsonl", "file or an https address"],
    ["ftp://ops.example.com/heads", "file or an https address"],
    ["https://", "file or an https address"],
    ["/var/lib/keyloan/heads.jsonl", "outside KEYLOAN_DATA_DIR"],
    ["/var/lib/keyloan/../keyloan/a/heads.jsonl", "outside KEYLOAN_DATA_DIR"],
    ["/var/lib/keyloan", "outside KEYLOAN_DATA_DIR"],
  ])("may not be %s", (place, problem) => {
    const result = read(place);
    expect(result).toMatchObject({ ok: false, problems: [expect.stringContaining(problem)] });
    expect(JSON.stringify(result)).not.toContain("canary");
  });
});
