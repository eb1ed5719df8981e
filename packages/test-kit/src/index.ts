export { putObjects, runSql, type TestBroker } from "@keyloan/broker/testing";
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
