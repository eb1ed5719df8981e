import { libsqlTestClient, testConnector, testDatabase, testDatabaseUpkeep } from "../kit/testing/index.ts";
import { startEmulator } from "./emulator.ts";
import { turso } from "./index.ts";

testConnector({
  connector: turso,
  startEmulator,
  userKinds: {
    "read-only": {
      status: "invalid",
      envVar: "TURSO_AUTH_TOKEN",
      code: "lacks_permission",
      message: "This token may only read, and your app has to write.",
    },
    "wrong-pair": { status: "invalid", envVar: "TURSO_AUTH_TOKEN", code: "rejected" },
  },
});
const database = {
  connector: turso,
  startEmulator,
  client: libsqlTestClient({ url: "TURSO_DATABASE_URL", token: "TURSO_AUTH_TOKEN" }),
};
testDatabase(database);
testDatabaseUpkeep(database);
