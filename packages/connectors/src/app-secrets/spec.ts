import type { ConnectorSpec } from "@keyloan/contract";

export const appSecretsSpec: ConnectorSpec = {
  id: "app-secrets",
  label: "App secrets",
  category: "app",
  summary: "Random secrets your app signs its own tokens with.",
  grade: "B",
  revocation: "They are destroyed when the build closes; no copy exists elsewhere.",
  onSwap:
    "Your app gets new secrets, so people who signed in through the app's own sessions must sign in again.",
  orgFields: [],
  env: [
    {
      name: "JWT_SECRET",
      label: "Token signing secret",
      secret: true,
      exposure: "server",
      help: "32 to 512 letters, digits and _ . + / = or dashes: `openssl rand -hex 32` makes one.",
      pattern: "^[A-Za-z0-9_.+\\/=\\-]{32,512}$",
      ifUnset: "The app cannot sign sessions.",
      own: { kind: "generated", bytes: 32 },
    },
    {
      name: "CHECKOUT_TOKEN_SECRET",
      label: "Checkout token secret",
      secret: true,
      exposure: "server",
      help: "32 to 512 letters, digits and _ . + / = or dashes: `openssl rand -hex 32` makes one.",
      pattern: "^[A-Za-z0-9_.+\\/=\\-]{32,512}$",
      ifUnset: "The app cannot sign checkout links.",
      own: { kind: "generated", bytes: 24 },
    },
  ],
};
