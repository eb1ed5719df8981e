const pattern = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * Returns the name if it is one DNS label in lower case.
 *
 * The libSQL server checks nothing: a name such as `..%2f..%2fx` reaches outside its data directory,
 * so every call that names a namespace is checked here first.
 * @throws Error if it is anything else
 */
export function checkNamespaceName(name: string): string {
  if (!pattern.test(name)) {
    throw new Error("A namespace name is 1–63 lower-case letters, digits and inner dashes.");
  }
  return name;
}
