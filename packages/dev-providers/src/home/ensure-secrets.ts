import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { promisify } from "node:util";
import { newTokenBody, tokenPattern } from "@keyloan/contract";
import { childEnvironment } from "../env.ts";
import { LaunchError } from "../launch-error.ts";
import { workspace } from "../workspace.ts";
import type { Home } from "./open-home.ts";
import { readPrivateFile, writePrivateFile } from "./private-file.ts";

/**
 * The admin token, made at the first start like the root key. Both stay the same afterwards.
 * @throws LaunchError when a file does not hold what it should, or the root key is gone while data is there
 */
export async function ensureSecrets(home: Home): Promise<{ readonly adminToken: string }> {
  await ensureRootKey(home);
  const known = readPrivateFile(home.adminTokenFile)?.trim();
  if (known !== undefined) {
    if (tokenPattern("admin").test(known)) return { adminToken: known };
    throw new LaunchError(
      `The file ${home.adminTokenFile} does not hold an admin token: delete it, and the next start makes a new one.`,
    );
  }
  const adminToken = newTokenBody("admin", randomBytes);
  writePrivateFile(home.adminTokenFile, `${adminToken}\n`);
  return { adminToken };
}

async function ensureRootKey({ rootKeyFile, brokerFolder, path }: Home): Promise<void> {
  if (readPrivateFile(rootKeyFile) !== undefined) return;
  if (readdirSync(brokerFolder).length > 0) {
    throw new LaunchError(
      `The root key ${rootKeyFile} is gone, and without it the stored data cannot be opened: put it back, or delete ${path} to start again.`,
    );
  }
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [workspace.cliProgram, "root-key", "create"],
    { env: childEnvironment({}) },
  );
  writePrivateFile(rootKeyFile, stdout);
}
