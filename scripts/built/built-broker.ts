import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** What `pnpm build` makes of the broker. */
export const builtFolder = fileURLToPath(new URL("../../apps/broker/dist", import.meta.url));

const startTimeoutMs = 15_000;

export type BuiltBroker = {
  readonly url: string;
  readonly port: number;
  readonly adminToken: string;
  readonly process: ChildProcess;
  /** What it has written so far, both streams. */
  readonly output: () => string;
  /** Sends SIGTERM and gives the exit code. */
  readonly stop: () => Promise<number | null>;
};

/** A whole configuration but for the stand-ins' addresses; nothing is inherited from this process. */
export function newConfiguration(dataDirectory: string): Record<string, string> {
  return {
    PORT: "0",
    KEYLOAN_DATA_DIR: dataDirectory,
    KEYLOAN_ROOT_KEY: `test:${randomBytes(32).toString("base64url")}`,
    KEYLOAN_ADMIN_TOKEN: `klo_admin_${randomBytes(32).toString("base64url")}`,
  };
}

/**
 * Starts the built broker and resolves when it says that it listens.
 * @throws Error with its output when it ends before, or when there is no built broker
 */
export async function startBuiltBroker(
  environment: Readonly<Record<string, string>>,
  options: { readonly folder?: string; readonly nodeArguments?: readonly string[] } = {},
): Promise<BuiltBroker> {
  const main = join(options.folder ?? builtFolder, "main.js");
  if (!existsSync(main)) throw new Error("The broker is not built: run `pnpm build` first.");
  const child = spawn(process.execPath, [...(options.nodeArguments ?? []), main], {
    cwd: environment.KEYLOAN_DATA_DIR === undefined ? undefined : join(environment.KEYLOAN_DATA_DIR, ".."),
    env: { ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  let output = "";
  const port = await new Promise<number>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`The built broker does not start in time:\n${output}`));
    }, startTimeoutMs);
    const read = (chunk: Buffer) => {
      output += chunk.toString("utf8");
      const found = /listens on http:\/\/\S+:(\d+)\n/.exec(output)?.[1];
      if (found === undefined) return;
      clearTimeout(timer);
      resolve(Number(found));
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    void exited.then((code) => {
      clearTimeout(timer);
      reject(new Error(`The built broker ended with ${code}:\n${output}`));
    });
  });
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    adminToken: environment.KEYLOAN_ADMIN_TOKEN ?? "",
    process: child,
    output: () => output,
    stop: () => {
      child.kill("SIGTERM");
      return exited;
    },
  };
}

export type ApiAnswer = { readonly status: number; readonly body: unknown };

/** One call to the broker as the admin, unless another token is given. */
export async function callApi(
  broker: Pick<BuiltBroker, "url" | "adminToken">,
  method: string,
  path: string,
  body?: unknown,
  token: string = broker.adminToken,
): Promise<ApiAnswer> {
  const response = await fetch(broker.url + path, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
}

/** As {@link callApi}. @throws Error when the answer has another status */
export async function expectApi<T>(status: number, ...call: Parameters<typeof callApi>): Promise<T> {
  const answer = await callApi(...call);
  if (answer.status !== status) {
    throw new Error(
      `${call[1]} ${call[2]} answered ${answer.status}, not ${status}: ${JSON.stringify(answer.body)}`,
    );
  }
  // Holds as far as the broker keeps its own contract, which its own tests prove.
  return answer.body as T;
}
