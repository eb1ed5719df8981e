import { libsqlTestClient, testConnector, testDatabase } from "../kit/testing/index.ts";
import { startEmulator } from "./emulator.ts";
import { turso } from "./index.ts";

testConnector({ connector: turso, startEmulator });
testDatabase({
  connector: turso,
  startEmulator,
  client: libsqlTestClient({ url: "TURSO_DATABASE_URL", token: "TURSO_AUTH_TOKEN" }),
});
