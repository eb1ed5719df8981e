import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { jobDefinitions } from "../apps/broker/src/work.ts";
import { connectors } from "../packages/connectors/src/index.ts";
import { renderConfiguration } from "./docs/render-configuration.ts";
import { renderErrors } from "./docs/render-errors.ts";
import { renderJobs } from "./docs/render-jobs.ts";
import { renderProven } from "./docs/render-proven.ts";
import { renderVariables } from "./docs/render-variables.ts";

const notice = "<!-- Made by `pnpm docs:generate`. Do not edit: change what it is made of. -->\n\n";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The documents that are made of the code, whole or in part, by path. */
export function generatedDocs(): ReadonlyMap<string, string> {
  const operations = readFileSync(join(root, "docs/operations.md"), "utf8");
  const dataModel = readFileSync(join(root, "docs/data-model.md"), "utf8");
  return new Map([
    ["docs/data-model.md", withPart(dataModel, "proven", renderProven())],
    ["docs/operations.md", withPart(operations, "jobs", renderJobs(jobDefinitions))],
    ["docs/configuration.md", notice + renderConfiguration(connectors)],
    ["docs/variables.md", notice + renderVariables(connectors)],
    ["docs/errors.md", notice + renderErrors()],
  ]);
}

/** A document whose part between two marks is made of the code. @throws Error when the marks are not there */
export function withPart(text: string, name: string, part: string): string {
  const begin = `<!-- ${name}: made by \`pnpm docs:generate\` -->`;
  const end = `<!-- /${name} -->`;
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from === -1 || to < from) throw new Error(`the document has no part ${name}`);
  return `${text.slice(0, from)}${begin}\n\n${part}\n\n${text.slice(to)}`;
}

/** The paths under `root` whose content is not what the code says now. */
export function outdatedDocs(root: string, docs: ReadonlyMap<string, string>): string[] {
  return [...docs]
    .filter(([path, text]) => {
      const file = join(root, path);
      return !existsSync(file) || readFileSync(file, "utf8") !== text;
    })
    .map(([path]) => path);
}

if (import.meta.main) {
  const docs = generatedDocs();
  const outdated = outdatedDocs(root, docs);
  if (!process.argv.includes("--check")) {
    for (const path of outdated) writeFileSync(join(root, path), docs.get(path) ?? "");
    console.log(outdated.length === 0 ? "Nothing to write." : `Wrote ${outdated.join(", ")}.`);
  } else if (outdated.length > 0) {
    for (const path of outdated) console.error(`${path} is out of date: run \`pnpm docs:generate\`.`);
    process.exitCode = 1;
  } else {
    console.log(`${docs.size} generated documents are up to date.`);
  }
}
