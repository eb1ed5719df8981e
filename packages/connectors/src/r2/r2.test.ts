import { testConnector } from "../kit/testing/index.ts";
import { startEmulator } from "./emulator.ts";
import { r2 } from "./index.ts";

testConnector({ connector: r2, startEmulator, options: {}, issues: "locally", revokes: "at_provider" });
