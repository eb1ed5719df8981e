/**
 * Whether a line of a value after its first reads as more than a part of it, to readers that know no value of several
 * lines: as a variable (django-environ, honcho, foreman), as the name of one that is taken from where the file is read
 * (docker), or as a rule, a variable or a file to read (make, where a file is included). The lines of a key in base64,
 * the last of which may end in `=`, name nothing that anybody uses.
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
