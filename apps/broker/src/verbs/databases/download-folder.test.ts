import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeDownloadFolder, sweepDownloads } from "./download-folder.ts";

let data: string;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), "keyloan-downloads-"));
});
afterEach(() => rm(data, { recursive: true, force: true }));

const left = () => readdir(join(data, "downloads"));
const leave = async (name: string, ageMs = 0) => {
  const folder = join(data, "downloads", name);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "database.db"), "plain");
  const changed = new Date(Date.now() - ageMs);
  await utimes(folder, changed, changed);
};

test("a folder is its owner's alone, and stays while its process lives", async () => {
  const folder = await makeDownloadFolder(data);
  expect(((await stat(folder)).mode & 0o777).toString(8)).toBe("700");
  await sweepDownloads(data, Date.now());
  expect(await left()).toHaveLength(1);
});

test("what a process left that was killed goes at the next start, on this machine at once", async () => {
  const { pid } = spawnSync(process.execPath, ["--version"]);
  const host = hostname().replace(/[^A-Za-z0-9-]/g, "-");
  await leave(`${host}_${pid}_0123456789abcdef`);
  await leave("another-machine_1_0123456789abcdef");
  await leave("another-machine_1_fedcba9876543210", 2 * 24 * 3_600_000);
  await sweepDownloads(data, Date.now());
  expect(await left()).toEqual(["another-machine_1_0123456789abcdef"]);
});

test("without any there is nothing to do", async () => {
  await expect(sweepDownloads(data, Date.now())).resolves.toBeUndefined();
});
