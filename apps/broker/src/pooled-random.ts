import { randomFillSync } from "node:crypto";

const poolLength = 8192;

/**
 * Random bytes from the system's generator, drawn in advance: a call for 20 bytes costs as much as one for
 * thousands. Each byte is handed out once and then erased from the pool.
 */
export function createPooledRandom(): (size: number) => Uint8Array {
  const pool = new Uint8Array(poolLength);
  let position = poolLength;
  return (size) => {
    if (size > poolLength / 8) return randomFillSync(new Uint8Array(size));
    if (position + size > poolLength) {
      randomFillSync(pool);
      position = 0;
    }
    const bytes = pool.slice(position, position + size);
    pool.fill(0, position, position + size);
    position += size;
    return bytes;
  };
}
