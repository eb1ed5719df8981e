import { PutObjectCommand } from "@aws-sdk/client-s3";
import type { SecretValues } from "@keyloan/contract";
import { describe, expect } from "vitest";
import { testConnector } from "../kit/testing/index.ts";
import { startEmulator } from "./emulator.ts";
import { r2 } from "./index.ts";
import { envOf, s3ClientOf } from "./testing/lent-storage.ts";

const userKinds = {
  "read-only": {
    status: "invalid",
    envVar: "R2_ACCESS_KEY_ID",
    code: "lacks_permission",
    message: "The key is genuine but does not have permission to store files.",
  },
  limited: {
    status: "valid",
    capabilities: expect.arrayContaining([
      { name: "Cannot reach anything outside its folder", state: "works" },
    ]),
    warnings: [],
  },
  wide: { status: "valid", warnings: [expect.stringContaining("whole bucket")] },
  "wrong-pair": { status: "invalid", envVar: "R2_SECRET_ACCESS_KEY", code: "rejected" },
};

async function use(values: SecretValues): Promise<void> {
  const env = envOf(values);
  const client = s3ClientOf(env);
  const Key = `${env.R2_PREFIX}file`;
  await client.send(new PutObjectCommand({ Bucket: env.R2_BUCKET, Key, Body: "x" }));
  client.destroy();
}

testConnector({ connector: r2, startEmulator, options: {}, userKinds, use });

describe("with an org key that has no API token", () => {
  testConnector({
    connector: r2,
    startEmulator: async (options) => {
      const emulator = await startEmulator(options);
      const { apiToken: _, ...orgFields } = emulator.orgFields;
      return { ...emulator, orgFields };
    },
    options: {},
    userKinds,
    use,
    issues: "locally",
    revokes: "at_provider",
    rotates: "refused",
    corrupted: { apiToken: "unknown".repeat(6) },
  });
});
