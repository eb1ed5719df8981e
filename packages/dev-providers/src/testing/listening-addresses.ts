import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** Where a process listens for TCP connections, as Linux tells it: `0100007F:1F90` is 127.0.0.1, port 8080. */
export function listeningAddresses(pid: number): readonly string[] {
  const sockets = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((descriptor) => {
      try {
        const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`))?.[1];
        return inode === undefined ? [] : [inode];
      } catch {
        return [];
      }
    }),
  );
  const rows = ["tcp", "tcp6"].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, "utf8").trim().split("\n").slice(1),
  );
  return rows.flatMap((row) => {
    const columns = row.trim().split(/\s+/);
    const [, address = "", , state, , , , , , inode = ""] = columns;
    return state === "0A" && sockets.has(inode) ? [address] : [];
  });
}
