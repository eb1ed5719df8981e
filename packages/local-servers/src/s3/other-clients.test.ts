import { execFile, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestGateway, type TestGateway } from "./testing/test-gateway.ts";

const hasBoto3 = spawnSync("python3", ["-c", "import boto3"]).status === 0;
if (!hasBoto3) console.warn("SKIPPED: python3 with boto3 is not here, so the Python client was not tried.");

describe.skipIf(!hasBoto3)("boto3", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(() => gateway.dispose());

  test("stores, lists, uploads in parts, presigns, deletes, and is confined like every client", async () => {
    const script = fileURLToPath(new URL("./testing/boto3-judge.py", import.meta.url));
    const { stdout } = await promisify(execFile)("python3", [script, gateway.url]);
    expect(JSON.parse(stdout)).toEqual({
      object: ["hello", { k: "v" }, "text/plain"],
      listed: ["a/b c+d~é/../x%20"],
      multipart: true,
      presigned: "hello",
      deleted: 2,
      confined: [200, 403, 403],
      wrong: 403,
    });
  });
});
