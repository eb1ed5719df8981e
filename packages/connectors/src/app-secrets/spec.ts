import type { ConnectorSpec } from "@keyloan/contract";

export const appSecretsSpec: ConnectorSpec = {
  id: "app-secrets",
  label: "App secrets",
  category: "app",
  summary: "Random secrets your app signs its own tokens with.",
  grade: "B",
  revocation: "Shredded when the build closes; no copy exists elsewhere.",
  orgFields: [],
  env: [
    {
      name: "JWT_SECRET",
      label: "Token signing secret",
      secret: true,
      exposure: "server",
      help: "At least 32 characters without spaces: `openssl rand -hex 32` makes one.",
      pattern: "^\\S{32,}$",
      ifUnset: "The app cannot sign sessions.",
    },
    {
      name: "CHECKOUT_TOKEN_SECRET",
      label: "Checkout token secret",
      secret: true,
      exposure: "server",
      help: "At least 32 characters without spaces: `openssl rand -hex 32` makes one.",
      pattern: "^\\S{32,}$",
      ifUnset: "The app cannot sign checkout links.",
    },
  ],
};
