import type { Checksum } from "../body/checksum.ts";

/** The headers that a client sends when it creates an object; they are stored with it. */
export type ObjectHeaders = {
  /** Response headers by lower-case name, such as content-type and cache-control. */
  readonly standard: Readonly<Record<string, string>>;
  /** `x-amz-meta-…` without the prefix. */
  readonly metadata: Readonly<Record<string, string>>;
};

/** Everything about a stored object or part except its bytes. */
export type ObjectInfo = {
  readonly key: string;
  readonly size: number;
  /** Without quotes. */
  readonly etag: string;
  readonly lastModifiedMs: number;
  readonly headers: ObjectHeaders;
  readonly checksum?: Checksum;
};

/** The facts about an object that listings and preconditions need. */
export type ObjectSummary = Pick<ObjectInfo, "size" | "etag" | "lastModifiedMs">;

export const noHeaders: ObjectHeaders = { standard: {}, metadata: {} };
