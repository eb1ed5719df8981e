import type { ConnectorSpec, FieldSpec } from "@keyloan/contract";
import { dsnPattern } from "./client.ts";

export const tokensPage = "https://sentry.io/settings/account/api/auth-tokens/";
const slug = (name: string, label: string, help: string, example: string): FieldSpec => {
  const pattern = "^[a-z0-9][a-z0-9_\\-]{0,99}$";
  return { name, label, help, example, pattern, secret: false, helpUrl: "https://sentry.io/settings/" };
};

export const sentrySpec: ConnectorSpec = {
  id: "sentry",
  label: "Sentry",
  category: "errors",
  summary: "Collects your app's errors, so that you see what broke and for whom.",
  grade: "B",
  revocation: "The build's project is deleted with its events and keys, and Keyloan checks that it is gone.",
  guide: {
    url: "https://sentry.io/projects/new/",
    steps: [
      "Sign in to Sentry and create a project for the kind of app you have.",
      "Open its settings, select Client Keys (DSN) and copy the DSN, which starts with https://.",
    ],
  },
  onSwap: "From then on errors arrive in your own project; earlier ones stay in the lent one.",
  orgFields: [
    slug("organization", "Organization", "Its slug, as in the address of its settings.", "acme"),
    slug("team", "Team", "The slug of a team for builds: it owns their projects.", "keyloan"),
    {
      name: "token",
      label: "Token",
      help: "A token of an internal integration or a person: org:read, team:read, project:read, :write and :admin.",
      helpUrl: tokensPage,
      secret: true,
      pattern: "^(?:sntryu_)?[a-f0-9]{64}$",
      example: "sntryu_…",
    },
    { ...slug("region", "Region", "The region: us or de.", "de"), pattern: "^(?:us|de)$", optional: true },
  ],
  env: [
    {
      name: "SENTRY_DSN",
      label: "DSN",
      help: "Copy the whole DSN of your project: an address with a key in front of the host.",
      helpUrl: "https://sentry.io/settings/projects/",
      secret: false,
      exposure: "browser",
      pattern: dsnPattern,
      ifUnset: "Nobody is notified of the app's errors.",
      own: { kind: "typed" },
    },
  ],
};
