#!/usr/bin/env node

const [major = 0] = process.versions.node.split(".").map(Number);

async function load() {
  const name = process.argv[2] === "run" ? "run" : "cli";
  const built = new URL(`../dist/${name}.mjs`, import.meta.url).href;
  keepCompiled();
  try {
    return await import(built);
  } catch (error) {
    const notBuilt = error?.code === "ERR_MODULE_NOT_FOUND" && (error.url ?? built) === built;
    if (!notBuilt) throw error;
  }
  if (major < 24) {
    stop(
      `keyloan is not built here, and Node.js ${process.versions.node} cannot run its sources.`,
      "Build it with `pnpm build`, or use Node.js 24 or newer.",
    );
  }
  return import("../src/cli.ts");
}

// Compiled code is kept beside the code itself, where only whoever installed keyloan can write. Node's
// own choice, a folder in the shared /tmp, would let other users of the machine in.
function keepCompiled() {
  const builtin = process.getBuiltinModule;
  const folder = new URL("../dist", import.meta.url);
  if (!builtin?.("node:fs").existsSync(folder)) return;
  builtin("node:module").enableCompileCache?.(`${builtin("node:url").fileURLToPath(folder)}/compiled`);
}

function stop(message, remedy) {
  process.stderr.write(`keyloan: ${message}\n  ${remedy}\n`);
  process.exit(1);
}

if (major < 20) {
  stop(`Node.js ${process.versions.node} is too old for keyloan.`, "Install Node.js 20 or newer.");
}
const { main } = await load();
await main();
