import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

test("use before `ready` is refused in words, and the key works afterwards", async () => {
  const vault = fileURLToPath(new URL("./index.ts", import.meta.url));
  const program = `
    import { randomBytes } from "node:crypto";
    import { createDataKey, createRootKey, parseKeyring, ready } from ${JSON.stringify(vault)};
    const keyring = parseKeyring(createRootKey(randomBytes).line);
    const make = () => createDataKey(keyring, { id: "dek_1", ownerId: "bld_1" }).record.id;
    try { make(); } catch (error) { console.log(error.message); }
    await ready;
    console.log(make());`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program]);
  expect(stdout).toBe("the vault is used before it is ready: await `ready` first\ndek_1\n");
});
