import { EnvFormatError } from "./env-format-error.ts";
import type { EnvLine } from "./env-line.ts";
import { plainValue, useJsonOrRun } from "./plain-value.ts";

// The runner refuses the first, and never lets a job overwrite its own (GitHub Actions, "Workflow commands",
// setting an environment variable).
const runnersOwnNames = /^(?:NODE_OPTIONS$|GITHUB_|RUNNER_)/i;

/**
 * Lines to append to the file that `$GITHUB_ENV` names: `NAME<<delimiter`, the value, the delimiter (GitHub
 * Actions, "Workflow commands", multiline strings). Each delimiter is random and no line of its value.
 * @throws EnvFormatError `bad_name`, `carriage_return`, `nul` or `not_text`
 */
export function renderGithub(
  lines: readonly EnvLine[],
  randomId: () => string = () => crypto.randomUUID(),
): string {
  return lines
    .map(({ name, value }) => {
      const text = carried(name, value.reveal());
      const delimiter = delimiterFor(text, `keyloan_${randomId()}`);
      return `${name}<<${delimiter}\n${text}\n${delimiter}\n`;
    })
    .join("");
}

function carried(name: string, value: string): string {
  if (runnersOwnNames.test(name)) {
    throw new EnvFormatError(
      "bad_name",
      name,
      "is a name that GitHub Actions lets no job set for its next steps.",
      "Start the step's command with `keyloan run`, or set the variable in that step alone.",
    );
  }
  const text = plainValue(name, value);
  // On Windows the runner takes it for a part of the line end.
  if (text.endsWith("\r")) {
    throw new EnvFormatError(
      "carriage_return",
      name,
      "ends in a carriage return, which some runners of GitHub Actions drop.",
      useJsonOrRun,
    );
  }
  return text;
}

function delimiterFor(text: string, candidate: string): string {
  const lines = new Set(text.split(/\r?\n/));
  let delimiter = candidate;
  while (lines.has(delimiter)) delimiter += "_";
  return delimiter;
}
