/** The bytes of one field of a Protobuf message: a text, a message, or a small number. */
export function field(number: number, value: string | Buffer | number): Buffer {
  if (typeof value === "number") return Buffer.concat([varint(number * 8), varint(value)]);
  const bytes = typeof value === "string" ? Buffer.from(value) : value;
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

/** @param bytesMin the least bytes to write: more than the number needs are allowed, and read as the same number */
export function varint(value: number, bytesMin = 1): Buffer {
  const bytes: number[] = [];
  for (let rest = value; bytes.length < bytesMin || rest > 0; rest = Math.floor(rest / 128))
    bytes.push(rest % 128);
  return Buffer.from(bytes.map((byte, index) => (index < bytes.length - 1 ? byte | 0x80 : byte)));
}
