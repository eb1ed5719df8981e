import type {
  ConnectorSpec,
  DurabilityAnswer,
  EnvProfile,
  GateResult,
  KeyCheck,
  KeyMode,
  Secret,
  SecretValues,
} from "@keyloan/contract";
import { modeOfSecret, typedVariables } from "@keyloan/key-validator";

/** A connector as it will be after the swap. */
export type GateConnector = {
  readonly spec: ConnectorSpec;
  /** Whose keys the app will use. */
  readonly source: "org" | "user";
  readonly values: SecretValues;
  /** What the last check of these very values found; lent keys have none. */
  readonly check: KeyCheck | undefined;
};

export type GateInput = {
  readonly connectors: readonly GateConnector[];
  /** Services that go on with keys which are nobody's to open: of a person who was replaced. */
  readonly unread: readonly ConnectorSpec[];
  readonly profile: EnvProfile;
  /** For development on one machine: addresses need not be public. */
  readonly allowPrivateAddresses: boolean;
  /** Whether a value was lent to any build, or is the org's own. */
  readonly isOurs: (value: Secret) => boolean | Promise<boolean>;
  /**
   * Writes to a database, reads it back and cleans up. `not_answered`: the database could not be asked, or we
   * know no way to ask it.
   */
  readonly probeDurability: (database: GateConnector) => Promise<DurabilityAnswer | "not_answered">;
  /** Gets what a gate threw; the answer tells nothing of it. */
  readonly onMistake?: (gate: string, error: unknown) => void;
};

/** What a gate has against the swap, or wants to be known before it. */
export type GateFinding = {
  readonly status: "warn" | "fail";
  readonly connector?: string;
  readonly variable?: string;
  readonly message: string;
  readonly remedy: string;
};

/** One check before a swap. It changes nothing; what it must ask, it asks through its input. */
export type Gate = {
  readonly name: GateResult["gate"];
  /** What it means when nothing is found. */
  readonly passed: string;
  readonly ask: (input: GateInput) => readonly GateFinding[] | Promise<readonly GateFinding[]>;
};

/** The connectors whose keys the user gave: only those can the user fix. */
export function ownConnectors({ connectors }: GateInput): readonly GateConnector[] {
  return connectors.filter(({ source }) => source === "user");
}

/** What the keys say of their own mode, by variable label. */
export function keyModes({ spec, values }: GateConnector): ReadonlyMap<string, KeyMode> {
  return new Map(
    typedVariables(spec).flatMap((variable) => {
      const mode = modeOfSecret(variable, values[variable.name]);
      return mode === undefined ? [] : [[variable.label, mode] as const];
    }),
  );
}

/** The mode of a connector's keys: what the provider said of them, or else what they say themselves. */
export function modeOf(connector: GateConnector): KeyMode | undefined {
  const checked = connector.check?.status === "valid" ? connector.check.mode : undefined;
  return checked ?? [...keyModes(connector).values()][0];
}
