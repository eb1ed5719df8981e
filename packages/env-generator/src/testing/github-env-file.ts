/**
 * What GitHub's runner makes of the file that `$GITHUB_ENV` names, as its documentation ("Workflow commands for
 * GitHub Actions", environment files) and its published source describe it: UTF-8, empty lines ignored,
 * `NAME=value`, or `NAME<<delimiter` with everything up to a line that is the delimiter, without the last line
 * end; a line of any other form fails the step. On Windows CRLF ends a line too. Names it keeps for itself are
 * refused.
 */
export function parseGithubEnvFile(
  file: string,
  runner: { readonly windows: boolean },
): Record<string, string> {
  const values = new Map<string, string>();
  let at = 0;
  const readLine = () => {
    if (at >= file.length) return undefined;
    const start = at;
    const lineFeed = file.indexOf("\n", at);
    const end = lineFeed === -1 ? file.length : lineFeed;
    at = end + 1;
    const isCrLf = runner.windows && lineFeed !== -1 && end > start && file[end - 1] === "\r";
    return { start, end: isCrLf ? end - 1 : end };
  };
  for (let line = readLine(); line !== undefined; line = readLine()) {
    const text = file.slice(line.start, line.end);
    if (text === "") continue;
    const equals = text.indexOf("=");
    const heredoc = text.indexOf("<<");
    if (heredoc >= 0 && (equals < 0 || heredoc < equals)) {
      const name = text.slice(0, heredoc);
      const delimiter = text.slice(heredoc + 2);
      if (name === "" || delimiter === "") throw new Error("Invalid format");
      set(values, name, readHeredoc(file, delimiter, readLine));
    } else if (equals > 0) set(values, text.slice(0, equals), text.slice(equals + 1));
    else throw new Error("Invalid format");
  }
  return Object.fromEntries(values);
}

function readHeredoc(
  file: string,
  delimiter: string,
  readLine: () => { readonly start: number; readonly end: number } | undefined,
): string {
  let first: number | undefined;
  let end = 0;
  for (let line = readLine(); line !== undefined; line = readLine()) {
    if (file.slice(line.start, line.end) === delimiter)
      return first === undefined ? "" : file.slice(first, end);
    first ??= line.start;
    end = line.end;
  }
  throw new Error("Matching delimiter not found");
}

function set(values: Map<string, string>, name: string, value: string): void {
  if (name.toUpperCase() === "NODE_OPTIONS") throw new Error("Can't store NODE_OPTIONS");
  values.set(name, value);
}
