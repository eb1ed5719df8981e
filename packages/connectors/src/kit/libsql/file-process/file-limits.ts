const megabyte = 1024 * 1024;
const copiesMax = 24;

/**
 * How large a file may become, in bytes: twice its dump, once more for every copy that its indexes hold, and what a new
 * database takes.
 * @param copies as many as the table that has most indexes has, and those of full-text indexes. Rows of small numbers
 * are as long in an index as in a dump, and an index of a table without row ids repeats the whole key
 */
export function fileBytesFor(dumpBytes: number, copies: number): number {
  return (2 + Math.min(copies, copiesMax)) * dumpBytes + 16 * megabyte;
}

/** What the process may have on the disk at once, in bytes: its file, and what it sorts for an index of all rows. */
export function diskBytesFor(dumpBytes: number): number {
  return 2 * fileBytesFor(dumpBytes, copiesMax) + 64 * megabyte;
}

/** What the process may hold in memory, in bytes, on a machine of so much memory. */
export function memoryBytesFor(dumpBytes: number, machineBytes: number): number {
  return Math.min(512 * megabyte + 8 * dumpBytes, machineBytes / 2);
}

/** How long the process may work, in milliseconds. */
export function workMsFor(dumpBytes: number): number {
  return 60_000 + (dumpBytes / megabyte) * 1000;
}
