import { expect, test } from "vitest";
import { createMessageCounter, createWebSocketReader, writeWebSocketFrame } from "./websocket-frames.ts";

const mask = Buffer.from([1, 2, 3, 4]);

/** A frame as a client sends it. */
function clientFrame(first: number, text: string | Buffer): Buffer {
  const payload = Buffer.from(text);
  const frame = writeWebSocketFrame(first & 0x0f, payload, "client");
  frame[0] = first;
  const start = frame.length - payload.length;
  mask.copy(frame, start - 4);
  for (let index = 0; index < payload.length; index++) {
    frame[start + index] = (payload[index] ?? 0) ^ (mask[index % 4] ?? 0);
  }
  return frame;
}

function readAll(frames: readonly Buffer[], chunkBytes: number) {
  const reader = createWebSocketReader(200_000);
  const bytes = Buffer.concat(frames);
  const messages = [];
  for (let at = 0; at < bytes.length; at += chunkBytes)
    messages.push(...reader.read(bytes.subarray(at, at + chunkBytes)));
  return messages.map(({ kind, payload }) => [kind, payload.toString("latin1")]);
}

test.each([1, 7, 65_536, 1_000_000])("messages come whole from chunks of %d bytes", (chunkBytes) => {
  const long = "x".repeat(chunkBytes === 1 ? 300 : 70_000);
  const frames = [
    clientFrame(0x81, "a"),
    clientFrame(0x01, "read"),
    clientFrame(0x00, "file"),
    clientFrame(0x89, "ping"),
    clientFrame(0x80, "("),
    clientFrame(0x82, long),
    clientFrame(0x81, ""),
  ];
  expect(readAll(frames, chunkBytes)).toEqual([
    ["text", "a"],
    ["control", "ping"],
    ["text", "readfile("],
    ["binary", long],
    ["text", ""],
  ]);
});

test.each([
  [1, 2],
  [125, 2],
  [126, 4],
  [65_535, 4],
  [65_536, 10],
])("a message of %d bytes is written as it is read, under a head of %d", (length, headBytes) => {
  const payload = Buffer.alloc(length, "m");
  const [message] = createWebSocketReader(length).read(writeWebSocketFrame(2, payload, "client"));
  expect(message?.payload.equals(payload)).toBe(true);
  expect(writeWebSocketFrame(2, payload, "server")).toHaveLength(headBytes + length);
});

test.each([
  ["an unmasked frame", writeWebSocketFrame(1, Buffer.from("a"), "server")],
  ["a compressed frame", clientFrame(0xc1, "a")],
  ["a first part that continues", clientFrame(0x80, "a")],
  ["a new message inside another", Buffer.concat([clientFrame(0x01, "a"), clientFrame(0x81, "b")])],
  [
    "a message of endless empty parts",
    Buffer.concat([clientFrame(0x01, ""), ...Array.from({ length: 1_024 }, () => clientFrame(0x00, ""))]),
  ],
  ["an unknown kind", clientFrame(0x83, "a")],
  ["a control frame in parts", clientFrame(0x09, "a")],
  ["a long control frame", clientFrame(0x89, "a".repeat(126))],
  ["a frame that is too large", clientFrame(0x82, "a".repeat(101)).subarray(0, 20)],
  [
    "a message that is too large",
    Buffer.concat([clientFrame(0x02, "a".repeat(60)), clientFrame(0x80, "a".repeat(60))]),
  ],
])("%s is refused", (_what, bytes) => {
  expect(() => createWebSocketReader(100).read(bytes)).toThrow();
});

test.each([1, 7, 1_000_000])("a server's messages are counted from chunks of %d bytes", (chunkBytes) => {
  const frame = (opcode: number, length: number) =>
    writeWebSocketFrame(opcode, Buffer.alloc(length, 0x81), "server");
  const begun = frame(1, 3);
  begun[0] = 0x01;
  const bytes = Buffer.concat([
    frame(1, 0),
    frame(2, 126),
    frame(9, 5),
    begun,
    frame(0, 70_000),
    frame(1, 4),
  ]);
  const count = createMessageCounter();
  let counted = 0;
  for (let at = 0; at < bytes.length; at += chunkBytes) counted += count(bytes.subarray(at, at + chunkBytes));
  expect(counted).toBe(4);
});
