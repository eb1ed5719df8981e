const inspectSymbol = Symbol.for("nodejs.util.inspect.custom");

/**
 * A value that must never be printed. `String()`, template literals, `JSON.stringify` and
 * `util.inspect` all give `[secret]`; only {@link Secret.reveal} gives the text.
 *
 * `reveal()` is allowed in connectors, the vault and renderers, so that a search for it finds
 * every place where plaintext is handled.
 */
export class Secret {
  readonly #value: string;

  private constructor(value: string) {
    this.#value = value;
  }

  static of(value: string): Secret {
    return new Secret(value);
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }

  [inspectSymbol](): string {
    return "[secret]";
  }
}

/** Environment values by variable name, or credential fields by field name. */
export type SecretValues = Readonly<Record<string, Secret>>;

/** Wraps every value of a plain record. */
export function secretValues(values: Readonly<Record<string, string>>): SecretValues {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Secret.of(value)]));
}

/** The plaintext of every value. Use it only where the values leave: renderers, the vault, a provider call. */
export function revealValues(values: SecretValues): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, secret]) => [name, secret.reveal()]));
}
