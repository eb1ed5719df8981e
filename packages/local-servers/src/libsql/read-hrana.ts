/**
 * Every text in a JSON request that may be SQL, that is every string outside of arguments, under any key, because
 * the server reads a statement from an array as well as from an object. All values of a repeated key are included.
 * @returns undefined if it is not JSON, or if parsing it would take far more memory than it has bytes
 */
export function sqlInJson(text: string): readonly string[] | undefined {
  if (!isJson(text)) return undefined;
  const found: string[] = [];
  let depth = 0;
  let argumentsDepth = Number.POSITIVE_INFINITY;
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === "{" || char === "[") depth++;
    if (char === "}" || char === "]") depth--;
    if (depth < argumentsDepth || (depth === argumentsDepth && char === ",")) {
      argumentsDepth = Number.POSITIVE_INFINITY;
    }
    if (char !== '"') continue;
    const end = endOfString(text, at);
    const isKey = /\s*:/y;
    isKey.lastIndex = end;
    if (argumentsDepth === Number.POSITIVE_INFINITY) {
      const value: string = JSON.parse(text.slice(at, end));
      if (!isKey.test(text)) found.push(value);
      else if (argumentKeys.has(value)) argumentsDepth = depth;
    }
    at = end - 1;
  }
  return found;
}

const containersMax = 1_000_000;

/** Counts containers first: an empty array takes two bytes here and thirty times as many once it is parsed. */
function isJson(text: string): boolean {
  let containers = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === 0x22) at = endOfString(text, at) - 1;
    else if (char === 0x7b || char === 0x5b) containers++;
  }
  if (containers > containersMax) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const argumentKeys: ReadonlySet<string> = new Set(["args", "named_args", "params"]);

/** The index after the closing quote of a string, or past the end of the text if it is not closed. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charCodeAt(at) !== 0x22) at += text.charCodeAt(at) === 0x5c ? 2 : 1;
  return at + 1;
}

/** Where a Protobuf message contains SQL: for each field number `"sql"`, or the fields of the message inside it. */
export type SqlFields = { readonly [field: number]: "sql" | SqlFields };

/** The token in a WebSocket's first message; undefined if the message is not a hello or has no token. */
export function tokenInHello(encoding: string, message: Buffer): string | undefined {
  if (encoding !== "json") return sqlInProtobuf(message, { 1: { 1: "sql" } })?.at(-1);
  if (message.length > helloBytesMax) return undefined;
  try {
    const hello: unknown = JSON.parse(message.toString("utf8"));
    if (typeof hello !== "object" || hello === null || !("type" in hello) || hello.type !== "hello")
      return undefined;
    return "jwt" in hello && typeof hello.jwt === "string" ? hello.jwt : undefined;
  } catch {
    return undefined;
  }
}

/** The most that is read from a client that has not shown a token. A token is far shorter. */
export const helloBytesMax = 16_384;

const statement: SqlFields = { 1: "sql" };
const batch: SqlFields = { 1: { 2: statement } };

/** The requests of Hrana 3 in Protobuf, as its specification numbers their fields. */
export const hranaSqlFields = {
  pipeline: {
    2: { 2: { 1: statement }, 3: { 1: batch }, 4: { 1: "sql" }, 5: { 1: "sql" }, 6: { 2: "sql" } },
  },
  cursor: { 2: batch },
  message: {
    2: {
      4: { 2: statement },
      5: { 2: batch },
      6: { 3: batch },
      9: { 2: "sql" },
      10: { 2: "sql" },
      11: { 2: "sql" },
    },
  },
} as const satisfies Record<string, SqlFields>;

/** Every text of these fields, repeated ones included; undefined if the bytes are not such a message. */
export function sqlInProtobuf(bytes: Buffer, fields: SqlFields): readonly string[] | undefined {
  const found: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    const tag = readVarint(bytes, at);
    if (tag === undefined) return undefined;
    const wireType = tag.value % 8;
    const field = fields[Math.floor(tag.value / 8)];
    const length = wireType === 2 ? readVarint(bytes, tag.end) : undefined;
    const start = length?.end ?? tag.end;
    const end = wireType === 2 ? length && start + length.value : endOfNumber(bytes, start, wireType);
    if (end === undefined || end > bytes.length) return undefined;
    at = end;
    if (field === undefined) continue;
    if (wireType !== 2) return undefined;
    const inner = bytes.subarray(start, end);
    const texts = field === "sql" ? [inner.toString("utf8")] : sqlInProtobuf(inner, field);
    if (texts === undefined) return undefined;
    // Pushed one by one, because a call accepts only a limited number of arguments.
    for (const text of texts) found.push(text);
  }
  return found;
}

/** Where a field that holds a number ends. Groups, which Hrana does not have, are not read. */
function endOfNumber(bytes: Buffer, start: number, wireType: number): number | undefined {
  if (wireType === 0) return readVarint(bytes, start)?.end;
  return wireType === 1 ? start + 8 : wireType === 5 ? start + 4 : undefined;
}

function readVarint(
  bytes: Buffer,
  start: number,
): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  for (let index = 0; index < 10; index++) {
    const byte = bytes[start + index];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return { value, end: start + index + 1 };
  }
  return undefined;
}
