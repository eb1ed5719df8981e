/** How a stand-in is started. */
export type EmulatorOptions = {
  /** Where it keeps what must survive a restart; made when absent, mode 0700. */
  readonly stateDirectory: string;
  /** 0 picks a free one. Always on 127.0.0.1. */
  readonly port: number;
  /** Milliseconds since the epoch; the system's clock by default. A test that turns it makes things expire. */
  readonly now?: () => number;
};

/** A running stand-in that speaks a provider's documented API and enforces keys. */
export type RunningEmulator = {
  /** What a connector gets as `baseUrl`. */
  readonly baseUrl: string;
  readonly port: number;
  /** An org key that the stand-in accepts; the same after a restart. */
  readonly orgFields: Readonly<Record<string, string>>;
  readonly faults: FaultQueue;
  /**
   * What another person would type: the values of an account of their own, which this stand-in serves too.
   * Every call is another person with another account; they are kept over a restart.
   * @throws Error for a kind of key that the provider does not have
   */
  readonly createUserEnv: (options?: UserEnvOptions) => Promise<Record<string, string>>;
  /** What whoever starts it should know of this machine, in one sentence. */
  readonly notice?: string;
  /** Settles when something it runs on has ended, asked or not; absent when it runs on nothing else. */
  readonly ended?: Promise<void>;
  readonly close: () => Promise<void>;
};

export const userEnvKinds = ["good", "read-only", "limited", "wide", "wrong-pair"] as const;
/**
 * `good`: does all that an app needs and no more. `read-only`: may change nothing. `limited`: reaches a part,
 * which is enough. `wide`: may do more than it must. `wrong-pair`: values of two accounts.
 */
export type UserEnvKind = (typeof userEnvKinds)[number];

export type UserEnvOptions = {
  /** Where the provider knows modes; `live` by default, as in a finished app. */
  readonly mode?: "test" | "live";
  /** `good` by default. */
  readonly kind?: UserEnvKind;
};

export type StartEmulator = (options: EmulatorOptions) => Promise<RunningEmulator>;

/** What a stand-in does wrong once, to the next request that matches. */
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
      /** The provider's own error body by default; a marked text here proves that bodies never travel on. */
      readonly body?: string;
    }
  /** The connection is cut before anything is done. */
  | { readonly kind: "cut" }
  /** The request is carried out, then the connection is cut: the caller cannot know. */
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
