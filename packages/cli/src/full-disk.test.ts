import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startWatchedKeyloan, type WatchedKeyloan } from "@keyloan/test-kit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runKeyloan } from "./testing/run-keyloan.ts";

/** A disk of 64 kB; undefined where none may be mounted, which takes Linux and root. */
function smallDisk(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), "keyloan-small-disk-"));
  const made = spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]);
  if (made.status === 0) return folder;
  rmSync(folder, { recursive: true });
  return undefined;
}
const disk = smallDisk();

describe.skipIf(disk === undefined)("on a disk that is full", () => {
  const folder = disk ?? "";
  const file = join(folder, "mine");
  let broker: WatchedKeyloan;
  let buildId: string;
  beforeAll(async () => {
    broker = await startWatchedKeyloan();
    buildId = (await broker.createBuild({ connectors: ["memory-database"] })).id;
    const { MEMORY_DATABASE_NAME: name = "" } = await broker.readEnv(buildId);
    broker.memory.write(name, `CREATE TABLE t (a); INSERT INTO t VALUES ('${"x".repeat(200_000)}')`);
    writeFileSync(file, "mine");
    spawnSync("dd", ["if=/dev/zero", `of=${join(folder, "filler")}`, "bs=1k"]);
  });
  afterAll(async () => {
    await broker.close();
    spawnSync("umount", [folder]);
    rmSync(folder, { recursive: true, force: true });
  });

  test.each([
    ["db download", ["db", "download", "--out"]],
    ["env pull", ["env", "pull", "--output"]],
  ])("%s says so, keeps the file that was there, and leaves nothing beside it", async (_what, command) => {
    const env = { KEYLOAN_URL: broker.url, KEYLOAN_TOKEN: broker.adminToken, PATH: process.env.PATH };
    const { code, err } = await runKeyloan([...command, file, "--force", "--build", buildId], { env });
    expect(code).toBe(1);
    expect(err).toContain(`The file ${file} cannot be written (ENOSPC).`);
    expect(err).toContain("enough space");
    expect(readFileSync(file, "utf8")).toBe("mine");
    expect(readdirSync(folder).toSorted()).toEqual(["filler", "mine"]);
  });
});
