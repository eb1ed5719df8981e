import { type ConnectorSpec, formOf } from "@keyloan/contract";

const dashboard = "https://app.turso.tech";

export const tursoSpec: ConnectorSpec = {
  id: "turso",
  label: "Turso",
  category: "database",
  summary: "Stores your app's data, such as its users' entries, in a database.",
  grade: "B",
  revocation:
    "All tokens of the database are rotated, its reads and writes are blocked, and it is deleted with its data.",
  guide: {
    url: dashboard,
    steps: [
      "Sign in to Turso, or sign up.",
      "Select Create Database, name it after your app and choose the location nearest to your users.",
      "Open the new database and copy its URL, which starts with libsql://, into the field Database URL.",
      "On the same page make a token for this database (Create Token) that can read and write. Choose no end date, or your app stops on that day.",
      "Copy the token into the field Database token at once: Turso shows it only now.",
    ],
  },
  onSwap: "Your app starts with your own empty database; data that testers stored stays in the lent one.",
  orgFields: [
    {
      name: "organization",
      label: "Organization",
      help: "The organization's slug as in the dashboard's address: lower-case letters, digits and dashes.",
      helpUrl: dashboard,
      secret: false,
      pattern: "^[a-z0-9](?:[a-z0-9\\-]{0,61}[a-z0-9])?$",
      example: "acme",
    },
    {
      name: "group",
      label: "Group",
      help: "The group in which the databases are made: letters, digits, dashes and underscores.",
      helpUrl: `${dashboard}/groups`,
      secret: false,
      pattern: "^[A-Za-z0-9](?:[A-Za-z0-9_\\-]{0,62}[A-Za-z0-9])?$",
      example: "default",
    },
    {
      name: "token",
      label: "Platform API token",
      help: "A token for this group with read, db:create, db:delete, db:configure, db:mint-token and db:rotate-creds.",
      helpUrl: "https://docs.turso.tech/api-reference/authentication",
      secret: true,
      pattern: "^[A-Za-z0-9._~+\\/=\\-]{20,8192}$",
      example: "eyJ…",
    },
  ],
  env: [
    {
      name: "TURSO_DATABASE_URL",
      label: "Database URL",
      help: "Copy the URL from the page of your database: it starts with libsql:// and ends with the host's name.",
      helpUrl: dashboard,
      secret: false,
      exposure: "server",
      ...formOf(
        ["libsql://", "https://", "http://", "wss://", "ws://"],
        "[A-Za-z0-9.\\-]{1,253}(?::\\d{1,5})?\\/?(?:\\?tls=[01])?",
      ),
      example: "libsql://notes-acme.turso.io",
      ifUnset: "The app has no database.",
      own: { kind: "typed" },
      role: "address",
    },
    {
      name: "TURSO_AUTH_TOKEN",
      label: "Database token",
      help: "Copy the whole token, one long line that starts with eyJ. Turso shows it once: if it is gone, make a new one for this database.",
      helpUrl: dashboard,
      secret: true,
      exposure: "server",
      pattern: "^[A-Za-z0-9._~+\\/=\\-]{20,8192}$",
      example: "eyJ…",
      ifUnset: "The database refuses the app.",
      own: { kind: "typed" },
    },
  ],
};
