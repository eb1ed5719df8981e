/**
 * Whether a line of a value after its first reads as more than a part of it, to readers that know no value of several
 * lines: as a variable (django-environ, honcho, foreman), or as a rule, a variable or a file to read (make, where a
 * file is included). The last line of a key in base64, which may end in `=`, names nothing that anybody uses.
 */
export function hasLineOfItsOwn(text: string): boolean {
  return text
    .split("\n")
    .slice(1)
    .some((line) => ownLine.test(line) && !paddedBase64.test(line));
}

const ownLine = new RegExp(
  [
    "^\\t",
    "^\\s*(?:(?:export|override|private|define|undefine|unexport)\\s+)*[\\w.-]+\\s*[:+?!]*=",
    "^\\s*(?:export|override|private|define|undefine|unexport)\\s",
    "^\\s*[-s]?(?:include|load)\\s",
    ":[^;]*;",
  ].join("|"),
);
const paddedBase64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)$/;
