import { stripTypeScriptTypes } from "node:module";
import { type Node, parse } from "acorn";
import { pointFunction } from "./point-function.ts";

/**
 * The same module, telling at every `await` that it begins to wait and that it goes on. Types are taken out
 * first, by blanks, so that lines and columns stay those of the source.
 * @param label names the file in the points, as `file:line:column`
 */
export function instrumentSource(source: string, label: string): string {
  const script = stripTypeScriptTypes(source);
  const tree = parse(script, { ecmaVersion: "latest", sourceType: "module", locations: true });
  const edits: { readonly at: number; readonly text: string }[] = [];
  visit(tree, (node) => {
    const { type, argument, loc } = node as AwaitNode;
    if (type !== "AwaitExpression" || loc == null) return;
    const point = JSON.stringify(`${label}:${loc.start.line}:${loc.start.column + 1}`);
    edits.push(
      { at: argument.start, text: `${pointFunction}(${point}, (` },
      { at: argument.end, text: "))" },
    );
  });
  return applyEdits(script, edits);
}

type AwaitNode = Node & { readonly argument: Node };

function visit(node: unknown, tell: (node: Node) => void): void {
  if (Array.isArray(node)) {
    for (const member of node) visit(member, tell);
  } else if (typeof node === "object" && node !== null) {
    if ("type" in node) tell(node as Node);
    for (const [name, member] of Object.entries(node)) if (name !== "loc") visit(member, tell);
  }
}

function applyEdits(text: string, edits: readonly { readonly at: number; readonly text: string }[]): string {
  const parts: string[] = [];
  let from = 0;
  // Sorting keeps the order of equal places: what was opened first stays outside.
  for (const edit of edits.toSorted((a, b) => a.at - b.at)) {
    parts.push(text.slice(from, edit.at), edit.text);
    from = edit.at;
  }
  return parts.join("") + text.slice(from);
}
