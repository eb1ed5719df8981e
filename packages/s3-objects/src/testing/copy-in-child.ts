import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { secretValues } from "@keyloan/contract";
import { testContext, testStorage } from "./test-bucket.ts";

/**
 * Copies one object in a separate process and prints the most bytes that it held at once. Its argument is JSON with
 * the values of both ends and the key.
 */
const { from, to, key } = JSON.parse(process.argv[2] ?? "{}");
setFlagsFromString("--expose-gc");
// Without a forced collection, the number would depend on when the garbage collector happens to run.
const collect: () => void = runInNewContext("gc");
const context = testContext();
let heldBytes = 0;
const copied = await testStorage.copy(
  { context, values: secretValues(from) },
  { context, values: secretValues(to) },
  { key, bytes: 0 },
  () => {
    // Once for unreachable objects, once for what their finalizers release.
    collect();
    collect();
    const { arrayBuffers, heapUsed } = process.memoryUsage();
    heldBytes = Math.max(heldBytes, arrayBuffers + heapUsed);
  },
);
process.stdout.write(JSON.stringify({ ...copied, heldBytes }));
