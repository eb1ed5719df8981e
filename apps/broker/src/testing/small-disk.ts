import { spawnSync } from "node:child_process";
import { appendFile, mkdtemp, rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type SmallDisk = {
  readonly folder: string;
  /** Takes all of the space, or all but so many bytes. */
  readonly fill: (leaveBytes?: number) => Promise<void>;
  readonly free: () => Promise<void>;
  readonly unmount: () => Promise<void>;
};

/** A disk of a few megabytes; undefined where none may be mounted, which takes Linux and root. */
export async function mountSmallDisk(megabytes: number): Promise<SmallDisk | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "keyloan-small-disk-"));
  const made = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", folder]);
  if (made.status !== 0) {
    await rm(folder, { recursive: true });
    return undefined;
  }
  const filler = join(folder, "filler");
  return {
    folder,
    fill: async (leaveBytes = 0) => {
      const { bavail, bsize } = await statfs(folder);
      try {
        await writeFile(filler, Buffer.alloc(Math.max(bavail * bsize - leaveBytes, 0)));
        // Whoever else writes there takes or gives space meanwhile, so that what was asked for may not be all.
        while (leaveBytes === 0) await appendFile(filler, Buffer.alloc(bsize));
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code !== "ENOSPC") throw cause;
      }
    },
    free: () => rm(filler, { force: true }),
    unmount: async () => {
      // Files that are open until their statements are collected do not keep it.
      spawnSync("umount", ["-l", folder]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
