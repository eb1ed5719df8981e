import { readFileSync } from "node:fs";
import { providerUrlVariable } from "@keyloan/contract";
import type { ConfigVariable } from "./config-table.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** One variable, or its `_FILE`; a problem is told by name and never with the value. */
export function readVariable(
  environment: Environment,
  variable: ConfigVariable,
  problems: string[],
): string | undefined {
  const { formerly } = variable;
  const direct =
    present(environment[variable.name]) ??
    (formerly === undefined ? undefined : present(environment[formerly]));
  const file = variable.secret === true ? present(environment[`${variable.name}_FILE`]) : undefined;
  if (direct !== undefined && file !== undefined) {
    problems.push(`${variable.name}: set it or ${variable.name}_FILE, not both`);
    return undefined;
  }
  if (file !== undefined) {
    try {
      return present(readFileSync(file, "utf8").trim()) ?? fail(`${variable.name}_FILE: the file is empty`);
    } catch {
      return fail(`${variable.name}_FILE: the file cannot be read`);
    }
  }
  if (direct === undefined && variable.required === true) {
    const orFile = variable.secret === true ? ` (or ${variable.name}_FILE)` : "";
    return fail(`${variable.name}${orFile}: not set. ${variable.purpose}`);
  }
  return direct ?? variable.default;

  function fail(problem: string): undefined {
    problems.push(problem);
    return undefined;
  }
}

/** The provider addresses that are replaced, by connector id. */
export function readProviderUrls(
  environment: Environment,
  connectorIds: readonly string[],
  problems: string[],
): Record<string, string> {
  const urls: Record<string, string> = {};
  for (const id of connectorIds) {
    const name = providerUrlVariable(id);
    const text = present(environment[name]);
    if (text === undefined) continue;
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url === undefined || !["http:", "https:"].includes(url.protocol) || url.username !== "") {
      problems.push(`${name}: must be an http or https address without a user`);
    } else {
      urls[id] = text;
    }
  }
  return urls;
}

function present(value: string | undefined): string | undefined {
  return value === undefined || value.trim() === "" ? undefined : value.trim();
}
