import type { BuildView, ConnectorRequest } from "@keyloan/contract";
import type { Client } from "@keyloan/sdk";
import { isObject } from "@keyloan/sdk/parts";
import { type Arguments, type Command, CommandError, type Invocation, UsageError } from "../shell/command.ts";
import { follow } from "../shell/follow.ts";
import { readJsonFile } from "../shell/json-input.ts";
import { note, printJson } from "../shell/output.ts";
import { withProgress } from "../shell/progress.ts";
import { showBuild } from "../shell/show-build.ts";
import { integerOf, profileOf, secondsOf } from "../shell/values.ts";

const waitSecondsMax = 3600;
const waitSecondsOfOneCall = 60;

/** Makes a build, waits for it, and shows what it got. */
export const command: Command = {
  usage: "build create --name <name> [options]",
  summary: "Make a build and wait until its keys work.",
  notes: [
    "Without --connector the build gets one connector of each kind, out of those that the org has a key for or that need no key. The exit code is 1 when the build is not ready in time; the broker keeps making it all the same.",
  ],
  options: {
    name: { type: "text", value: "name", help: "a display name (required)" },
    connector: { type: "text", value: "id", multiple: true, help: "lend only these; may be repeated" },
    ttl: { type: "text", value: "duration", help: "how long it lives: 90m, 24h, 7d; default 24h" },
    profile: { type: "text", value: "name", help: "plain, next, vite or expo; default plain" },
    wait: { type: "text", value: "seconds", help: "how long to wait until it is ready; default 25" },
    "idempotency-key": {
      type: "text",
      value: "key",
      help: "the same key always gives the same build",
    },
    "option-file": {
      type: "text",
      value: "file",
      help: "JSON with options by connector id; those connectors must be named with --connector",
    },
  },
  examples: [
    "keyloan build create --name todo-app",
    "keyloan build create --name todo-app --connector turso --connector r2 --ttl 2h",
    `keyloan build create --name "CI $GITHUB_RUN_ID" --idempotency-key "$GITHUB_RUN_ID" --json`,
  ],
  run: async ({ args, io, json, connect }) => {
    const name = args.text("name");
    if (name === undefined) throw new UsageError("The build needs a --name.");
    const waitSeconds = integerOf(args, "wait", 0, waitSecondsMax) ?? 25;
    const [ttlSeconds, profile] = [secondsOf(args, "ttl"), profileOf(args)];
    const connectors = connectorsOf(args);
    const client = connect();
    const build = await withProgress(io, json, `Making the build ${name}`, (show) =>
      createAndWait({ args, io }, client, waitSeconds, show, {
        name,
        ...(connectors.length === 0 ? {} : { connectors }),
        ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
        ...(profile === undefined ? {} : { profile }),
      }),
    );
    if (json) printJson(io, build);
    else showBuild(io, build);
    if (build.state === "ready") {
      if (!json && io.stderrIsTerminal()) note(io, `\nUse it: keyloan run --build ${build.id} -- <command>`);
      return 0;
    }
    if (waitSeconds > 0) throw notReady(build);
    return 0;
  },
};

async function createAndWait(
  { args, io }: Pick<Invocation, "args" | "io">,
  client: Client,
  waitSeconds: number,
  show: (text: string) => void,
  body: Parameters<Client["builds"]["create"]>[0],
): Promise<BuildView> {
  const until = io.now() + waitSeconds * 1000;
  const first = await client.builds.create(body, {
    waitSeconds: Math.min(waitSeconds, waitSecondsOfOneCall),
    idempotencyKey: args.text("idempotency-key"),
  });
  return follow(io, show, {
    first,
    ask: () => client.builds.get(first.id),
    isAt: ({ state, leases }) =>
      state === "provisioning"
        ? leases.map((lease) => `${lease.connector} ${lease.state}`).join(", ")
        : undefined,
    until,
  });
}

function notReady(build: BuildView): CommandError {
  const waiting = build.leases.filter((lease) => lease.state !== "active").map((lease) => lease.connector);
  const message =
    build.state === "provisioning"
      ? `The build is not ready yet; still missing: ${waiting.join(", ") || "nothing"}.`
      : `The build is ${build.state}, so its env cannot be read.`;
  return new CommandError("not_ready", message, `Check its progress with: keyloan build show ${build.id}`);
}

function connectorsOf(args: Arguments): ConnectorRequest[] {
  const named = args
    .texts("connector")
    .flatMap((text) => text.split(","))
    .filter(Boolean);
  const file = args.text("option-file");
  if (file === undefined) return named;
  const options = new Map(Object.entries(readJsonFile(file)));
  for (const id of options.keys()) {
    if (!named.includes(id)) {
      throw new UsageError(
        `${file} has options for "${id}", which is not among the connectors.`,
        `Add --connector ${id}.`,
      );
    }
  }
  return named.map((id) => {
    const own = options.get(id);
    if (own === undefined) return id;
    if (!isObject(own)) throw new UsageError(`The options for "${id}" in ${file} are not a JSON object.`);
    return { id, options: own };
  });
}
