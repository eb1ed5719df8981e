import { testConnector } from "../kit/testing/index.ts";
import { startEmulator } from "./emulator.ts";
import { turso } from "./index.ts";

testConnector({ connector: turso, startEmulator });
