import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import {
  armor,
  Decrypter,
  generateHybridIdentity,
  generateX25519Identity,
  identityToRecipient,
} from "age-encryption";
import { afterAll, describe, expect, test } from "vitest";
import { AgeRecipientError, encryptForAge } from "./index.ts";

const folder = mkdtempSync(join(tmpdir(), "keyloan-age-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const text = "A='canary grüße 🔑'\nB='\n'\n";

test.each([
  ["X25519", generateX25519Identity],
  ["hybrid", generateHybridIdentity],
])("the holder of the %s identity reads the text, and nobody else", async (_kind, generate) => {
  const identity = await generate();
  const encrypted = await encryptForAge(text, ` ${await identityToRecipient(identity)}\n`);
  expect(encrypted).toMatch(
    /^-----BEGIN AGE ENCRYPTED FILE-----\n[\s\S]*\n-----END AGE ENCRYPTED FILE-----\n$/,
  );
  expect(await decrypt(encrypted, identity)).toBe(text);
  await expect(decrypt(encrypted, await generate())).rejects.toThrow();
});

test("the same text encrypts to something else each time", async () => {
  const recipient = await identityToRecipient(await generateX25519Identity());
  expect(await encryptForAge(text, recipient)).not.toBe(await encryptForAge(text, recipient));
});

test.each([
  ["nothing", "", "not an age recipient"],
  ["a secret identity", "AGE-SECRET-KEY-1CANARY", "secret age identity"],
  ["a secret identity in lower case", "age-secret-key-1canary", "secret age identity"],
  ["an SSH key", "ssh-ed25519 canary", "SSH keys"],
  ["something else", "canary", "not an age recipient"],
  ["a mistyped one", `age1${"q".repeat(54)}canary`, "mistyped"],
])("%s is refused as a recipient, without repeating it", async (_what, recipient, message) => {
  const error: unknown = await encryptForAge(text, recipient).catch((reason: unknown) => reason);
  if (!(error instanceof AgeRecipientError)) throw error;
  expect(error.message).toContain(message);
  expect(error.remedy).toContain("age");
  expect(inspect(error, { depth: null, showHidden: true }).toLowerCase()).not.toContain("canary");
});

describe.skipIf(!hasAge())("the age command", () => {
  test("decrypts with an identity that age-keygen made", async () => {
    const file = join(folder, "key.txt");
    execFileSync("age-keygen", ["-o", file], { stdio: "ignore" });
    const recipient = execFileSync("age-keygen", ["-y", file]).toString();
    const encrypted = join(folder, "env.age");
    writeFileSync(encrypted, await encryptForAge(text, recipient));
    expect(execFileSync("age", ["--decrypt", "--identity", file, encrypted]).toString()).toBe(text);
  });
});

async function decrypt(encrypted: string, identity: string): Promise<string> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  return decrypter.decrypt(armor.decode(encrypted), "text");
}

function hasAge(): boolean {
  try {
    execFileSync("age-keygen", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
