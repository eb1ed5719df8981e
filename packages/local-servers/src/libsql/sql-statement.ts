import type { SqlToken } from "./sql-tokens.ts";

/** What is known of a statement up to a token. */
export type StatementState = {
  readonly words: Set<string>;
  /** What a CREATE makes, such as `TABLE`. */
  makes: string | undefined;
  /** One for each open parenthesis: what its members are. */
  readonly lists: ("rows" | "values" | "other")[];
  /** After `)` of a row of VALUES: another may come. */
  rowEnded: boolean;
  /** Between INDEX and ON. */
  namesIndex: boolean;
  oddIndexName: boolean;
};

/** Before the first token of a statement. */
export function createState(): StatementState {
  return {
    words: new Set(),
    makes: undefined,
    lists: [],
    rowEnded: false,
    namesIndex: false,
    oddIndexName: false,
  };
}

/** Takes a token into account for those that come after it. */
export function follow(state: StatementState, tokens: readonly SqlToken[], index: number): void {
  const token = tokens[index];
  const before = tokens[index - 1];
  if (token === undefined) return;
  const word = keywordOf(token);
  if ((word === "SELECT" || word === "WITH") && state.lists.pop() !== undefined) state.lists.push("other");
  if (state.namesIndex && keywordOf(before) !== "ON" && isOddName(token)) {
    state.oddIndexName = true;
  }
  if (word === "INDEX") state.namesIndex = true;
  // One token longer, so that the table after it still counts as named.
  else if (keywordOf(before) === "ON") state.namesIndex = false;
  if (word !== undefined) {
    if (state.words.has("CREATE") && !word.startsWith("TEMP")) state.makes ??= word;
    state.words.add(word);
  }
  if (isSign(token, "(")) {
    const opener = keywordOf(before);
    const isRow = opener === "VALUES" || (state.rowEnded && isSign(before, ","));
    state.lists.push(isRow ? "rows" : opener === "IN" ? "values" : "other");
  }
  if (isSign(token, ")")) state.rowEnded = state.lists.pop() === "rows";
  else if (!isSign(token, ",")) state.rowEnded = false;
  if (endsStatement(state, tokens, index)) Object.assign(state, createState());
}

/** Whether the `;` here is one between statements: others are in a virtual table's arguments, and in a trigger. */
function endsStatement(state: StatementState, tokens: readonly SqlToken[], index: number): boolean {
  if (!isSign(tokens[index], ";") || state.lists.length > 0) return false;
  if (state.makes !== "TRIGGER") return true;
  return keywordOf(tokens[index - 1]) === "END" && isSign(tokens[index - 2], ";");
}

/** Whether the next token is one of the arguments of a virtual table. */
export function inArguments(state: StatementState): boolean {
  return state.makes === "VIRTUAL" && state.lists.length > 0;
}

/** Whether a token in quotes is none that could do without them. */
export function isOddName(token: SqlToken): boolean {
  return token.quoted && !/^[\w$\u0080-\uffff]+$/.test(token.text);
}

/** A bare word in upper case: it may be a keyword, which one in quotes never is. */
export function keywordOf(token: SqlToken | undefined): string | undefined {
  // Other letters than those of ASCII are in no keyword, and some become such letters in upper case.
  if (token?.kind !== "name" || token.quoted || !/^[A-Za-z]+$/.test(token.text)) return undefined;
  return token.text.toUpperCase();
}

/** Whether a token is this one character, outside of quotes. */
export function isSign(token: SqlToken | undefined, text: string): boolean {
  return token?.kind === "sign" && token.text === text;
}
