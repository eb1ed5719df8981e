import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

type Reader = {
  readonly isHere: () => boolean;
  /** Returns the manifest as plain data. */
  readonly read: (folder: string, text: string) => unknown;
};

const loadWithPython =
  "import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1], 'rb')), sys.stdout)";
const bytesMax = 64 * 1024 * 1024;

/** Programs that read a manifest. kubectl does what it does before sending one, but without a cluster. */
export const yamlReaders: Readonly<Record<string, Reader>> = {
  "yaml, version 1.2": { isHere: () => true, read: (_folder, text) => parse(text, { version: "1.2" }) },
  "yaml, version 1.1": { isHere: () => true, read: (_folder, text) => parse(text, { version: "1.1" }) },
  PyYAML: {
    isHere: () => runs("python3", ["-c", "import yaml"]),
    read: (folder, text) => run("python3", ["-c", loadWithPython, manifestFile(folder, text)]),
  },
  kubectl: {
    isHere: () => runs("kubectl", ["version", "--client"]),
    read: (folder, text) => run("kubectl", [...localLabel, "-f", manifestFile(folder, text)], folder),
  },
};

const localLabel = ["label", "--local", "--output=json", "read=back"];

/** The variables that `envFrom` makes from a Secret: names and decoded values. */
export function environmentOf(manifest: unknown): Record<string, string> {
  if (typeof manifest !== "object" || manifest === null || !("data" in manifest))
    throw new Error("no Secret");
  const entries = Object.entries(manifest.data ?? {});
  return Object.fromEntries(
    entries.map(([name, value]) => [name, Buffer.from(String(value), "base64").toString()]),
  );
}

function manifestFile(folder: string, text: string): string {
  const file = join(folder, "secret.yaml");
  writeFileSync(file, text);
  return file;
}

function run(program: string, args: readonly string[], home?: string): unknown {
  const env = { PATH: process.env.PATH, ...(home === undefined ? {} : { HOME: home }) };
  return JSON.parse(execFileSync(program, args, { env, maxBuffer: bytesMax }).toString());
}

function runs(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
