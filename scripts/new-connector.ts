import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const usage = `usage: node scripts/new-connector.ts <id> [--label <name>] [--category <category>]

Makes packages/connectors/src/<id>/ with a description, a table of calls, checks, an issuer, a stand-in, tests and
a README, and adds the provider's line to packages/connectors/src/providers.ts. All of it compiles and passes
the shared promises; change it step by step into what the provider documents.

  <id>        lower-case words joined by dashes, for instance resend
  --label     the provider's name as people know it (default: the id with a capital)
  --category  database, storage, auth, payments, mail, errors, hosting or app (default: app)
  --root      the repository to write to (default: this one)`;

const categories = ["database", "storage", "auth", "payments", "mail", "errors", "hosting", "app"];
const idPattern = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
const takenIds: ReadonlySet<string> = new Set(["kit", "testing"]);
const templateFolder = fileURLToPath(new URL("./new-connector/template", import.meta.url));

export type NewConnector = { readonly id: string; readonly label: string; readonly category: string };

/**
 * Writes the folder and the line.
 * @returns the files written or changed, relative to the root
 * @throws Error with one sentence when the id cannot be used
 */
export function writeConnector(root: string, { id, label, category }: NewConnector): string[] {
  const source = join(root, "packages/connectors/src");
  const folder = join(source, id);
  if (!idPattern.test(id)) throw new Error(`${id} is no connector id: use lower-case words joined by dashes`);
  if (takenIds.has(id) || existsSync(folder)) throw new Error(`packages/connectors/src/${id} exists already`);
  if (!categories.includes(category)) throw new Error(`${category} is none of ${categories.join(", ")}`);
  if (!/^[\w .&+-]{1,40}$/.test(label)) throw new Error("the label has letters, digits and spaces only");

  const name = id.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  const fill = (text: string) =>
    text
      .replaceAll("__ID__", id)
      .replaceAll("__NAME__", name)
      .replaceAll("__TYPE__", name.charAt(0).toUpperCase() + name.slice(1))
      .replaceAll("__LABEL__", label)
      .replaceAll("__CATEGORY__", category)
      .replaceAll("__ENV__", id.replaceAll("-", "_").toUpperCase());
  const files = globSync("*.tmpl", { cwd: templateFolder }).toSorted();
  mkdirSync(folder);
  const written = files.map((file) => {
    const target = join(folder, fill(file).replace(/\.tmpl$/, ""));
    writeFileSync(target, fill(readFileSync(join(templateFolder, file), "utf8")), { flag: "wx" });
    return target;
  });
  const list = join(source, "providers.ts");
  writeFileSync(list, addLine(readFileSync(list, "utf8"), `export { ${name} } from "./${id}/index.ts";`));
  return [...written, list].map((file) => relative(root, file));
}

// Lines stay sorted by path, as the formatter wants them.
function addLine(text: string, line: string): string {
  const pathOf = (each: string) => /from "(.+)"/.exec(each)?.[1] ?? "";
  const lines = text.trimEnd().split("\n");
  const next = lines.findIndex((each) => each.startsWith("export ") && pathOf(each) > pathOf(line));
  return `${lines.toSpliced(next === -1 ? lines.length : next, 0, line).join("\n")}\n`;
}

/** Line breaks depend on the length of the id, so the formatter has the last word. */
function format(root: string, files: readonly string[]): void {
  const biome = join(root, "node_modules/@biomejs/biome/bin/biome");
  const { status } = spawnSync(process.execPath, [biome, "check", "--write", ...files], { cwd: root });
  if (status !== 0)
    console.error("new-connector: the files are written but not formatted; run biome check --write");
}

function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      help: { type: "boolean", short: "h" },
      label: { type: "string" },
      category: { type: "string", default: "app" },
      root: { type: "string", default: fileURLToPath(new URL("..", import.meta.url)) },
    },
  });
  const [id, ...more] = positionals;
  if (values.help) {
    console.log(usage);
    return;
  }
  if (id === undefined || more.length > 0) throw new Error("give one connector id; --help tells more");
  const label = values.label ?? id.charAt(0).toUpperCase() + id.slice(1);
  const files = writeConnector(values.root, { id, label, category: values.category });
  format(values.root, files);
  console.log(files.join("\n"));
}

if (import.meta.main) {
  try {
    main();
  } catch (error) {
    console.error(`new-connector: ${error instanceof Error ? error.message : "failed"}`);
    process.exitCode = 2;
  }
}
