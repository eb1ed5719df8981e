import type { ConnectorSpec } from "@keyloan/contract";

const dashboard = "https://app.turso.tech";

export const tursoSpec: ConnectorSpec = {
  id: "turso",
  label: "Turso",
  category: "database",
  summary: "An SQLite database of its own for your app, reached over the network.",
  grade: "B",
  revocation:
    "All tokens of the database are rotated, its reads and writes are blocked, and it is deleted with its data.",
  orgFields: [
    {
      name: "organization",
      label: "Organization",
      help: "The organization's slug as it stands in the dashboard's address: lower-case letters, digits and dashes.",
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
      help: "Copy the database's URL: it starts with libsql:// and carries no token.",
      helpUrl: dashboard,
      secret: false,
      exposure: "server",
      pattern: "^(?:libsql|https?|wss?):\\/\\/[A-Za-z0-9.\\-]{1,253}(?::\\d{1,5})?\\/?(?:\\?tls=[01])?$",
      example: "libsql://notes-acme.turso.io",
      ifUnset: "The app has no database.",
    },
    {
      name: "TURSO_AUTH_TOKEN",
      label: "Database token",
      help: "Create a token for this database: the dashboard shows it once.",
      helpUrl: dashboard,
      secret: true,
      exposure: "server",
      pattern: "^[A-Za-z0-9._~+\\/=\\-]{20,8192}$",
      example: "eyJ…",
      ifUnset: "The database refuses the app.",
    },
  ],
};
