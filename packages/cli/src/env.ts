import { readFileSync } from "node:fs";
import { KeyloanError } from "@keyloan/sdk";

export type Environment = Readonly<Record<string, string | undefined>>;

/** The variables that tell where the broker is and who asks. A child process does not inherit them. */
export const ownVariables = ["KEYLOAN_URL", "KEYLOAN_TOKEN", "KEYLOAN_TOKEN_FILE"] as const;

export const urlDefault = "http://127.0.0.1:8787";

export type Settings = {
  readonly url: string;
  readonly token: string | undefined;
  readonly allowInsecure: boolean;
};

/** The environment of this process; the only place of the package that reads it. */
export function processEnvironment(): Environment {
  return process.env;
}

/**
 * Where the broker is and the token to use. An empty variable counts as not set.
 * @throws KeyloanError `invalid_token` when the token file cannot be read or both variables are set
 */
export function readSettings(env: Environment): Settings {
  return {
    url: env.KEYLOAN_URL || urlDefault,
    token: readToken(env.KEYLOAN_TOKEN || undefined, env.KEYLOAN_TOKEN_FILE || undefined),
    allowInsecure: env.KEYLOAN_ALLOW_HTTP === "1",
  };
}

function readToken(token: string | undefined, file: string | undefined): string | undefined {
  if (file === undefined) return token?.trim();
  if (token !== undefined) {
    throw new KeyloanError("invalid_token", "KEYLOAN_TOKEN and KEYLOAN_TOKEN_FILE are both set.", {
      remedy: "Unset one of them, so that it is clear which token to use.",
    });
  }
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    throw new KeyloanError("invalid_token", `The token file ${file} cannot be read.`, {
      remedy: "Check the path in KEYLOAN_TOKEN_FILE and that this user may read the file.",
    });
  }
}
