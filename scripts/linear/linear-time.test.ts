import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { clientAddress, trustedProxies } from "../../apps/broker/src/http/client-address.ts";
import { decodePublishableKey } from "../../packages/connectors/src/clerk/publishable-key.ts";
import { connectors } from "../../packages/connectors/src/index.ts";
import { foldName } from "../../packages/connectors/src/kit/libsql/names.ts";
import {
  parseVirtualTable,
  searchCopiesOf,
  searchKindOf,
} from "../../packages/connectors/src/kit/libsql/search-index.ts";
import { findMistake } from "../../packages/connectors/src/r2/find-mistake.ts";
import {
  type EnvVarSpec,
  findTokens,
  formOf,
  parsePastedEnv,
  readRecoveryCode,
  secretValues,
  showName,
  tokenFormKinds,
  tokenPattern,
  trimEndOf,
} from "../../packages/contract/src/index.ts";
import { parseEnvFile } from "../../packages/env-generator/src/env-file.ts";
import { mergeEnvText } from "../../packages/env-generator/src/merge-env.ts";
import { standsAlone } from "../../packages/env-generator/src/standing-alone.ts";
import { readAddress } from "../../packages/key-validator/src/address/read-address.ts";
import { checkUserShape } from "../../packages/key-validator/src/input/check-user-shape.ts";
import { cleanText } from "../../packages/key-validator/src/input/clean-text.ts";
import { repairInput } from "../../packages/key-validator/src/input/repair-input.ts";
import { findPatterns, patternsOf } from "./find-patterns.ts";
import { growthOf, isLinear } from "./growth.ts";
import { findPump } from "./pump-pattern.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const minutes = 5 * 60_000;

describe("the measure", () => {
  test.each([
    ["a trim by a pattern", /\/+$/],
    ["brackets that may begin anywhere", /(?:\[[^\]]*\]|[^,])+/g],
    ["two repetitions of the same", /^https:\/\/[a-z]+\.example\/+([^\s?#]+)$/],
    ["blanks before what is not there", /\s*[,;]+$/u],
  ])("knows %s as slow", (_what, expression) => expect(findPump(expression)).toBeDefined());

  test("finds the expressions of a source and not its texts", () => {
    const found = patternsOf('const a: RegExp = /x+$/u;\nconst b = "/y/"; // /z/', "a.ts");
    expect(found.map(({ place, expression }) => [place, String(expression)])).toEqual([["a.ts:1", "/x+$/u"]]);
  });

  test("knows a loop in a loop as slow", () => {
    const growth = growthOf((length) => {
      const numbers = Array.from({ length }, (_, index) => index);
      return () => numbers.every((number) => numbers.includes(number));
    }, 2_000);
    expect(isLinear(growth)).toBe(false);
  });
});

test(
  "every regular expression of the broker's process takes linear time, whatever is repeated",
  () => {
    const slow = findPatterns(root).flatMap(({ place, expression }) => {
      const pump = findPump(expression);
      return pump === undefined ? [] : [`${place} ${expression}: ${pump}`];
    });
    expect(slow).toEqual([]);
  },
  minutes,
);

test(
  "so does every pattern of a value or a token",
  () => {
    const fields = connectors.flatMap(({ spec }) => [...spec.env, ...spec.orgFields]);
    const patterns = new Set(fields.flatMap(({ pattern }) => pattern ?? []));
    const all = [
      ...[...patterns].map((pattern) => new RegExp(pattern, "u")),
      ...tokenFormKinds.map(tokenPattern),
    ];
    expect(all.length).toBeGreaterThan(20);
    const slow = all.flatMap((one) => (findPump(one) === undefined ? [] : [`${one}: ${findPump(one)}`]));
    expect(slow).toEqual([]);
  },
  minutes,
);

const units = [
  "[",
  "]",
  '"',
  "'",
  "`",
  "(",
  ")",
  "/*",
  "*/",
  "--\n",
  ",",
  ";",
  " ",
  "\n",
  "\\",
  "#",
  "/",
  "=",
  "a=",
  'a="',
  "a='\n",
  ".",
  ":",
  "::",
  "-",
  "A",
  "é",
  "\u200B",
  "klo_",
  "for=",
  "$(",
];

const variables: readonly EnvVarSpec[] = [
  {
    name: "KEY",
    label: "Key",
    secret: true,
    ...formOf({ test: ["sk_test_"], live: ["sk_live_"] }, "[a-z]+"),
    exposure: "server",
  },
  {
    name: "URL",
    label: "Address",
    secret: false,
    ...formOf(["https://"], "\\S+"),
    role: "address",
    exposure: "server",
  },
];
const [key] = variables as readonly [EnvVarSpec];
const virtual = (text: string) => {
  const parsed = parseVirtualTable(text);
  searchKindOf(parsed?.args ?? []);
  searchCopiesOf(parsed?.args ?? []);
};
const proxies = trustedProxies(["10.0.0.0/8"]);

/** What looks at text from outside, each with a text of that length that it has to look at whole. */
const readers: readonly (readonly [string, (text: string) => unknown])[] = [
  ["the arguments of a virtual table", (text) => virtual(`CREATE VIRTUAL TABLE x USING fts5(a ${text}, b)`)],
  ["a comment in them", (text) => virtual(`CREATE VIRTUAL TABLE x USING fts5(a /*${text}*/, b)`)],
  ["an option in them", (text) => virtual(`CREATE VIRTUAL TABLE x USING fts5(a, prefix='${text}')`)],
  ["the name of a virtual table", (text) => virtual(`CREATE VIRTUAL TABLE ${text} USING fts5(a)`)],
  ["the end of a virtual table", (text) => virtual(`CREATE VIRTUAL TABLE x USING fts5(a) ${text}x`)],
  ["a name that is shown", showName],
  ["a name that is compared", foldName],
  ["the end of a text", (text) => trimEndOf(`${text}x${text}`, "/,;=")],
  ["a typed value", (text) => cleanText(key, `x${text}x`)],
  ["a typed value's end", (text) => cleanText(key, `x${text}`)],
  ["typed values", (text) => repairInput(variables, secretValues({ KEY: text, URL: `${text}x` }))],
  ["typed lines", (text) => repairInput(variables, secretValues({ KEY: `URL=${text}\n${text}\nKEY=x` }))],
  [
    "the form of values",
    (text) => checkUserShape(variables, secretValues({ KEY: text, URL: `https://${text}` })),
  ],
  ["an address", (text) => readAddress(`https://${text}`)],
  [
    "an endpoint",
    (text) => findMistake(secretValues({ R2_ENDPOINT: `https://a.r2.cloudflarestorage.com/${text}\t` })),
  ],
  ["a publishable key", (text) => decodePublishableKey(`pk_test_${text}!`)],
  ["a pasted file", (text) => parsePastedEnv(text)],
  ["a pasted file of lines", (text) => parsePastedEnv(text.replaceAll("a", "\na"))],
  ["an existing file", (text) => parseEnvFile(text)],
  ["an existing file of lines", (text) => parseEnvFile(text.replaceAll("a", "\na"))],
  ["a merge", (text) => attempt(() => mergeEnvText(`${text}\nA=b`, "B='c'\n"))],
  ["a line", standsAlone],
  ["a recovery code", readRecoveryCode],
  ["a text that may hold tokens", (text) => [...findTokens(text)]],
  [
    "headers of proxies",
    (text) => clientAddress("10.0.0.1", { forwarded: `for=${text}`, xForwardedFor: text }, proxies),
  ],
];

function attempt(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}

test.each(readers)(
  "%s takes linear time, whatever is repeated",
  (_what, read) => {
    const slow = units.filter((unit) => {
      const work = (length: number) => {
        const text = unit.repeat(Math.ceil(length / unit.length));
        return () => void read(text);
      };
      return !isLinear(growthOf(work, 2_000));
    });
    expect(slow).toEqual([]);
  },
  minutes,
);
