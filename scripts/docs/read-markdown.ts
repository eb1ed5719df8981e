export type Quoted = { readonly text: string; readonly line: number };

/** Words inside inline code, and link targets, of one Markdown file. Fenced blocks are left out. */
export function readMarkdown(source: string): { codeWords: Quoted[]; links: Quoted[]; anchors: Set<string> } {
  const codeWords: Quoted[] = [];
  const links: Quoted[] = [];
  const anchors = new Set<string>();
  for (const { text, line } of proseLines(source)) {
    const heading = /^#{1,6}\s+(.*)$/.exec(text)?.[1];
    if (heading !== undefined) anchors.add(uniqueSlug(heading, anchors));
    for (const [, , code] of text.matchAll(/(`+)(.+?)\1/g)) {
      for (const word of (code ?? "").trim().split(/\s+/)) codeWords.push({ text: word, line });
    }
    const withoutCode = text.replaceAll(/(`+).+?\1/g, "");
    for (const [, target] of withoutCode.matchAll(/\]\(\s*<?([^\s)>]+)/g))
      links.push({ text: target ?? "", line });
    const reference = /^\s{0,3}\[[^\]]+\]:\s*<?([^\s>]+)/.exec(withoutCode)?.[1];
    if (reference !== undefined) links.push({ text: reference, line });
  }
  return { codeWords, links, anchors };
}

function* proseLines(source: string): Generator<Quoted> {
  let fence: string | undefined;
  for (const [index, text] of source.split("\n").entries()) {
    const mark = /^\s*(`{3,}|~{3,})/.exec(text)?.[1];
    if (fence === undefined && mark === undefined) yield { text, line: index + 1 };
    else if (fence === undefined) fence = mark;
    else if (mark?.startsWith(fence)) fence = undefined;
  }
}

// The anchor a heading gets on the usual hosts: lower case, punctuation gone, spaces to dashes, numbered twins.
function uniqueSlug(heading: string, taken: ReadonlySet<string>): string {
  const slug = heading
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\p{M}\s_-]/gu, "")
    .replaceAll(/\s/g, "-");
  let unique = slug;
  for (let twin = 1; taken.has(unique); twin++) unique = `${slug}-${twin}`;
  return unique;
}
