const megabyte = 1024 * 1024;
const copiesMax = 24;

/**
 * How large a file may become, in bytes: twice its dump, once more for every copy in its indexes, and the size of a new
 * database.
 * @param copies the indexes of the table that has most, plus the copies in full-text indexes. Rows of small numbers are
 * as long in an index as in a dump, and an index of a table without row ids repeats the whole key
 */
export function fileBytesFor(dumpBytes: number, copies: number): number {
  return (2 + Math.min(copies, copiesMax)) * dumpBytes + 16 * megabyte;
}

/** What the process may use on the disk at once, in bytes: its file, and what it sorts to index all rows. */
export function diskBytesFor(dumpBytes: number): number {
  return 2 * fileBytesFor(dumpBytes, copiesMax) + 64 * megabyte;
}

/** How much memory the process may use, in bytes; at most half of the machine's. */
export function memoryBytesFor(dumpBytes: number, machineBytes: number): number {
  return Math.min(512 * megabyte + 8 * dumpBytes, machineBytes / 2);
}

/** How long the process may work, in milliseconds. */
export function workMsFor(dumpBytes: number): number {
  return 60_000 + (dumpBytes / megabyte) * 1000;
}
