import { parseArgs } from "node:util";

export type Options = {
  /** A broker to attack instead of one that is started. */
  readonly given: { readonly url: string; readonly adminTokenFile: string } | undefined;
  readonly only: readonly string[];
  readonly list: boolean;
};

export const help = `Attacks a broker the way its threat model fears, and tells what an attacker got.

Usage: pnpm attack [options]

  --url <address>             attack this broker; by default one is started, with stand-ins
  --admin-token-file <file>   its admin token: the suite makes builds and links with it
  --only <family>             one family, or one attack by its id; may be repeated
  --list                      print the id of each attack, a line each, by family
  -h, --help                  this text

Examples:
  pnpm attack
  pnpm attack --only forged-audit
  pnpm attack --url http://127.0.0.1:8787 --admin-token-file .keyloan/admin-token

Attack only a broker that is yours: builds, tokens and refusals are left in it. Families that need the broker's
own machine run against what is started, and are left out with --url.
The last line is \`attacks N, succeeded N\`; the exit code is 0 only when none did.`;

/** @throws Error with a sentence for a wrong option */
export function readOptions(argv: readonly string[]): Options | "help" {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      url: { type: "string" },
      "admin-token-file": { type: "string" },
      only: { type: "string", multiple: true },
      list: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help === true) return "help";
  const { url, "admin-token-file": adminTokenFile } = values;
  if ((url === undefined) !== (adminTokenFile === undefined)) {
    throw new Error("--url and --admin-token-file go together");
  }
  if (url !== undefined && !URL.canParse(url)) throw new Error(`--url is not an address: ${url}`);
  return {
    given:
      url === undefined || adminTokenFile === undefined
        ? undefined
        : { url: url.replace(/\/+$/, ""), adminTokenFile },
    only: values.only ?? [],
    list: values.list === true,
  };
}
