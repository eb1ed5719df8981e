import { testStorage } from "../kit/testing/index.ts";
import { startEmulator } from "./emulator.ts";
import { r2 } from "./index.ts";
import { storageTestClient } from "./testing/lent-storage.ts";

const mebibyte = 1024 * 1024;

testStorage({
  connector: r2,
  startEmulator,
  client: storageTestClient,
  options: {},
  largeBytes: 8 * mebibyte + 1,
  refusedKeys: ["..", "a/../b", "./a", "a/.", "", "x".repeat(1025)],
});
