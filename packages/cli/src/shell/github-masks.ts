/**
 * Workflow commands by which GitHub Actions hides each line of each value in its logs, where it otherwise
 * prints what stands in `$GITHUB_ENV` before every later step (GitHub Actions, "Workflow commands", masking a
 * value in a log).
 * @param text what the format `github` gives
 */
export function githubMasks(text: string): string {
  const lines = new Set<string>();
  for (const [, , value = ""] of text.matchAll(/^\w+<<(keyloan_\S+)\n([\s\S]*?)\n\1$/gm)) {
    for (const line of value.split(/\r\n|[\n\r]/)) if (line.trim() !== "") lines.add(line);
  }
  return [...lines].map((line) => `::add-mask::${line.replaceAll("%", "%25")}\n`).join("");
}
