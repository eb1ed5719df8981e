import { execFile, execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";

/** Whether this machine has Docker's command line; an engine is not needed. */
export function hasDockerCli(): boolean {
  try {
    // `docker` may be Podman, which reads env files by its own rules.
    return execFileSync("docker", ["--version"], { stdio: "pipe" }).toString().startsWith("Docker version");
  } catch {
    return false;
  }
}

/** Reads an env file with the real command line, by acting as its engine and looking at its requests. */
export async function readWithDockerCli(folder: string, text: string): Promise<Record<string, string>> {
  const file = join(folder, "docker.env");
  await writeFile(file, text);
  let environment: readonly string[] = [];
  const engine = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      response.setHeader("API-Version", "1.44").setHeader("content-type", "application/json");
      if (request.url?.includes("/containers/create")) {
        environment = JSON.parse(Buffer.concat(chunks).toString()).Env ?? [];
        response.writeHead(201).end(JSON.stringify({ Id: "1", Warnings: [] }));
      } else response.end("OK");
    });
  });
  await new Promise<void>((resolve) => engine.listen(0, "127.0.0.1", resolve));
  const address: string | AddressInfo | null = engine.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  try {
    const host = `tcp://127.0.0.1:${port}`;
    const environmentOfCli = { PATH: process.env.PATH, DOCKER_CONFIG: folder };
    await promisify(execFile)("docker", ["--host", host, "create", "--env-file", file, "image"], {
      env: environmentOfCli,
    });
    return Object.fromEntries(
      environment.map((entry) => [entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)]),
    );
  } finally {
    engine.closeAllConnections();
    await new Promise((resolve) => engine.close(resolve));
  }
}
