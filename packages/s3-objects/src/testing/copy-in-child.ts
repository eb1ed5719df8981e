import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { secretValues } from "@keyloan/contract";
import { testContext, testStorage } from "./test-bucket.ts";

/**
 * Copies one object in a process of its own and prints the most bytes that it held at once. Takes a line of JSON:
 * the values of both ends, and the key.
 */
const { from, to, key } = JSON.parse(process.argv[2] ?? "{}");
setFlagsFromString("--expose-gc");
// Without collecting what nobody holds, the number would be that of the collector's mood.
const collect: () => void = runInNewContext("gc");
const context = testContext();
let heldBytes = 0;
const copied = await testStorage.copy(
  { context, values: secretValues(from) },
  { context, values: secretValues(to) },
  { key, bytes: 0 },
  () => {
    // Once for what is dead, once for what its finalizers let go.
    collect();
    collect();
    const { arrayBuffers, heapUsed } = process.memoryUsage();
    heldBytes = Math.max(heldBytes, arrayBuffers + heapUsed);
  },
);
process.stdout.write(JSON.stringify({ ...copied, heldBytes }));
