/** One credential field a person types, or one fact about it that a form needs. Browser-safe data. */
export type FieldSpec = {
  readonly name: string;
  readonly label: string;
  readonly help?: string;
  /** The page at the provider where the value is made or found. */
  readonly helpUrl?: string;
  readonly secret: boolean;
  /** No secret, but a part of the credential: the id that a provider refuses together with its secret. */
  readonly identifies?: boolean;
  /** A regular expression source that the whole value must match. */
  readonly pattern?: string;
  /** How every value begins; the pattern is made of it. */
  readonly begins?: Begins;
  /** A regular expression source: a value that matches it is this field's and no other's, whatever else it fits. */
  readonly unmistakable?: string;
  readonly example?: string;
  readonly optional?: boolean;
};

/** Fixed beginnings; those of test and of live values where the provider has both. */
export type Begins =
  | readonly string[]
  | { readonly test: readonly string[]; readonly live: readonly string[] };

/** One environment variable that a connector gives a build. */
export type EnvVarSpec = FieldSpec & {
  /** `browser` values may stand in a client bundle and get the profile's public name too. */
  readonly exposure: "server" | "browser";
  /** Other names that always carry the same value. */
  readonly aliases?: readonly string[];
  /** Names written only when the caller asks for that set (`?copies=aws`). */
  readonly copies?: Readonly<Record<string, readonly string[]>>;
  /** The name is a prefix; the connector gives any number of variables that start with it. */
  readonly family?: boolean;
  /** One sentence: what the app lacks when the variable is not set. */
  readonly ifUnset?: string;
  /** Where the value comes from when a user brings keys of their own; by default they type it. */
  readonly own?: OwnValue;
  /** What gates ask for without knowing the provider. */
  readonly role?: EnvVarRole;
};

/** Where a variable's value comes from once the user's own account is used. */
export type OwnValue =
  /** The user types it; `optional` variables may be left out. */
  | { readonly kind: "typed" }
  /** The same for everybody; the user may change it. */
  | { readonly kind: "default"; readonly value: string }
  /** Keyloan makes a new random one, so many bytes as hex, and shows it only in the env file. */
  | { readonly kind: "generated"; readonly bytes: number }
  /** Only lent credentials have it. */
  | { readonly kind: "absent" };

export const envVarRoles = ["webhook_secret", "address"] as const;
/** `webhook_secret`: proves that a call is the provider's. `address`: a host the app connects to. */
export type EnvVarRole = (typeof envVarRoles)[number];

export const connectorCategories = [
  "database",
  "storage",
  "auth",
  "payments",
  "mail",
  "errors",
  "hosting",
  "app",
] as const;
export type ConnectorCategory = (typeof connectorCategories)[number];

/** How isolated a lent credential is; {@link isolationGradeMeanings} says it in words. */
export const isolationGrades = ["A", "B", "C", "D", "E"] as const;
export type IsolationGrade = (typeof isolationGrades)[number];

export const isolationGradeMeanings: Readonly<Record<IsolationGrade, string>> = {
  A: "an account of its own",
  B: "a resource of its own with a token for that resource alone",
  C: "a short-lived credential confined to a part of a shared account",
  D: "a shared key behind a proxy that allows only listed calls",
  E: "a shared test key in the environment",
};

/** The way to a key, for someone who has never made one. */
export type ConnectorGuide = {
  /** The page at the provider where the way begins; it opens in a tab of its own. */
  readonly url: string;
  /** What to do there, one action each, in plain words. */
  readonly steps: readonly string[];
};

/** All that is known of a connector without running it. Browser-safe: it feeds the catalog and every form. */
export type ConnectorSpec = {
  readonly id: string;
  readonly label: string;
  readonly category: ConnectorCategory;
  /** What an app uses it for, in one sentence for a layperson. */
  readonly summary: string;
  readonly grade: IsolationGrade;
  /** What ending a lease does and cannot do at this provider, in one sentence. */
  readonly revocation: string;
  /** How a user gets keys of their own; absent when nothing has to be got. */
  readonly guide?: ConnectorGuide;
  /** What happens to what the app stored with the lent keys when the user's own are swapped in, in one sentence. */
  readonly onSwap?: string;
  /** The org's master credential. Empty when the connector needs none. */
  readonly orgFields: readonly FieldSpec[];
  readonly env: readonly EnvVarSpec[];
};
