/** How a stand-in is started. */
export type EmulatorOptions = {
  /** The folder for what must survive a restart; created if absent, mode 0700. */
  readonly stateDirectory: string;
  /** 0 picks a free port. The address is always 127.0.0.1. */
  readonly port: number;
  /** Milliseconds since the epoch; the system's clock by default. A test sets it forward to make things expire. */
  readonly now?: () => number;
};

/** A running stand-in that answers a provider's documented API and checks keys. */
export type RunningEmulator = {
  /** What a connector gets as `baseUrl`. */
  readonly baseUrl: string;
  readonly port: number;
  /** An org key that the stand-in accepts; the same after a restart. */
  readonly orgFields: Readonly<Record<string, string>>;
  readonly faults: FaultQueue;
  /**
   * The values that a user would type: those of an account of their own, which this stand-in serves too.
   * Every call makes a new account for another user; accounts survive a restart.
   * @throws Error for a kind of key that the provider does not have
   */
  readonly createUserEnv: (options?: UserEnvOptions) => Promise<Record<string, string>>;
  /** One sentence about this machine for the person who starts the stand-in. */
  readonly notice?: string;
  /** Settles when a server that it depends on has ended, for whatever reason; absent if it depends on none. */
  readonly ended?: Promise<void>;
  readonly close: () => Promise<void>;
};

export const userEnvKinds = ["good", "read-only", "limited", "wide", "wrong-pair"] as const;
/**
 * `good`: can do all that an app needs and no more. `read-only`: cannot change anything. `limited`: reaches only a
 * part, which is enough. `wide`: can do more than an app needs. `wrong-pair`: values of two accounts.
 */
export type UserEnvKind = (typeof userEnvKinds)[number];

export type UserEnvOptions = {
  /** If the provider has modes; `live` by default, as in a finished app. */
  readonly mode?: "test" | "live";
  /** `good` by default. */
  readonly kind?: UserEnvKind;
};

export type StartEmulator = (options: EmulatorOptions) => Promise<RunningEmulator>;

/** A fault that a stand-in makes once, at the next request that matches. */
export type Fault = {
  readonly method?: string;
  /** Matched against the path. */
  readonly path?: RegExp;
} & (
  | { readonly kind: "delay"; readonly ms: number }
  | {
      readonly kind: "status";
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      /** The provider's own error body by default; a test marks this text to prove that bodies are never passed on. */
      readonly body?: string;
    }
  /** The connection is cut before the request is carried out. */
  | { readonly kind: "cut" }
  /** The request is carried out, then the connection is cut: the caller cannot know whether it was. */
  | { readonly kind: "cut_after" }
  /** The request is carried out, then this status is answered. */
  | { readonly kind: "status_after"; readonly status: number }
);

export type FaultQueue = {
  /** `times` copies of the fault (default 1) wait for matching requests, in order. */
  readonly add: (fault: Fault, times?: number) => void;
  /** Takes the first fault that matches, or `undefined`. */
  readonly take: (method: string, path: string) => Fault | undefined;
  readonly clear: () => void;
  readonly size: () => number;
};

export function createFaultQueue(): FaultQueue {
  const waiting: Fault[] = [];
  return {
    add: (fault, times = 1) => {
      for (let index = 0; index < times; index++) waiting.push(fault);
    },
    take: (method, path) => {
      const index = waiting.findIndex(
        (fault) => (fault.method ?? method) === method && (fault.path === undefined || fault.path.test(path)),
      );
      return index === -1 ? undefined : waiting.splice(index, 1)[0];
    },
    clear: () => {
      waiting.length = 0;
    },
    size: () => waiting.length,
  };
}
