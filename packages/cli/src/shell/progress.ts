import type { Io } from "./io.ts";
import { paintFor } from "./paint.ts";
import { cutTo, printable } from "./terminal-text.ts";

const intervalMs = 200;

/**
 * Shows one line on the terminal, with the seconds that went by, while something takes its time.
 * Shows nothing where nobody looks.
 */
export async function withProgress<T>(
  io: Io,
  quiet: boolean,
  title: string,
  work: (show: (text: string) => void) => Promise<T>,
): Promise<T> {
  if (quiet || !io.stderrIsTerminal()) return work(() => undefined);
  const paint = paintFor(io, "stderr");
  const startedMs = io.now();
  let detail = "";
  const draw = () => {
    const seconds = Math.floor((io.now() - startedMs) / 1000);
    const text = `${printable(title)} … ${seconds}s${detail === "" ? "" : `  ${printable(detail)}`}`;
    io.err(`\r\u001b[K${paint("dim", cutTo(text, Math.min(io.columns(), 200) - 1))}`);
  };
  draw();
  const timer = setInterval(draw, intervalMs);
  try {
    return await work((text) => {
      detail = text;
    });
  } finally {
    clearInterval(timer);
    io.err("\r\u001b[K");
  }
}
