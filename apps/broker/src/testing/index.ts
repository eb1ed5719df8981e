// What tests of other packages may use of the broker, through packages/test-kit.
export { putObjects, runSql } from "./app-clients.ts";
export { createTestBroker, type TestBroker, type TestBrokerOptions } from "./create-test-broker.ts";
