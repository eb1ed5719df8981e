import { type Environment, ownVariables } from "../env.ts";
import { type Command, UsageError } from "../shell/command.ts";
import { buildIdOf, copiesOf, profileOf } from "../shell/values.ts";

/** Fetches a build's env and starts a command with it. */
export const command: Command = {
  usage: "run --build <id> [options] -- <command> [arguments]",
  summary: "Start a command with the env of a build. Nothing is written to disk.",
  notes: [
    "The command inherits this environment; when both have a variable, the build's value wins. Signals go to the command, and its exit code becomes the exit code of keyloan: 127 when the command is not found, 126 when it cannot be run.",
    "KEYLOAN_URL, KEYLOAN_TOKEN and KEYLOAN_TOKEN_FILE are removed from the command's environment. A program of the same user can still look for the token in its parent process: give code that you do not trust a single-use build token (keyloan build token --single-use).",
  ],
  options: {
    build: { type: "text", value: "id", help: "the build (required)" },
    profile: {
      type: "text",
      value: "name",
      help: "plain, next, vite or expo: prefixes names that a browser may see; default: the build's own",
    },
    copies: {
      type: "text",
      value: "set",
      multiple: true,
      help: "add copied names, such as aws (AWS_… for R2)",
    },
    "pass-token": { type: "flag", help: "leave KEYLOAN_URL, KEYLOAN_TOKEN and KEYLOAN_TOKEN_FILE in place" },
  },
  passesRest: true,
  examples: [
    "keyloan run --build bld_3k9v0a5m2c7d8e4f6g1h -- npm start",
    "keyloan run --build bld_3k9v0a5m2c7d8e4f6g1h --profile next -- npx next build",
    "keyloan run --build bld_3k9v0a5m2c7d8e4f6g1h --copies aws -- sh -c 'aws s3 ls'",
  ],
  run: async ({ args, io, connect }) => {
    const buildId = buildIdOf(args);
    const [file, ...rest] = args.rest;
    if (file === undefined || file === "") {
      throw new UsageError(
        "There is no command to run.",
        "Put it after --, as in: keyloan run --build <id> -- npm test",
      );
    }
    const options = { profile: profileOf(args), copies: copiesOf(args) };
    // What starts processes is made ready while the answer is on its way.
    const answer = connect().builds.env(buildId, options);
    const [lent, runChild] = await Promise.all([answer, readyToRun()]);
    return runChild(file, rest, childEnvironment(io.env, lent, args.flag("pass-token")));
  },
};

async function readyToRun() {
  const { runChild, settleStreams } = await import("../shell/run-child.ts");
  settleStreams();
  return runChild;
}

function childEnvironment(
  inherited: Environment,
  lent: Readonly<Record<string, string>>,
  passToken: boolean,
): Record<string, string | undefined> {
  const env: Record<string, string | undefined> = { ...inherited };
  if (!passToken) for (const name of ownVariables) delete env[name];
  return Object.assign(env, lent);
}
