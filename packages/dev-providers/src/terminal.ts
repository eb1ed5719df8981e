export type Style = "bold" | "dim" | "green" | "cyan" | "red";
export type Paint = (style: Style, text: string) => string;

/** Where lines for a person go. */
export type Terminal = {
  readonly line: (text: string) => void;
  readonly error: (text: string) => void;
  readonly paint: Paint;
  readonly isInteractive: boolean;
};

const codes: Readonly<Record<Style, string>> = { bold: "1", dim: "2", green: "32", cyan: "36", red: "31" };

/** Standard output and error of this process; colours only where a person looks and allows them. */
export function openTerminal(allowsColour: boolean): Terminal {
  // A closed terminal must not keep us from stopping what runs.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  const isInteractive = process.stdout.isTTY === true;
  return {
    line: (text) => process.stdout.write(`${text}\n`),
    error: (text) => process.stderr.write(`${text}\n`),
    paint: (style, text) =>
      isInteractive && allowsColour ? `\u001b[${codes[style]}m${text}\u001b[0m` : text,
    isInteractive,
  };
}
