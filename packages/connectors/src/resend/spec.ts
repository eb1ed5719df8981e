import { type ConnectorSpec, formOf } from "@keyloan/contract";

export const keysPage = "https://resend.com/api-keys";
const key = { secret: true, helpUrl: keysPage, ...formOf(["re_"], "[A-Za-z0-9_]{16,200}"), example: "re_…" };

export const resendSpec: ConnectorSpec = {
  id: "resend",
  label: "Resend",
  category: "mail",
  summary: "Sends your app's mail, such as welcome messages and sign-in links.",
  grade: "C",
  revocation:
    "The build's key is deleted, and Keyloan checks that it is gone; sent mail stays in the org's account.",
  guide: {
    url: keysPage,
    steps: [
      "Sign in to Resend and add your domain under Domains; it may send once Resend has verified it.",
      "On the API keys page select Create API key, name it after your app and choose Sending access.",
      "Copy the key, which starts with re_, into its field at once: Resend shows it only now.",
    ],
  },
  onSwap:
    "Mail is sent from your own domain; mail that was sent with the lent key stays in the lent account.",
  orgFields: [
    {
      name: "apiKey",
      label: "API key",
      ...key,
      help: "A key with full access: it makes keys that can send mail.",
    },
  ],
  env: [
    {
      name: "RESEND_API_KEY",
      label: "API key",
      ...key,
      help: "Copy the whole key: it starts with re_. Sending access is enough.",
      exposure: "server",
      ifUnset: "The app cannot send mail.",
      own: { kind: "typed" },
    },
    {
      name: "RESEND_FROM",
      label: "Sender",
      help: "The address that your mail comes from, on a domain that Resend has verified for you.",
      secret: false,
      exposure: "server",
      pattern: "^[A-Za-z0-9._+\\-]{1,64}@[A-Za-z0-9.\\-]{1,253}$",
      example: "hello@example.com",
      optional: true,
      ifUnset: "Mail comes from onboarding@resend.dev and reaches only the owner of the account.",
      own: { kind: "typed" },
    },
  ],
};
