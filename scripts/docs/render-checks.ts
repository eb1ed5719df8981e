import { gates } from "../../apps/broker/src/gates/run-gates.ts";
import { invalidKeyCodes, undeterminedCodes } from "../../packages/contract/src/index.ts";
import { readAddress } from "../../packages/key-validator/src/index.ts";
import { addressExamples } from "./address-examples.ts";
import { envFileMeanings, envFormatMeanings } from "./env-error-meanings.ts";
import { gateMeanings } from "./gate-meanings.ts";
import { type CheckMeaning, invalidKeyMeanings, undeterminedMeanings } from "./key-check-meanings.ts";
import { code, markdownTable } from "./markdown-table.ts";

/** What a user's key, a switch, an address or an env file is refused for: the second part of docs/errors.md. */
export function renderChecks(): string {
  return `## Answers of a key check

A check answers \`valid\`, \`invalid\` with one of these codes, or \`undetermined\` with one of those below. A network
failure is never \`invalid\`. What is \`invalid\` is not saved; what is \`undetermined\` may be, and stops the switch.

\`invalid\`, with the variable to fix, a message and a remedy:

${checkTable(invalidKeyCodes, invalidKeyMeanings)}

\`undetermined\`, with a message and, where the service named a time, \`retryAfterSeconds\`:

${checkTable(undeterminedCodes, undeterminedMeanings)}

## Gates

Asked before every switch, in this order, about all keys as they would be after it. One \`fail\` and nothing is changed:
409 \`gates_failed\` with every result in \`details.gates\`. A warning stops nothing. A gate that breaks fails.

${markdownTable(["Gate", "Says when it passes", "Warns", "Fails"], gates.map(gateRow))}

## Address rules

Refused of every address that a user types, before anything is sent: by the guard when keys are checked, and by the gate
\`public_address\`. A name is refused too when one of its addresses is.

${markdownTable(["Rule", "Such as", "Message", "Remedy"], Object.entries(addressExamples).map(addressRow))}

## Env files

A variable that a format or a guard does not let through stops the whole file; it is named, its value never is.

${markdownTable(["Code", "Meaning"], Object.entries(envFormatMeanings).map(meaningRow))}

Merging into an existing file stops, with the lines named, for:

${markdownTable(["Code", "Meaning"], Object.entries(envFileMeanings).map(meaningRow))}
`;
}

function checkTable(codes: readonly string[], meanings: Readonly<Record<string, CheckMeaning>>): string {
  const rows = codes.map((name) => {
    const found = meanings[name];
    if (found === undefined) throw new Error(`say in scripts/docs/key-check-meanings.ts what ${name} means`);
    return [code(name), found.meaning, found.next];
  });
  return markdownTable(["Code", "Meaning", "What the user does"], rows);
}

function gateRow({ name, passed }: (typeof gates)[number]): readonly string[] {
  const found = gateMeanings[name];
  if (found === undefined) throw new Error(`say in scripts/docs/gate-meanings.ts when ${name} fails`);
  return [code(name), passed, found.warns ?? "never", found.fails];
}

function addressRow([rule, address]: readonly [string, string]): readonly string[] {
  const read = readAddress(address);
  if (read.ok || read.rule !== rule) throw new Error(`scripts/docs/address-examples.ts has none for ${rule}`);
  return [code(rule), code(address), read.message, read.remedy];
}

function meaningRow([name, meaning]: readonly [string, string]): readonly string[] {
  return [code(name), meaning];
}
