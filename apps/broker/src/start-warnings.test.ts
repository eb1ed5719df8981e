import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { newTokenBody, Secret } from "@keyloan/contract";
import { createRootKey } from "@keyloan/vault";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createTestBroker } from "./testing/create-test-broker.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "keyloan-start-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** What a broker of its own process writes to standard error until it listens. */
async function start(environment: Record<string, string>): Promise<string> {
  const program = fileURLToPath(new URL("./main.ts", import.meta.url));
  const child = spawn(process.execPath, [program], {
    env: {
      KEYLOAN_DATA_DIR: folder,
      KEYLOAN_ROOT_KEY: createRootKey(randomBytes).line.reveal(),
      KEYLOAN_ADMIN_TOKEN: newTokenBody("admin", randomBytes),
      PORT: "0",
      ...environment,
    },
  });
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const ended = once(child, "close");
  await new Promise<void>((resolve, reject) => {
    child.stdout.on("data", (chunk: Buffer) => chunk.includes("listens on") && resolve());
    child.on("close", () => reject(new Error(`the broker did not start: ${errors}`)));
  });
  child.kill("SIGTERM");
  await ended;
  return errors;
}

describe("a broker that strangers may reach", () => {
  it("says so at its start, however little it logs, and to its admin", async () => {
    const errors = await start({ KEYLOAN_HOST: "0.0.0.0", KEYLOAN_LOG_LEVEL: "silent" });
    expect(errors).toMatch(/^WARNING: .*KEYLOAN_PUBLIC_URL.*\n$/);
    const broker = await createTestBroker({ emulators: [], config: { host: "0.0.0.0" } });
    try {
      expect((await broker.call("GET", "/v1/warnings")).body).toMatchObject({
        warnings: [{ code: "no_public_url", remedy: expect.any(String) }],
      });
    } finally {
      await broker.close();
    }
  });

  it("says nothing when only this machine reaches it", async () => {
    expect(await start({})).toBe("");
  });
});

describe("a broker whose own sign-in key is among what it lends", () => {
  it("says so to its admin, from the moment that it is an org key", async () => {
    const broker = await createTestBroker({ emulators: ["clerk"] });
    try {
      const { publishableKey = "", secretKey = "" } = broker.emulators.get("clerk")?.orgFields ?? {};
      const signIn = { publishableKey, authorizedParties: ["https://app.example.com"] };
      const codes = async (secret: string) => {
        await broker.restart({ clerkSessions: { ...signIn, secretKey: Secret.of(secret) } });
        const { body } = await broker.call("GET", "/v1/warnings");
        return (body as { warnings: { code: string }[] }).warnings.map(({ code }) => code);
      };
      expect(await codes(secretKey)).toEqual([]);
      await broker.putOrgKeys("clerk");
      expect(await codes(secretKey)).toEqual(["lent_sign_in_key"]);
      expect(await codes(["sk", "test", "a".repeat(40)].join("_"))).toEqual([]);
    } finally {
      await broker.close();
    }
  });
});
