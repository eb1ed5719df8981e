import { execFile, spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { readRecoveryCode } from "@keyloan/contract";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestBroker, type TestBroker } from "./testing/create-test-broker.ts";

// The very text of the document, as a developer copies it.

const documentPath = fileURLToPath(new URL("../../../docs/handoff.md", import.meta.url));
const hasPyNacl = spawnSync("python3", ["-c", "import nacl.public"]).status === 0;
if (!hasPyNacl) {
  console.warn(
    "The example of docs/handoff.md is NOT run: there is no python3 with PyNaCl (pip install pynacl).",
  );
}

let broker: TestBroker;
let example: string;
beforeAll(async () => {
  broker = await createTestBroker({ emulators: [] });
  const blocks = [...(await readFile(documentPath, "utf8")).matchAll(/^```python\n(.*?)^```$/gms)];
  expect(blocks).toHaveLength(1);
  example = blocks[0]?.[1] ?? "";
});
afterAll(() => broker.close());

describe("the Python example of docs/handoff.md", () => {
  it("names the build and sends its keys sealed", () => {
    expect(example).toContain("x-keyloan-build");
    expect(example).toContain("SealedBox");
  });

  it.skipIf(!hasPyNacl)("opens a link, saves keys and shows the recovery code", async () => {
    const { id } = await broker.createBuild({ connectors: ["app-secrets"] });
    const made = await broker.call("POST", `/v1/builds/${id}/handoff`, { body: {} });
    const { url } = made.body as { url: string };
    const { stdout } = await promisify(execFile)("python3", ["-c", example, url], { timeout: 30_000 });
    const [status, code = ""] = stdout.trim().split(" ");
    expect([status, readRecoveryCode(code)]).toEqual(["valid", code]);
    const { read } = broker.running().deps.store;
    expect(await read.userKeys.listByBuild(id)).toHaveLength(1);
    expect(await read.persons.findByBuild(id)).toBeDefined();
  });
});
