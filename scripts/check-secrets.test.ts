import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkSecrets, findSecrets } from "./check-secrets.ts";

// Put together here, so that this file passes the check itself.
const letters = "aB3".repeat(40);
test.each([
  { what: "a live Stripe key", text: `sk_live_${letters.slice(0, 24)}` },
  { what: "a Stripe key", text: `key = "rk_test_5${letters.slice(0, 98)}"` },
  { what: "a Cloudflare token", text: `cfut_${letters.slice(0, 48)}` },
  { what: "an AWS key id", text: `AKIA${"B".repeat(16)}` },
  { what: "a GitHub token", text: `ghp_${letters.slice(0, 36)}` },
  { what: "a token of this broker", text: `klo_bld_${letters.slice(0, 43)}` },
  { what: "a token of this broker", text: `"klo_bld_${letters.slice(0, 43)}abcd1234"` },
  { what: "a token of this broker", text: `#code=klo_hnd_${letters.slice(0, 43)}` },
  { what: "a token of this broker", text: `keyloan_session=klo_ses_${letters.slice(0, 43)}abcd1234` },
  { what: "a private key", text: `${"-----BEGIN"} PRIVATE KEY-----\n${letters.slice(0, 64)}` },
  { what: "a folder of one machine", text: `cd ${["", "home", "ada", "src"].join("/")}` },
])("$what is found with its line", ({ what, text }) => {
  expect(findSecrets(`first\n${text}\n`)).toEqual([{ line: 2, what }]);
});

test.each([
  { text: "sk_live_…" },
  { text: "sk_test_4eC39" },
  { text: "^sk_(?:test|live)_[A-Za-z0-9]{20,200}$" },
  { text: "https://example.com/home/ada/src" },
  { text: "klo_bld_short" },
])("$text is no finding", ({ text }) => {
  expect(findSecrets(text)).toEqual([]);
});

test("tracked files are read, others are not", () => {
  const root = mkdtempSync(join(tmpdir(), "secrets-"));
  try {
    spawnSync("git", ["init", "-q"], { cwd: root });
    for (const name of ["tracked.txt", "other.txt"]) writeFileSync(join(root, name), `AKIA${"B".repeat(16)}`);
    spawnSync("git", ["add", "tracked.txt"], { cwd: root });
    expect(checkSecrets(root)).toEqual({
      problems: ["tracked.txt:1: looks like an AWS key id"],
      fileCount: 1,
    });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
