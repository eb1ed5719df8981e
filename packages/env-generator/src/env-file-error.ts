export type EnvFileErrorCode = "unclear_line" | "broken_block" | "name_outside";

/** A line of an existing file; `name` if it sets a variable. */
export type EnvFilePlace = { readonly line: number; readonly name?: string };

/** An existing file cannot be merged into. The error names the places and what to do, and never contains a value. */
export class EnvFileError extends Error {
  override readonly name = "EnvFileError";
  readonly code: EnvFileErrorCode;
  readonly places: readonly EnvFilePlace[];
  readonly remedy: string;

  constructor(code: EnvFileErrorCode, message: string, remedy: string, places: readonly EnvFilePlace[]) {
    super(message);
    this.code = code;
    this.places = places;
    this.remedy = remedy;
  }
}

/** `STRIPE_SECRET_KEY (line 3), JWT_SECRET (line 8)`, at most ten places. */
export function placesText(places: readonly EnvFilePlace[]): string {
  const shown = places.slice(0, 10).map(({ name, line }) => {
    return name === undefined ? `line ${line}` : `${name.slice(0, 255)} (line ${line})`;
  });
  return [...shown, ...(places.length > 10 ? [`${places.length - 10} more`] : [])].join(", ");
}
