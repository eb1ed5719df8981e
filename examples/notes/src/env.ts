export type Env = {
  /** 0 lets the system choose. */
  readonly port: number;
  readonly database: { readonly url: string; readonly authToken?: string };
  readonly storage: {
    readonly endpoint: string;
    readonly region: string;
    readonly bucket: string;
    /** Every object key starts with it; empty or ending in a slash. */
    readonly prefix: string;
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    /** Present with temporary credentials only. */
    readonly sessionToken?: string;
  };
  readonly clerk: { readonly secretKey: string; readonly publishableKey: string; readonly apiUrl?: string };
  readonly stripe: {
    readonly secretKey: string;
    readonly publishableKey: string;
    readonly priceId: string;
    readonly apiUrl?: string;
  };
  readonly jwtSecret: string;
  readonly checkoutTokenSecret: string;
};

export type EnvResult =
  | { readonly ok: true; readonly env: Env }
  | { readonly ok: false; readonly problems: readonly string[] };

type Source = Readonly<Record<string, string | undefined>>;
type Rule = { readonly test: (value: string) => boolean; readonly need: string };

/** Reads the whole configuration at once. Problems name variables and never repeat a value. */
export function parseEnv(source: Source = process.env): EnvResult {
  const problems: string[] = [];
  const optional = (name: string, rule: Rule): string | undefined => {
    const value = source[name];
    if (value === undefined || value === "") return undefined;
    if (!rule.test(value)) problems.push(`${name} must be ${rule.need}`);
    return value;
  };
  const required = (name: string, rule: Rule): string => {
    if (!source[name]) problems.push(`${name} is not set; it must be ${rule.need}`);
    return optional(name, rule) ?? "";
  };

  const env: Env = {
    port: Number(optional("PORT", portRule) ?? "3000"),
    database: {
      url: required("TURSO_DATABASE_URL", databaseUrlRule),
      ...given("authToken", optional("TURSO_AUTH_TOKEN", wordRule)),
    },
    storage: readStorage(required, optional),
    clerk: {
      secretKey: required("CLERK_SECRET_KEY", startsWith("sk_test_", "sk_live_")),
      publishableKey: required("CLERK_PUBLISHABLE_KEY", startsWith("pk_test_", "pk_live_")),
      ...given("apiUrl", optional("CLERK_API_URL", webUrlRule)),
    },
    stripe: {
      secretKey: required("STRIPE_SECRET_KEY", startsWith("sk_test_", "rk_test_", "sk_live_", "rk_live_")),
      publishableKey: required("STRIPE_PUBLISHABLE_KEY", startsWith("pk_test_", "pk_live_")),
      priceId: required("STRIPE_PRICE_ID", wordRule),
      ...given("apiUrl", optional("STRIPE_API_URL", webUrlRule)),
    },
    jwtSecret: required("JWT_SECRET", signingSecretRule),
    checkoutTokenSecret: required("CHECKOUT_TOKEN_SECRET", signingSecretRule),
  };
  if (/^(?:https?|libsql|wss?):/.test(env.database.url) && env.database.authToken === undefined) {
    problems.push("TURSO_AUTH_TOKEN is not set; a remote database needs it");
  }
  for (const [name, pair] of [
    ["CLERK", env.clerk],
    ["STRIPE", env.stripe],
  ] as const) {
    if (modeOf(pair.secretKey) !== modeOf(pair.publishableKey)) {
      problems.push(
        `${name}_SECRET_KEY and ${name}_PUBLISHABLE_KEY must both be test keys or both live keys`,
      );
    }
  }
  return problems.length === 0 ? { ok: true, env } : { ok: false, problems };
}

type Read<Value> = (name: string, rule: Rule) => Value;

function readStorage(required: Read<string>, optional: Read<string | undefined>): Env["storage"] {
  return {
    endpoint: required("R2_ENDPOINT", webUrlRule),
    region: optional("R2_REGION", wordRule) ?? "auto",
    bucket: required("R2_BUCKET", wordRule),
    prefix: optional("R2_PREFIX", prefixRule) ?? "",
    accessKeyId: required("R2_ACCESS_KEY_ID", wordRule),
    secretAccessKey: required("R2_SECRET_ACCESS_KEY", wordRule),
    ...given("sessionToken", optional("R2_SESSION_TOKEN", wordRule)),
  };
}

const portRule: Rule = {
  test: (value) => /^\d{1,5}$/.test(value) && Number(value) <= 65_535,
  need: "a port number, 0 to 65535",
};
const wordRule: Rule = { test: (value) => /^\S+$/.test(value), need: "one word without spaces" };
const webUrlRule: Rule = { test: urlWith("http:", "https:"), need: "an http or https URL" };
const databaseUrlRule: Rule = {
  test: urlWith("libsql:", "https:", "http:", "wss:", "ws:", "file:"),
  need: "a libsql, https, http, wss, ws or file URL",
};
const prefixRule: Rule = {
  test: (value) => /^(?!\/)\S*\/$/.test(value) && !value.split("/").includes(".."),
  need: "a key prefix that ends with a slash and does not start with one",
};
const signingSecretRule: Rule = {
  test: (value) => /^\S{32,}$/.test(value),
  need: "at least 32 characters (`openssl rand -hex 32`)",
};

function urlWith(...protocols: string[]): (value: string) => boolean {
  return (value) => URL.canParse(value) && protocols.includes(new URL(value).protocol);
}

function startsWith(...prefixes: string[]): Rule {
  return {
    test: (value) =>
      /^\S+$/.test(value) &&
      prefixes.some((prefix) => value.startsWith(prefix) && value.length > prefix.length),
    need: `a key that starts with ${prefixes.join(" or ")}`,
  };
}

function modeOf(key: string): string | undefined {
  return /^[a-z]+_(test|live)_/.exec(key)?.[1];
}

// The one key of the result is the name given, which the type of a computed key cannot say.
function given<Name extends string>(name: Name, value: string | undefined): { [Key in Name]?: string } {
  return value === undefined ? {} : ({ [name]: value } as { [Key in Name]?: string });
}
