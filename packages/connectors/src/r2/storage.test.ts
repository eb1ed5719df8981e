import { secretValues } from "@keyloan/contract";
import { expect, test } from "vitest";
import { testContext, testStorage } from "../kit/testing/index.ts";
import { startEmulator } from "./emulator.ts";
import { r2 } from "./index.ts";
import { storageTestClient } from "./testing/lent-storage.ts";

const mebibyte = 1024 * 1024;
const entriesMax = 50;

testStorage({
  connector: r2,
  startEmulator: (options) => startEmulator({ ...options, entriesMax }),
  entriesMax,
  client: storageTestClient,
  options: {},
  largeBytes: 8 * mebibyte + 1,
  refusedKeys: ["..", "a/../b", "./a", "a/.", "", "x".repeat(1025)],
});

test("an address that may not be asked is told in the guard's own words", async () => {
  const blocked = Object.assign(new Error("10.0.0.1"), { name: "BlockedAddressError" });
  const values = secretValues({
    R2_ENDPOINT: "https://store.example",
    R2_BUCKET: "files",
    R2_ACCESS_KEY_ID: "id",
    R2_SECRET_ACCESS_KEY: "secret",
  });
  const hash = r2.storage?.hash(testContext({ fetch: () => Promise.reject(blocked) }), values, "key");
  await expect(hash).rejects.toMatchObject({
    message: "The address is not one that Keyloan may call.",
    remedy: "Enter the address as the provider shows it.",
  });
});
