import { randomBytes } from "node:crypto";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";

const dayMs = 24 * 3_600_000;

/** A new folder of this process alone for one file that is on its way. Whoever made it removes it. */
export async function makeDownloadFolder(dataDirectory: string): Promise<string> {
  const folder = join(downloadsIn(dataDirectory), `${ownPrefix()}${randomBytes(8).toString("hex")}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** Removes folders of processes that are gone: those of this machine, and of others after a day. */
export async function sweepDownloads(dataDirectory: string, now: number): Promise<void> {
  const downloads = downloadsIn(dataDirectory);
  const names = await readdir(downloads).catch(() => []);
  for (const name of names) {
    const path = join(downloads, name);
    const changedAt = (await stat(path).catch(() => undefined))?.mtimeMs ?? now;
    if (isOfDeadProcess(name) || now - changedAt > dayMs) await rm(path, { recursive: true, force: true });
  }
}

const downloadsIn = (dataDirectory: string) => join(dataDirectory, "downloads");
const hostPrefix = () => `${hostname().replace(/[^A-Za-z0-9-]/g, "-")}_`;
const ownPrefix = () => `${hostPrefix()}${process.pid}_`;

function isOfDeadProcess(name: string): boolean {
  if (!name.startsWith(hostPrefix())) return false;
  const processId = Number(name.slice(hostPrefix().length).split("_")[0]);
  if (processId === process.pid) return false;
  try {
    process.kill(processId, 0);
    return false;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ESRCH";
  }
}
