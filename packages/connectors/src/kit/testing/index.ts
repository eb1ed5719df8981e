export {
  everythingOf,
  openEmulatorTarget,
  orgCredential,
  planLease,
  slotOf,
  testContext,
} from "./harness.ts";
export { libsqlTestClient } from "./libsql-test-client.ts";
export { type StorageSuite, type StorageTestClient, testStorage } from "./storage-promises.ts";
export { type ConnectorSuite, testConnector, testConnectorLive } from "./test-connector.ts";
export {
  type DatabaseSession,
  type DatabaseSuite,
  type DatabaseTestClient,
  testDatabase,
} from "./test-database.ts";
export { type DatabaseContentSuite, testDatabaseContent } from "./test-database-content.ts";
export { testDatabaseUpkeep } from "./test-database-upkeep.ts";
