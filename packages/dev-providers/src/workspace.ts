import { fileURLToPath } from "node:url";

const fromRoot = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

/** Where the programs of this workspace are. They are started by path, never imported. */
export const workspace = {
  root: fromRoot(""),
  brokerProgram: fromRoot("apps/broker/src/main.ts"),
  cliFolder: fromRoot("packages/cli/"),
  cliProgram: fromRoot("packages/cli/bin/keyloan.mjs"),
  attendProgram: fromRoot("packages/dev-providers/src/demo/attend.ts"),
  settingsPageFolder: fromRoot("apps/settings-ui/"),
  contractFolder: fromRoot("packages/contract/"),
  exampleProgram: fromRoot("examples/notes/src/main.ts"),
  exampleSelfTest: fromRoot("examples/notes/src/self-test.ts"),
  providersProgram: fromRoot("packages/dev-providers/src/processes/serve-providers.ts"),
} as const;
