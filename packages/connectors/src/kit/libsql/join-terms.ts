const termsMax = 40;

/** Joins any number of terms, in nested groups because SQLite limits the depth of an expression to 1,000. */
export function joinTerms(terms: readonly string[], operator: string): string {
  if (terms.length <= termsMax) return terms.join(operator);
  const groups: string[] = [];
  for (let index = 0; index < terms.length; index += termsMax) {
    groups.push(`(${terms.slice(index, index + termsMax).join(operator)})`);
  }
  return joinTerms(groups, operator);
}
