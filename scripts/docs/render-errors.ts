import { errorStatuses } from "../../packages/contract/src/index.ts";
import { errorMeanings } from "./error-meanings.ts";
import { code, markdownTable } from "./markdown-table.ts";
import { renderChecks } from "./render-checks.ts";

/**
 * docs/errors.md
 * @throws Error when a code, a gate or a rule has no meaning yet
 */
export function renderErrors(): string {
  const rows = Object.entries(errorStatuses).map(([name, status]) => {
    const meaning = errorMeanings[name];
    if (meaning === undefined) throw new Error(`say in scripts/docs/error-meanings.ts what ${name} means`);
    return [code(name), String(status), meaning];
  });
  return `# Errors of the API

Every answer that is not 2xx has this body. \`message\` says what is wrong, \`remedy\` what to do next; both may be
reworded, so programs go by \`code\`. \`requestId\` stands in the broker's log too.

\`\`\`json
{ "error": { "code": "not_ready", "message": "…", "remedy": "…", "docsUrl": "/docs#error-not_ready", "details": {}, "requestId": "req_…" } }
\`\`\`

${markdownTable(["Code", "Status", "Meaning"], rows)}

${renderChecks()}`;
}
