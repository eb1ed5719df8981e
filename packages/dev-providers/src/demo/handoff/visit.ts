import type { invalidKeyCodes } from "@keyloan/contract";

/** A person's own values for one service, as one card of the settings page takes them. */
export type OwnKeys = {
  readonly id: string;
  readonly label: string;
  readonly values: Readonly<Record<string, string>>;
};

export type RefusalCode = (typeof invalidKeyCodes)[number];

/** One person's way through the settings page. Every step throws when it does not end as that person expects. */
export type Visit = {
  readonly open: (link: string) => Promise<void>;
  /** Gives keys that must be refused for this reason, and tells the words of the refusal. */
  readonly seeRefused: (keys: OwnKeys, code: RefusalCode) => Promise<string>;
  readonly giveKeys: (keys: readonly OwnKeys[]) => Promise<void>;
  /** Looks at all keys together; nothing changes. */
  readonly check: () => Promise<void>;
  /** Switches to the person's keys, and lets the app builder's preview use all of them. */
  readonly swap: () => Promise<void>;
  /** Lets the preview go on with what was lent instead. */
  readonly keepFromPreview: () => Promise<void>;
  readonly revert: () => Promise<void>;
  readonly downloadTo: (file: string) => Promise<void>;
  readonly finish: () => Promise<void>;
};
