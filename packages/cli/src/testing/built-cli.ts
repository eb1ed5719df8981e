import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleCli } from "../../build.ts";

export type BuiltCli = {
  readonly folder: string;
  readonly bin: string;
  readonly remove: () => Promise<void>;
};

/** The command line built from these sources into a folder of its own, so that no older build is met. */
export async function buildCli(): Promise<BuiltCli> {
  const folder = await mkdtemp(join(tmpdir(), "keyloan-built-"));
  await mkdir(join(folder, "bin"));
  const bin = join(folder, "bin/keyloan.mjs");
  await cp(fileURLToPath(new URL("../../bin/keyloan.mjs", import.meta.url)), bin);
  await bundleCli(join(folder, "dist"));
  return { folder, bin, remove: () => rm(folder, { recursive: true, force: true }) };
}
