import { idPattern } from "@keyloan/contract";

/** Under which all prefixes of builds stand. */
export const buildsPrefix = "builds/";

/** What the keys of a build start with. The form of a build id has no slash, dot or wildcard, so it means this build alone. */
export function buildPrefix(buildId: string): string {
  if (!idPattern("build").test(buildId)) throw new Error("a prefix is made of a build id");
  return `${buildsPrefix}${buildId}/`;
}

/** The build of a prefix; `undefined` for every prefix that is not ours. */
export function buildOfPrefix(prefix: string): string | undefined {
  const buildId = prefix.slice(buildsPrefix.length, -1);
  return idPattern("build").test(buildId) && prefix === buildPrefix(buildId) ? buildId : undefined;
}
