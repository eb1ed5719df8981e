/** One configuration variable; this table is what `docs/configuration.md` and the start-up check are made of. */
export type ConfigVariable = {
  readonly name: string;
  readonly purpose: string;
  readonly required?: boolean;
  readonly default?: string;
  readonly ifUnset: string;
  /** A secret may also be given as a file's path in `<name>_FILE`. */
  readonly secret?: boolean;
  readonly example?: string;
};

export const configVariables = [
  {
    name: "KEYLOAN_DATA_DIR",
    purpose: "Folder of the embedded store. Made when absent, readable by its owner alone.",
    default: "./data",
    ifUnset: "`data` in the working folder is used.",
  },
  {
    name: "KEYLOAN_ROOT_KEY",
    purpose:
      "Root keys that wrap every data key, one `<id>:<key>` a line; the first one wraps, the others only open. Make one with `keyloan root-key create`.",
    required: true,
    secret: true,
    ifUnset: "The broker does not start.",
  },
  {
    name: "KEYLOAN_ADMIN_TOKEN",
    purpose:
      "The operator's token: `klo_admin_` and 43 letters, digits, dashes or underscores (256 random bits).",
    required: true,
    secret: true,
    ifUnset: "The broker does not start.",
  },
  {
    name: "KEYLOAN_HOST",
    purpose: "Address to listen on.",
    default: "127.0.0.1",
    ifUnset: "Only this machine can reach the broker.",
  },
  {
    name: "PORT",
    purpose: "Port to listen on; 0 picks a free one.",
    default: "8787",
    ifUnset: "8787 is used.",
  },
  {
    name: "KEYLOAN_PUBLIC_URL",
    purpose:
      "The address users reach the broker at, such as `https://keys.example.com`: handoff links begin with it, and with https their cookies are sent over https alone.",
    ifUnset: "Links lead to the address the broker listens on.",
    example: "https://keys.example.com",
  },
  {
    name: "KEYLOAN_REVERT_HOURS",
    purpose: "How long after a swap the lent keys live on, so that the user can go back.",
    default: "24",
    ifUnset: "24 hours.",
  },
  {
    name: "KEYLOAN_CLERK_PUBLISHABLE_KEY",
    purpose:
      "With the next two: users who are signed in to your own app by Clerk open the settings page without a link. The publishable key of that app's instance.",
    ifUnset: "Only links open the settings page.",
  },
  {
    name: "KEYLOAN_CLERK_SECRET_KEY",
    purpose: "The secret key of that instance.",
    secret: true,
    ifUnset: "Only links open the settings page.",
  },
  {
    name: "KEYLOAN_CLERK_AUTHORIZED_PARTIES",
    purpose: "The origins of your app, joined by commas: sessions of other apps are refused.",
    ifUnset: "Only links open the settings page.",
    example: "https://app.example.com",
  },
  {
    name: "KEYLOAN_CLERK_JWT_KEY",
    purpose: "The instance's public key in PEM, so that sessions are checked without asking Clerk.",
    ifUnset: "Clerk's key set is fetched when a session is checked.",
  },
  {
    name: "KEYLOAN_ALLOW_PRIVATE_ADDRESSES",
    purpose:
      "`true` lets users name databases and stores on private and loopback addresses. For development on one machine only: it lets them reach your network.",
    default: "false",
    ifUnset: "Only public addresses are asked.",
  },
  {
    name: "KEYLOAN_METRICS_PORT",
    purpose: "A second port that serves only `/metrics`, without a token. Keep it inside your network.",
    ifUnset: "`/metrics` is served on the main port, to the admin alone.",
  },
  {
    name: "KEYLOAN_LOG_LEVEL",
    purpose: "One of debug, info, warn, error, silent.",
    default: "info",
    ifUnset: "Refused and failed requests and state changes are logged, successful reads are not.",
  },
  {
    name: "KEYLOAN_RATE_LIMIT_PER_SECOND",
    purpose:
      "Requests a second that one token, or one address without a token, may make; twice that in a burst. 0 sets no limit.",
    default: "100",
    ifUnset: "100 a second.",
  },
  {
    name: "KEYLOAN_ISSUE_DEADLINE_SECONDS",
    purpose: "How long one attempt to issue a lease may take, its retries included.",
    default: "60",
    ifUnset: "60 seconds.",
  },
  {
    name: "KEYLOAN_ORG_KEY_CHECK_HOURS",
    purpose: "How often every org key is checked at its provider. 0 never checks.",
    default: "6",
    ifUnset: "Every 6 hours.",
  },
  {
    name: "KEYLOAN_SHUTDOWN_SECONDS",
    purpose: "How long a stop waits for requests that are under way.",
    default: "10",
    ifUnset: "10 seconds.",
  },
] as const satisfies readonly ConfigVariable[];

/** The variable that replaces a connector's provider address: how a stand-in plugs in. */
export function providerUrlVariable(connectorId: string): ConfigVariable {
  return {
    name: `KEYLOAN_${connectorId.toUpperCase().replaceAll("-", "_")}_URL`,
    purpose: `Replaces the address of the \`${connectorId}\` provider's API, for a stand-in or a private gateway.`,
    ifUnset: "The provider's own address is used.",
  };
}
