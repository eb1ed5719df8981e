export type SystemdVersion = {
  /** Older versions drop the backslash before any character between quotes; newer ones before `"`, `\`, `` ` ``, `$`. */
  readonly dropsEveryBackslash: boolean;
  /** Older versions leave out a variable with control characters other than tab and line feed. */
  readonly leavesOutControlCharacters: boolean;
  /** Since version 254 a backslash at the end of a comment no longer joins the next line to it. */
  readonly continuesComments: boolean;
};

const quoted = ["'", '"'];

/**
 * What systemd makes of an `EnvironmentFile=`, as systemd.exec(5) describes it: lines that are empty, have no
 * `=` or begin with `;` or `#` ignored; a backslash before a line end joins the next line; white space around
 * unquoted values dropped; values between `'` as they are and between `"` with the shell's escapes, both over
 * several lines.
 */
export function parseSystemdEnvFile(file: string, version: SystemdVersion): Record<string, string> {
  if (!file.isWellFormed() || /\p{Noncharacter_Code_Point}/u.test(file)) throw new Error("not UTF-8");
  if (file.includes("\0")) throw new Error("NUL");
  const values = new Map<string, string>();
  let at = 0;
  while (at < file.length) {
    const start = /\S/.exec(file.slice(at));
    if (start === null) break;
    at += start.index;
    if (file[at] === "#" || file[at] === ";") {
      at = endOfComment(file, at, version);
      continue;
    }
    const name = /^[^=\n\r]*/.exec(file.slice(at))?.[0] ?? "";
    at += name.length;
    if (file[at] !== "=") continue;
    const read = readValue(file, at + 1, version);
    at = read.end;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    const hasControl = /[\u0001-\u0008\u000b-\u001f\u007f]/.test(read.value);
    if (!hasControl || !version.leavesOutControlCharacters) values.set(name.trimEnd(), read.value);
  }
  return Object.fromEntries(values);
}

function endOfComment(file: string, from: number, { continuesComments }: SystemdVersion): number {
  const rule = continuesComments ? /^(?:\\[\s\S]|[^\n\r\\])*/ : /^[^\n\r]*/;
  return from + (rule.exec(file.slice(from))?.[0].length ?? 0);
}

/** The value that begins at an offset, and where its line ends. A value is a sequence of bare and quoted pieces. */
function readValue(file: string, from: number, version: SystemdVersion): { value: string; end: number } {
  let value = "";
  let kept = 0;
  let at = from;
  let bare = false;
  while (at < file.length && file[at] !== "\n" && file[at] !== "\r") {
    const sign = file[at] ?? "";
    if (!bare && quoted.includes(sign)) {
      const piece = readQuoted(file, at + 1, sign, version);
      value += piece.value;
      kept = value.length;
      at = piece.end;
    } else if (sign === "\\") {
      const next = file[at + 1] ?? "";
      if (next !== "\n" && next !== "\r") value += next;
      kept = value.length;
      bare = true;
      at += 2;
    } else {
      if (bare || !/[ \t]/.test(sign)) {
        value += sign;
        bare = true;
        if (!/[ \t]/.test(sign)) kept = value.length;
      }
      at += 1;
    }
  }
  return { value: value.slice(0, kept), end: at };
}

function readQuoted(file: string, from: number, quote: string, version: SystemdVersion) {
  let value = "";
  let at = from;
  for (; at < file.length && file[at] !== quote; at++) {
    if (quote === '"' && file[at] === "\\") {
      at += 1;
      const next = file[at] ?? "";
      if ('"\\`$'.includes(next)) value += next;
      else if (next !== "\n") value += version.dropsEveryBackslash ? next : `\\${next}`;
    } else value += file[at];
  }
  return { value, end: at + 1 };
}
