import type { Checksum } from "../body/checksum.ts";

/** What a client says about an object when it makes one; kept with it. */
export type ObjectHeaders = {
  /** Response headers by lower-case name: content-type, cache-control and their kind. */
  readonly standard: Readonly<Record<string, string>>;
  /** `x-amz-meta-…` without the prefix. */
  readonly metadata: Readonly<Record<string, string>>;
};

/** All that is known of a stored object or part besides its bytes. */
export type ObjectInfo = {
  readonly key: string;
  readonly size: number;
  /** Without quotes. */
  readonly etag: string;
  readonly lastModifiedMs: number;
  readonly headers: ObjectHeaders;
  readonly checksum?: Checksum;
};

/** What listings and preconditions need of an object. */
export type ObjectSummary = Pick<ObjectInfo, "size" | "etag" | "lastModifiedMs">;

export const noHeaders: ObjectHeaders = { standard: {}, metadata: {} };
