import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Secret } from "../../../packages/contract/src/index.ts";
import { refusalOf, renderEnv } from "../../../packages/env-generator/src/index.ts";
import { commands, planted } from "../../../packages/env-generator/src/testing/hostile-values.ts";
import { type Attack, type Family, spoilIf } from "../attack.ts";
import type { Machine } from "../machine.ts";

/** Files that a shell reads as a script: what is in them must stay text. */
const formats = ["dotenv", "shell"] as const;

export const envReaders: Family = {
  name: "env-readers",
  on: "machine",
  attacks: formats.flatMap((format) =>
    commands.map(
      (value, index): Attack<Machine> => ({
        id: `${format}-command-${index + 1}`,
        run: async (machine) => {
          const line = { name: "ATTACKED", value: Secret.of(value) };
          if (refusalOf(line, format) !== undefined) return undefined;
          const file = join(await machine.newFolder("env"), "env");
          await writeFile(file, renderEnv([line], { format }));
          await rm(planted, { force: true });
          spawnSync("sh", ["-c", `. ${file}`], { timeout: 10_000 });
          const ran = existsSync(planted);
          await rm(planted, { force: true });
          return spoilIf(ran, "a shell that reads the file runs a command of the value");
        },
      }),
    ),
  ),
};
