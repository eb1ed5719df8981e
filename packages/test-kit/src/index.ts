export {
  allowTokens,
  createStoreWriter,
  openPage,
  putObjects,
  runSql,
  savedBuild,
  switchAll,
  type TestBroker,
  type TestPage,
} from "@keyloan/broker/testing";
export { type Fault, type StandIns, startStandIns } from "@keyloan/connectors/emulators";
export {
  type BrokerProcess,
  builtFolder,
  newConfiguration,
  programIn,
  startBrokerProcess,
} from "./broker-process.ts";
export { buildBroker } from "./build-broker.ts";
export { type ApiAnswer, callApi, expectApi } from "./call-api.ts";
export { type Child, startChild } from "./child.ts";
export {
  type KeyloanProcess,
  putOrgKeys,
  type StandInKeys,
  startKeyloan,
  startStandInsProcess,
} from "./start-keyloan.ts";
export { startWatchedKeyloan, type WatchedKeyloan } from "./start-watched-keyloan.ts";
export { answering, brokerHeaders, type NetworkFault } from "./watch-requests.ts";
