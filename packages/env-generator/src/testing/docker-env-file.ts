/**
 * What `docker run --env-file` makes of a file, as Docker documents it (CLI reference, "docker container run";
 * the comment of the CLI's key-value file parser): UTF-8, a byte order mark dropped, lines of less than 64 KiB
 * ending in LF or CRLF, white space before the name ignored, lines that start with `#` ignored, everything
 * after the first `=` the value as it is. Some versions remove quotes around the value; others keep them.
 */
export function parseDockerEnvFile(
  file: string,
  version: { readonly removesQuotes: boolean },
): Record<string, string> {
  const values = new Map<string, string>();
  for (const rawLine of file.replace(/^\uFEFF/, "").split("\n")) {
    if (Buffer.byteLength(rawLine) > 65_535) throw new Error("token too long");
    const line = rawLine.replace(/\r$/, "").trimStart();
    if (line === "" || line.startsWith("#")) continue;
    const equals = line.indexOf("=");
    const name = equals === -1 ? line : line.slice(0, equals);
    if (name === "" || /[ \t]/.test(name)) throw new Error("bad variable name");
    // A line with only a name takes the value from the caller's environment, which does not matter here.
    if (equals === -1) continue;
    const value = line.slice(equals + 1);
    const quoted = /^(['"])(.*)\1$/s.exec(value);
    values.set(name, version.removesQuotes && quoted !== null ? (quoted[2] ?? "") : value);
  }
  return Object.fromEntries(values);
}
