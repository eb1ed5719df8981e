import { opendirSync } from "node:fs";
import { lstat } from "node:fs/promises";
import { join } from "node:path";

export type FoundFile = {
  readonly path: string;
  /** From the scanned folder, with slashes. */
  readonly shown: string;
};

export type SkippedFile = { readonly shown: string; readonly reason: "too_large" | "unreadable" };

/**
 * Every regular file below a folder, in order of name. A link is never followed: what it points to inside the
 * folder is met there, and what lies outside was not asked for.
 */
export async function* walkFiles(
  root: string,
  options: {
    readonly skipFolders: ReadonlySet<string>;
    readonly fileBytesMax: number;
    readonly onSkip: (file: SkippedFile) => void;
  },
): AsyncGenerator<FoundFile, void, void> {
  const waiting = [""];
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    const entries = readFolder(join(root, folder));
    if (entries === undefined) options.onSkip({ shown: `${folder}/`, reason: "unreadable" });
    for (const { name, kind } of entries ?? []) {
      const shown = folder === "" ? name : `${folder}/${name}`;
      if (kind === "folder" && !options.skipFolders.has(name)) waiting.push(shown);
      if (kind !== "file") continue;
      const path = join(root, shown);
      const size = await lstat(path).then(
        (stat) => stat.size,
        () => undefined,
      );
      if (size === undefined) options.onSkip({ shown, reason: "unreadable" });
      else if (size > options.fileBytesMax) options.onSkip({ shown, reason: "too_large" });
      else yield { path, shown };
    }
  }
}

type Entry = { readonly name: string; readonly kind: "file" | "folder" | "other" };

function readFolder(path: string): Entry[] | undefined {
  const entries: Entry[] = [];
  try {
    const folder = opendirSync(path);
    try {
      for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) {
        const kind = entry.isFile() ? "file" : entry.isDirectory() ? "folder" : "other";
        entries.push({ name: entry.name, kind });
      }
    } finally {
      folder.closeSync();
    }
  } catch {
    return undefined;
  }
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}
