import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";

export type BundledPackage = { readonly name: string; readonly path: string };

/** The packages of others that the bundled files belong to, by name. */
export async function bundledPackages(
  folder: string,
  inputs: readonly string[],
): Promise<readonly BundledPackage[]> {
  const found = new Map<string, BundledPackage>();
  for (const input of inputs) {
    const match = /^(.*\/node_modules\/((?:@[^/]+\/)?[^/]+))\//.exec(resolve(folder, input));
    if (match?.[1] !== undefined && match[2] !== undefined) {
      found.set(match[1], { path: match[1], name: match[2] });
    }
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Name, version, licence and the licence text of every package: what most licences ask to be passed on.
 * @throws Error when a package tells no licence
 */
export async function renderNotices(packages: readonly BundledPackage[]): Promise<string> {
  const notices = await Promise.all(packages.map(renderNotice));
  return `This program contains the following packages.\n\n${[...new Set(notices)].join("\n")}`;
}

async function renderNotice({ name, path }: BundledPackage): Promise<string> {
  const manifest: { version?: string; license?: unknown; author?: unknown } = JSON.parse(
    await readFile(join(path, "package.json"), "utf8"),
  );
  if (typeof manifest.license !== "string") throw new Error(`the package ${name} tells no licence`);
  const files = (await readdir(path)).filter((file) => /^(?:licen[cs]e|notice|copying)/i.test(file)).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(path, file), "utf8")));
  const title = `${name} ${manifest.version ?? ""} (${manifest.license})`;
  return `${"=".repeat(78)}\n${title}\n${"=".repeat(78)}\n${texts.map((text) => `\n${text.trim()}\n`).join("")}`;
}
