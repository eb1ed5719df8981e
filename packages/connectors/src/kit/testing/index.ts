export {
  everythingOf,
  openEmulatorTarget,
  orgCredential,
  planLease,
  slotOf,
  testContext,
} from "./harness.ts";
export { type ConnectorSuite, testConnector, testConnectorLive } from "./test-connector.ts";
