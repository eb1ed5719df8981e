/**
 * Whether some reader that does not know values of several lines would take a line after the first for more than a part
 * of the value: for a variable (django-environ, honcho, foreman), for the name of a variable that is copied from the
 * reader's environment (docker), or for a rule, a variable or a file to read (make, if it includes the file). Lines of
 * a base64 key do not count, even if the last ends in `=`: nobody uses such names.
 */
export function hasLineOfItsOwn(text: string): boolean {
  let isInKey = false;
  return text.split("\n").some((line, place) => {
    if (keyMark.test(line)) isInKey = line.startsWith("-----BEGIN");
    if (place === 0) return false;
    return (ownLine.test(line) && !paddedBase64.test(line)) || (!isInKey && bareName.test(line));
  });
}

const keyMark = /^-----(?:BEGIN|END) [A-Z0-9 ]+-----/;
const bareName = /^\s*(?:[A-Z][A-Z0-9_]*|[A-Za-z]\w*_\w*|_\w+)\s*$/;

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
