import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { must } from "../steps.ts";

type Values = Readonly<Record<string, string>>;

/** The values of these names that are given at all. */
export function pick(values: Values, names: ReadonlySet<string>): Values {
  return Object.fromEntries(
    Object.entries(values).filter(([name, value]) => names.has(name) && value !== ""),
  );
}

/** Names whose value is not the wanted one. */
export function differing(values: Values, wanted: Values): readonly string[] {
  return Object.keys(wanted).filter((name) => values[name] !== wanted[name]);
}

/**
 * Looks for secrets in every file of some folders, as text and in the usual encodings.
 * @param known text that must be found, so that a search that sees nothing cannot pass
 * @returns how many files were read
 * @throws Error that names variables and files, never a value
 */
export function proveSealedAtRest(folders: readonly string[], secrets: Values, known: string): number {
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  const contents = files.map((file) => ({ file, bytes: readFileSync(file) }));
  must(
    contents.some(({ bytes }) => bytes.includes(known)),
    "the search does not find what is there",
  );
  const found = Object.entries(secrets).flatMap(([name, value]) =>
    contents
      .filter(({ bytes }) => formsOf(value).some((form) => bytes.includes(form)))
      .map(({ file }) => `${name} in ${file}`),
  );
  must(found.length === 0, `secrets stand in the clear: ${found.join(", ")}`);
  return files.length;
}

function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    bytes.toString("hex"),
    bytes.toString("base64"),
    bytes.toString("base64url"),
  ];
}
