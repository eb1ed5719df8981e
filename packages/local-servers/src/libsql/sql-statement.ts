import type { SqlToken } from "./sql-tokens.ts";

/** What the tokens of a statement say so far. */
export type StatementState = {
  readonly words: Set<string>;
  /** What a CREATE statement creates, such as `TABLE`. */
  makes: string | undefined;
  /** One entry for each open parenthesis: what it contains. */
  readonly lists: ("rows" | "values" | "other")[];
  /** Whether a row of VALUES has just ended, so that another may follow. */
  rowEnded: boolean;
  /** Whether the token is between INDEX and ON, where an index is named. */
  namesIndex: boolean;
  oddIndexName: boolean;
};

/** The state before the first token of a statement. */
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

/** Updates the state with the token at `index`, for the tokens after it. */
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
  // Reset one token after ON, because the check of the table name there still needs it.
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

/** Whether the token is a `;` between statements, and not one in a virtual table's arguments or in a trigger. */
function endsStatement(state: StatementState, tokens: readonly SqlToken[], index: number): boolean {
  if (!isSign(tokens[index], ";") || state.lists.length > 0) return false;
  if (state.makes !== "TRIGGER") return true;
  return keywordOf(tokens[index - 1]) === "END" && isSign(tokens[index - 2], ";");
}

/** Whether the next token is one of the arguments of a virtual table. */
export function inArguments(state: StatementState): boolean {
  return state.makes === "VIRTUAL" && state.lists.length > 0;
}

/** Whether a token is quoted and needs its quotes, because it is not one plain word. */
export function isOddName(token: SqlToken): boolean {
  return token.quoted && !/^[\w$\u0080-\uffff]+$/.test(token.text);
}

/** An unquoted word, in upper case: it may be a keyword, which a quoted word never is. */
export function keywordOf(token: SqlToken | undefined): string | undefined {
  // Keywords have only ASCII letters, and some other letters become ASCII letters in upper case.
  if (token?.kind !== "name" || token.quoted || !/^[A-Za-z]+$/.test(token.text)) return undefined;
  return token.text.toUpperCase();
}

/** Whether a token is this one character, outside of quotes. */
export function isSign(token: SqlToken | undefined, text: string): boolean {
  return token?.kind === "sign" && token.text === text;
}
