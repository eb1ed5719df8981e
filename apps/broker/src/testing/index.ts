// What tests of other packages may use of the broker, through packages/test-kit.
export { allowTokens } from "./allow-tokens.ts";
export { putObjects, runSql } from "./app-clients.ts";
export { createTestBroker, type TestBroker, type TestBrokerOptions } from "./create-test-broker.ts";
export { finishWork } from "./finish-work.ts";
export { createKeyedProvider, type KeyedProvider } from "./keyed-provider.ts";
export { createMemoryConnectors, type MemoryConnectors } from "./memory-connectors.ts";
export { openPage, type TestPage } from "./open-page.ts";
export { savedBuild, switchAll } from "./saved-build.ts";
export { createStoreWriter } from "./store-writer.ts";
