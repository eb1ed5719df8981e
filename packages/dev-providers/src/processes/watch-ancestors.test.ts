import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";

const watcher = `
  import { onAncestorEnd } from ${JSON.stringify(new URL("./watch-ancestors.ts", import.meta.url).href)};
  const alive = setInterval(() => {}, 60_000);
  await onAncestorEnd(() => { console.log("left alone"); clearInterval(alive); });
  console.log("watching");
`;

test("a script's process learns that the program which started its shell was killed", async () => {
  const node = `"${process.execPath}" --input-type=module -e "$WATCHER"; true`;
  const outer = spawn("/bin/sh", ["-c", `/bin/sh -c "$INNER"; true`], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { PATH: process.env.PATH, npm_lifecycle_event: "start", INNER: node, WATCHER: watcher },
  });
  let output = "";
  outer.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString("utf8");
    if (output === "watching\n") outer.kill("SIGKILL");
  });
  // The pipe closes when the last process that holds it has ended.
  await once(outer, "close");
  expect(output).toBe("watching\nleft alone\n");
});
