import type { EnvLine } from "./env-line.ts";
import { type Refusal, refuseNoText } from "./refusal.ts";

// The runner refuses the first, and never lets a job overwrite the runner's own variables (GitHub Actions, "Workflow
// commands", setting an environment variable).
const runnersOwnNames = /^(?:NODE_OPTIONS$|GITHUB_|RUNNER_)/i;

/**
 * Lines to append to the file that `$GITHUB_ENV` names: `NAME<<delimiter`, the value, the delimiter (GitHub
 * Actions, "Workflow commands", multiline strings). Each delimiter is random and is not a line of its value.
 */
export function renderGithub(
  lines: readonly EnvLine[],
  randomId: () => string = () => crypto.randomUUID(),
): string {
  return lines
    .map(({ name, value }) => {
      const text = value.reveal();
      const delimiter = delimiterFor(text, `keyloan_${randomId()}`);
      return `${name}<<${delimiter}\n${text}\n${delimiter}\n`;
    })
    .join("");
}

/** Refuses what the runner of GitHub Actions refuses or changes. */
export function refuseForGithub(line: EnvLine): Refusal | undefined {
  if (runnersOwnNames.test(line.name)) {
    return {
      code: "bad_name",
      reason: "is a name that GitHub Actions does not let a job set for its next steps.",
      remedy: "Start the step's command with `keyloan run`, or set the variable in that step only.",
    };
  }
  // On Windows the runner takes the carriage return for a part of the line end.
  if (line.value.reveal().endsWith("\r")) {
    return {
      code: "carriage_return",
      reason: "ends in a carriage return, which some runners of GitHub Actions drop.",
    };
  }
  return refuseNoText(line);
}

function delimiterFor(text: string, candidate: string): string {
  const lines = new Set(text.split(/\r?\n/));
  let delimiter = candidate;
  while (lines.has(delimiter)) delimiter += "_";
  return delimiter;
}
