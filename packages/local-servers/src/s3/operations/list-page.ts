import type { Bucket } from "../store/bucket.ts";
import { compareKeys } from "../store/key-index.ts";

export type ListQuery = {
  readonly prefix: string;
  readonly delimiter: string;
  /** Only entries after this key or common prefix. */
  readonly after: string;
  readonly max: number;
};

export type ListPage = {
  readonly keys: readonly string[];
  readonly commonPrefixes: readonly string[];
  readonly isTruncated: boolean;
  /** The last entry of this page: the next page starts after it. */
  readonly last: string | undefined;
};

/** One page of a listing; keys and common prefixes are counted together, in the order of their UTF-8 bytes. */
export function listPage(index: Bucket["index"], query: ListQuery): ListPage {
  const { prefix, delimiter, after, max } = query;
  const keys: string[] = [];
  const commonPrefixes: string[] = [];
  let last: string | undefined;
  let position = firstPosition(index, query);
  for (;;) {
    const key = index.keyAt(position);
    if (key === undefined || !key.startsWith(prefix)) {
      return { keys, commonPrefixes, isTruncated: false, last };
    }
    const group = commonPrefixOf(key, prefix, delimiter);
    if (group === undefined || compareKeys(group, after) > 0) {
      if (keys.length + commonPrefixes.length >= max) {
        return { keys, commonPrefixes, isTruncated: max > 0, last };
      }
      last = group ?? key;
      if (group === undefined) keys.push(key);
      else commonPrefixes.push(group);
    }
    position = group === undefined ? position + 1 : endOfGroup(index, group);
  }
}

function firstPosition(index: Bucket["index"], { prefix, after }: ListQuery): number {
  if (compareKeys(after, prefix) < 0) return index.search((key) => compareKeys(key, prefix) < 0);
  return index.search((key) => compareKeys(key, after) <= 0);
}

/** The position after a group. Keys with the same start are adjacent, so it is the first key with another start. */
function endOfGroup(index: Bucket["index"], group: string): number {
  return index.search((key) => compareKeys(key, group) < 0 || key.startsWith(group));
}

export function commonPrefixOf(key: string, prefix: string, delimiter: string): string | undefined {
  if (delimiter === "") return undefined;
  const found = key.indexOf(delimiter, prefix.length);
  return found === -1 ? undefined : key.slice(0, found + delimiter.length);
}
