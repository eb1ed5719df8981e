import { describe } from "vitest";
import { testConnector } from "../kit/testing/index.ts";
import { startEmulator } from "./emulator.ts";
import { r2 } from "./index.ts";

testConnector({ connector: r2, startEmulator, options: {} });

describe("with an org key that has no API token", () => {
  testConnector({
    connector: r2,
    startEmulator: async (options) => {
      const emulator = await startEmulator(options);
      const { apiToken: _, ...orgFields } = emulator.orgFields;
      return { ...emulator, orgFields };
    },
    options: {},
    issues: "locally",
    revokes: "at_provider",
    corrupted: { apiToken: "unknown".repeat(6) },
  });
});
