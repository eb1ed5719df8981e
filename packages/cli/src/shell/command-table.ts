import type { Command } from "./command.ts";
import { runTable } from "./run-table.ts";

export type CommandEntry = {
  /** Stands above this command and those that follow it in the help text. */
  readonly section?: string;
  readonly summary: string;
  /** Each command is loaded only when it is the one. */
  readonly load: () => Promise<{ readonly command: Command }>;
};

export type CommandTable = Readonly<Record<string, CommandEntry>>;

/** Every command by the words that call it, in the order of the help text. */
export const commandTable: CommandTable = {
  ...runTable,
  "build create": {
    summary: "make a build and wait until its keys work",
    load: () => import("../commands/build-create.ts"),
  },
  "build list": { summary: "list builds", load: () => import("../commands/build-list.ts") },
  "build show": { summary: "show one build and its leases", load: () => import("../commands/build-show.ts") },
  "build renew": {
    summary: "give a build more time",
    load: () => import("../commands/build-renew.ts"),
  },
  "build token": {
    summary: "make a token that reads one build's env and nothing else",
    load: () => import("../commands/build-token.ts"),
  },
  "build tokens": {
    summary: "list a build's tokens, or end one",
    load: () => import("../commands/build-tokens.ts"),
  },
  "build sessions": {
    summary: "list visits of a build's settings page, or end one",
    load: () => import("../commands/build-sessions.ts"),
  },
  "build link": {
    summary: "make a link where the user adds their own keys",
    load: () => import("../commands/build-link.ts"),
  },
  "build close": {
    summary: "end a build: revoke its keys, destroy its values",
    load: () => import("../commands/build-close.ts"),
  },
  "env pull": {
    summary: "print the env of a build, or write it to a file",
    load: () => import("../commands/env-pull.ts"),
  },
  "env check": {
    summary: "compare a .env.example with a build or a file",
    load: () => import("../commands/env-check.ts"),
  },
  "lease list": {
    section: "What builds were lent",
    summary: "list what is and was lent",
    load: () => import("../commands/lease-list.ts"),
  },
  "lease show": { summary: "show one lease", load: () => import("../commands/lease-show.ts") },
  "lease rotate": {
    summary: "replace the keys of one lease and prove the old ones dead",
    load: () => import("../commands/lease-rotate.ts"),
  },
  "lease rotation": {
    summary: "show the progress of a lease's rotation",
    load: () => import("../commands/lease-rotation.ts"),
  },
  "lease revoke": {
    summary: "revoke one lease, all of a connector, or everything",
    load: () => import("../commands/lease-revoke.ts"),
  },
  "db list": {
    section: "Data, and the way to the user's own keys",
    summary: "show a build's databases and their archives",
    load: () => import("../commands/db-list.ts"),
  },
  "db archive": {
    summary: "archive a database until it is needed again",
    load: () => import("../commands/db-archive.ts"),
  },
  "db restore": {
    summary: "restore an archived database",
    load: () => import("../commands/db-restore.ts"),
  },
  "db download": {
    summary: "download a database as a file",
    load: () => import("../commands/db-download.ts"),
  },
  "transfer show": {
    summary: "show what can be moved, and the progress",
    load: () => import("../commands/transfer-show.ts"),
  },
  "transfer start": {
    summary: "move an app's data into its user's own accounts",
    load: () => import("../commands/transfer-start.ts"),
  },
  "transfer cancel": {
    summary: "stop moving and undo what was begun",
    load: () => import("../commands/transfer-cancel.ts"),
  },
  "transfer resume": {
    summary: "resume transfers that failed or were cancelled",
    load: () => import("../commands/transfer-resume.ts"),
  },
  "transfer receipt": {
    summary: "show and check the receipts of what was moved",
    load: () => import("../commands/transfer-receipt.ts"),
  },
  rollback: {
    summary: "use the lent keys again, or rehearse that on a copy",
    load: () => import("../commands/rollback.ts"),
  },
  catalog: {
    section: "Keys and tokens",
    summary: "show the connectors, what they need and what they give",
    load: () => import("../commands/catalog.ts"),
  },
  "org-keys list": { summary: "list the org's keys", load: () => import("../commands/org-keys-list.ts") },
  "org-keys set": {
    summary: "set the org's key for a connector",
    load: () => import("../commands/org-keys-set.ts"),
  },
  "org-keys rotate": {
    summary: "set a new org key and prove that the old one is dead",
    load: () => import("../commands/org-keys-rotate.ts"),
  },
  "org-keys retire": {
    summary: "check whether replaced org keys are dead, or end them",
    load: () => import("../commands/org-keys-retire.ts"),
  },
  "org-keys remove": {
    summary: "remove the org's key for a connector",
    load: () => import("../commands/org-keys-remove.ts"),
  },
  "token list": { summary: "list tokens", load: () => import("../commands/token-list.ts") },
  "token create": {
    summary: "make an API token for a platform",
    load: () => import("../commands/token-create.ts"),
  },
  "token revoke": { summary: "end a token", load: () => import("../commands/token-revoke.ts") },
  "root-key create": {
    summary: "make a new root key (works offline)",
    load: () => import("../commands/root-key-create.ts"),
  },
  "root-key status": {
    summary: "show which root keys wrap how many data keys",
    load: () => import("../commands/root-key-status.ts"),
  },
  "root-key rotate": {
    summary: "rewrap every data key under the current root key",
    load: () => import("../commands/root-key-rotate.ts"),
  },
  doctor: {
    section: "Keeping watch",
    summary: "check this machine, the broker and the token",
    load: () => import("../commands/doctor.ts"),
  },
  "jobs list": {
    summary: "list jobs and which require manual action",
    load: () => import("../commands/jobs-list.ts"),
  },
  "jobs show": {
    summary: "show a job, and what a person must do and by when",
    load: () => import("../commands/jobs-show.ts"),
  },
  "jobs supply": {
    summary: "give a build the values that you made by hand",
    load: () => import("../commands/jobs-supply.ts"),
  },
  "jobs retry": { summary: "restart a job", load: () => import("../commands/jobs-retry.ts") },
  "jobs cancel": {
    summary: "end a job that is no longer wanted",
    load: () => import("../commands/jobs-cancel.ts"),
  },
  reconcile: {
    summary: "compare providers with the broker's records, end what is left over",
    load: () => import("../commands/reconcile.ts"),
  },
  "leak report": {
    summary: "find out what a leaked value is and who fetched it, and end it",
    load: () => import("../commands/leak-report.ts"),
  },
  scan: {
    summary: "find lent values and Keyloan tokens in a folder",
    load: () => import("../commands/scan.ts"),
  },
  audit: { summary: "show who did what, newest first", load: () => import("../commands/audit.ts") },
  "audit verify": {
    summary: "find edited, removed and reordered rows of the audit",
    load: () => import("../commands/audit-verify.ts"),
  },
  "audit head": {
    summary: "print the signed end of the audit, to keep elsewhere",
    load: () => import("../commands/audit-head.ts"),
  },
  "audit accept-head": {
    summary: "continue from a store that was restored",
    load: () => import("../commands/audit-accept-head.ts"),
  },
  "audit export": {
    summary: "write the audit as JSON lines",
    load: () => import("../commands/audit-export.ts"),
  },
};
