import type { MovableView, TransferView } from "@keyloan/contract";

const numbers = new Intl.NumberFormat("en-GB");

/** What a row of the list says of one service's data. */
export function stateText({ kind, transfer }: MovableView): string {
  if (transfer === undefined) {
    return kind === "database" ? "Its database: every table, every row." : "Its files: every file.";
  }
  if (transfer.tidying) return "Stopping, and restoring everything as it was…";
  switch (transfer.state) {
    case "waiting":
      return kind === "database" ? "Starts when the files have been copied." : "Starts in a moment.";
    case "copying":
      return phaseText(transfer);
    case "copied":
    case "switched":
      return provenText(transfer);
    case "cancelled":
      return cancelledText(transfer);
    case "failed":
      return "Not moved.";
  }
}

function cancelledText({ kind, receipt }: TransferView): string {
  // Going back after a switch leaves it where it is.
  if (receipt) return "Moved before you went back. What is in your account stays there.";
  return kind === "database"
    ? "Not moved. None of it is left in your database."
    : "Stopped. What was copied so far stays in your account.";
}

/** What is being done at this moment. */
function phaseText({ kind, progress }: TransferView): string {
  switch (progress.phase) {
    case "waiting":
    case "freezing":
      return "Stopping changes for a moment…";
    case "counting":
      return "Counting the data…";
    case "emptying":
      return "Emptying your database…";
    case "copying":
      return `Copying: ${countText(kind, progress)}`;
    case "proving":
    case "proven":
      return `Comparing both sides: ${countText(kind, progress)}`;
  }
}

/** "12,340 of 20,000 rows, 1.4 MB" */
export function countText(kind: MovableView["kind"], progress: TransferView["progress"]): string {
  const { rows, rowsTotal, objects, objectsTotal, bytes, bytesTotal } = progress;
  const [done, all, noun] = kind === "database" ? [rows, rowsTotal, "row"] : [objects, objectsTotal, "file"];
  const last = all ?? done ?? 0;
  const counts = `${all === undefined ? "" : `${numbers.format(done ?? 0)} of `}${numbers.format(last)} ${noun}${last === 1 ? "" : "s"}`;
  if (bytes === undefined) return counts;
  return `${counts}, ${sizeText(bytes)}${bytesTotal === undefined ? "" : ` of ${sizeText(bytesTotal)}`}`;
}

/** How much was moved and proven: "20,000 rows". */
export function totalText(kind: MovableView["kind"], progress: TransferView["progress"]): string {
  const { rowsTotal = 0, objectsTotal = 0, bytesTotal } = progress;
  const [total, noun] = kind === "database" ? [rowsTotal, "row"] : [objectsTotal, "file"];
  const size = bytesTotal === undefined ? "" : `, ${sizeText(bytesTotal)}`;
  return `${numbers.format(total)} ${noun}${total === 1 ? "" : "s"}${size}`;
}

function provenText({ kind, progress }: TransferView): string {
  return `In your account: ${totalText(kind, progress)}. Both sides were compared and hold the same data.`;
}

/** "812 B", "1.4 MB". */
export function sizeText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let [value, unit] = [bytes, 0];
  while (value >= 1000 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** How far a bar is, from 0 to 1; `undefined` while nobody knows. Copying is most of it, comparing the rest. */
export function fractionOf({ kind, progress }: TransferView): number | undefined {
  const { phase, rows, rowsTotal, objects, objectsTotal } = progress;
  const [done = 0, all] = kind === "database" ? [rows, rowsTotal] : [objects, objectsTotal];
  const part = all === undefined ? undefined : all === 0 ? 1 : Math.min(1, done / all);
  if (phase === "copying") return part === undefined ? undefined : part * 0.6;
  if (phase === "proving") return part === undefined ? undefined : 0.6 + part * 0.4;
  return phase === "proven" ? 1 : undefined;
}
