/** A text or binary message is joined from all its frames; a control message is one frame. */
export type WebSocketMessage = {
  readonly kind: "text" | "binary" | "control";
  readonly opcode: number;
  readonly payload: Buffer;
};

export type WebSocketReader = {
  /**
   * Adds the bytes that have arrived and returns the messages that they complete.
   * @throws Error for an unmasked frame, a frame of an extension, a part out of place, or a message that is too large
   */
  readonly read: (chunk: Buffer) => readonly WebSocketMessage[];
  /** Bytes of the message that is still incomplete. */
  readonly heldBytes: () => number;
};

/** No known client sends messages in parts; empty parts would cost memory without counting as bytes. */
const partsMax = 1_024;

const opcodes = { continuation: 0, text: 1, binary: 2, control: 8 } as const;

/** Reads the frames of a client (RFC 6455) without extensions. */
export function createWebSocketReader(messageBytesMax: number): WebSocketReader {
  const waiting = createByteQueue();
  let parts: Frame[] = [];
  let partBytes = 0;
  const take = (frame: Frame): WebSocketMessage | undefined => {
    if (frame.opcode >= opcodes.control) {
      if (!frame.final || frame.payload.length > 125) throw new Error("a control frame is short and whole");
      return { kind: "control", opcode: frame.opcode, payload: frame.payload };
    }
    if ((frame.opcode === opcodes.continuation) !== parts.length > 0)
      throw new Error("a part is out of place");
    if (parts.length === partsMax) throw new Error("the message has too many parts");
    parts.push(frame);
    partBytes += frame.payload.length;
    if (partBytes > messageBytesMax) throw new Error("the message is too large");
    if (!frame.final) return undefined;
    const opcode = parts[0]?.opcode;
    if (opcode !== opcodes.text && opcode !== opcodes.binary) throw new Error("an unknown kind of message");
    const payload = Buffer.concat(parts.map((part) => part.payload));
    parts = [];
    partBytes = 0;
    return { kind: opcode === opcodes.text ? "text" : "binary", opcode, payload };
  };
  return {
    heldBytes: () => waiting.bytes() + partBytes,
    read: (chunk) => {
      waiting.add(chunk);
      const messages: WebSocketMessage[] = [];
      for (;;) {
        const frame = readFrame(waiting, messageBytesMax);
        if (frame === undefined) return messages;
        const message = take(frame);
        if (message !== undefined) messages.push(message);
      }
    },
  };
}

/** Counts the messages that end in each chunk from a server, whose frames are not masked. */
export function createMessageCounter(): (chunk: Buffer) => number {
  let head = Buffer.alloc(0);
  let payloadLeft = 0;
  return (chunk) => {
    let ended = 0;
    for (let at = 0; at < chunk.length; ) {
      const skipped = Math.min(payloadLeft, chunk.length - at);
      payloadLeft -= skipped;
      at += skipped;
      if (at === chunk.length) return ended;
      head = Buffer.concat([head, chunk.subarray(at, at + 1)]);
      at++;
      const length = payloadLength(head);
      if (length === undefined) continue;
      const [first = 0] = head;
      if ((first & 0x80) !== 0 && (first & 0x0f) < opcodes.control) ended++;
      payloadLeft = length;
      head = Buffer.alloc(0);
    }
    return ended;
  };
}

/** `undefined` until the whole head has arrived. */
function payloadLength(head: Buffer): number | undefined {
  const short = (head[1] ?? 0) & 0x7f;
  const headBytes = short === 126 ? 4 : short === 127 ? 10 : 2;
  if (head.length < headBytes) return undefined;
  return short === 126 ? head.readUInt16BE(2) : short === 127 ? Number(head.readBigUInt64BE(2)) : short;
}

/** A message as one frame. A client's frame has to be masked: the mask here is zero, which changes nothing. */
export function writeWebSocketFrame(opcode: number, payload: Buffer, from: "client" | "server"): Buffer {
  const { length } = payload;
  const head = Buffer.alloc(14);
  head[0] = 0x80 | opcode;
  let end = 2;
  if (length < 126) head[1] = length;
  else if (length < 65_536) {
    head[1] = 126;
    end = head.writeUInt16BE(length, 2);
  } else {
    head[1] = 127;
    end = head.writeBigUInt64BE(BigInt(length), 2);
  }
  if (from === "client") {
    head[1] |= 0x80;
    end += 4;
  }
  return Buffer.concat([head.subarray(0, end), payload]);
}

type Frame = { readonly final: boolean; readonly opcode: number; readonly payload: Buffer };

function readFrame(waiting: ByteQueue, bytesMax: number): Frame | undefined {
  const head = waiting.peek(14);
  const [first = 0, second = 0] = head;
  if (head.length < 2) return undefined;
  if ((first & 0x70) !== 0) throw new Error("no extension was agreed on");
  if ((second & 0x80) === 0) throw new Error("a client masks its frames");
  const short = second & 0x7f;
  const lengthEnd = short === 126 ? 4 : short === 127 ? 10 : 2;
  if (head.length < lengthEnd + 4) return undefined;
  const length =
    short === 126 ? head.readUInt16BE(2) : short === 127 ? Number(head.readBigUInt64BE(2)) : short;
  if (length > bytesMax) throw new Error("the message is too large");
  const frame = waiting.take(lengthEnd + 4 + length);
  if (frame === undefined) return undefined;
  const mask = head.subarray(lengthEnd, lengthEnd + 4);
  const payload = frame.subarray(lengthEnd + 4);
  for (let index = 0; index < payload.length; index++)
    payload[index] = (payload[index] ?? 0) ^ (mask[index % 4] ?? 0);
  return { final: (first & 0x80) !== 0, opcode: first & 0x0f, payload };
}

type ByteQueue = {
  readonly add: (chunk: Buffer) => void;
  readonly bytes: () => number;
  /** The first `count` bytes, or all of them when there are fewer. */
  readonly peek: (count: number) => Buffer;
  /** Removes and returns `count` bytes; undefined while there are fewer. */
  readonly take: (count: number) => Buffer | undefined;
};

/** Joins chunks only for a head or a whole frame, because a large frame arrives in thousands of chunks. */
function createByteQueue(): ByteQueue {
  let chunks: Buffer[] = [];
  let bytes = 0;
  const join = (): Buffer => {
    const [only] = chunks;
    const all = chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
    chunks = [all];
    return all;
  };
  return {
    bytes: () => bytes,
    add: (chunk) => {
      chunks.push(chunk);
      bytes += chunk.length;
    },
    peek: (count) =>
      ((chunks[0]?.length ?? 0) >= Math.min(count, bytes) ? (chunks[0] ?? Buffer.alloc(0)) : join()).subarray(
        0,
        count,
      ),
    take: (count) => {
      if (bytes < count) return undefined;
      const all = join();
      chunks = [all.subarray(count)];
      bytes -= count;
      // A copy, because the caller unmasks it in place.
      return Buffer.from(all.subarray(0, count));
    },
  };
}
