import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";

/** The checksum algorithms that a client may use for a body, with the length of their values in bytes. */
export const checksumBytes = { crc32: 4, crc32c: 4, crc64nvme: 8, sha1: 20, sha256: 32 } as const;
export type ChecksumAlgorithm = keyof typeof checksumBytes;
export const checksumAlgorithms = Object.keys(checksumBytes).filter(isChecksumAlgorithm);

export type Checksum = { readonly algorithm: ChecksumAlgorithm; readonly value: string };

/** Calculates a checksum; `digest` returns it in standard base64, big-endian, as S3 writes it. */
export type RunningChecksum = {
  readonly update: (bytes: Buffer) => void;
  readonly digest: () => string;
};

export function isChecksumAlgorithm(name: string): name is ChecksumAlgorithm {
  return Object.hasOwn(checksumBytes, name);
}

export function createChecksum(algorithm: ChecksumAlgorithm): RunningChecksum {
  if (algorithm === "crc32") return create32((bytes, sum) => crc32(bytes, sum));
  if (algorithm === "crc32c") return create32(crc32c);
  if (algorithm === "crc64nvme") return createCrc64();
  const hash = createHash(algorithm);
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest("base64") };
}

function create32(add: (bytes: Buffer, sum: number) => number): RunningChecksum {
  let sum = 0;
  return {
    update: (bytes) => {
      sum = add(bytes, sum);
    },
    digest: () => toBase64(sum),
  };
}

const castagnoli = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

function crc32c(bytes: Buffer, before: number): number {
  let sum = ~before;
  for (let index = 0; index < bytes.length; index++) {
    sum = (castagnoli[(sum ^ (bytes[index] ?? 0)) & 255] ?? 0) ^ (sum >>> 8);
  }
  return ~sum >>> 0;
}

const nvmePolynomial = 0x9a6c9329ac4bc9b5n;
const nvmeTable = Array.from({ length: 256 }, (_, byte) => {
  let value = BigInt(byte);
  for (let bit = 0; bit < 8; bit++) value = value & 1n ? (value >> 1n) ^ nvmePolynomial : value >> 1n;
  return value;
});
// Two halves of 32 bits: calculating with BigInt would be about fifty times slower.
const nvmeHigh = Uint32Array.from(nvmeTable, (value) => Number(value >> 32n));
const nvmeLow = Uint32Array.from(nvmeTable, (value) => Number(value & 0xffffffffn));

function createCrc64(): RunningChecksum {
  let high = ~0;
  let low = ~0;
  return {
    update: (bytes) => {
      for (let index = 0; index < bytes.length; index++) {
        const entry = (low ^ (bytes[index] ?? 0)) & 255;
        low = (nvmeLow[entry] ?? 0) ^ ((low >>> 8) | (high << 24));
        high = (nvmeHigh[entry] ?? 0) ^ (high >>> 8);
      }
    },
    digest: () => toBase64(~high >>> 0, ~low >>> 0),
  };
}

function toBase64(...words: readonly number[]): string {
  const bytes = Buffer.alloc(words.length * 4);
  for (const [index, word] of words.entries()) bytes.writeUInt32BE(word, index * 4);
  return bytes.toString("base64");
}
