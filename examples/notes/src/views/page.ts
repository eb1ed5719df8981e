import { html } from "hono/html";
import type { NoteWithAttachment } from "../database/notes.ts";

/** The one page: a form and the newest notes. `problem` says what was wrong with a form just sent. */
export function renderPage(notes: readonly NoteWithAttachment[], problem?: string) {
  return html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${problem === undefined ? "" : "Problem: "}Notes</title>
    <link rel="stylesheet" href="/style.css">
  </head>
  <body>
    <main>
      <h1>Notes</h1>
      ${renderForm(problem)}
      <h2>${notes.length === 0 ? "No notes yet" : "Newest notes"}</h2>
      ${notes.map(renderNote)}
    </main>
  </body>
</html>`;
}

function renderForm(problem: string | undefined) {
  const isWrong = problem !== undefined;
  return html`<form method="post" action="/notes">
        ${isWrong ? html`<p class="problem" id="problem" role="alert">${problem}</p>` : ""}
        <label for="title">Title</label>
        <input id="title" name="title" required maxlength="120" autocomplete="off"
          aria-invalid="${isWrong}" ${isWrong ? html`aria-describedby="problem"` : ""}>
        <label for="body">Text</label>
        <textarea id="body" name="body" rows="4" maxlength="10000"></textarea>
        <button>Add note</button>
      </form>`;
}

function renderNote({ id, title, body, createdAt, attachment }: NoteWithAttachment) {
  const date = new Date(createdAt).toISOString();
  return html`<article aria-labelledby="note-${id}">
        <h3 id="note-${id}">${title}</h3>
        <p class="body">${body}</p>
        ${
          attachment
            ? html`<p><a href="/notes/${id}/attachment" download>${attachment.fileName}</a> (${attachment.sizeBytes} bytes)</p>`
            : ""
        }
        <p class="date"><time datetime="${date}">${date.slice(0, 16).replace("T", " ")} UTC</time></p>
      </article>`;
}

export const styleSheet = `:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 0; }
main { max-width: 42.5rem; margin: 0 auto; padding: 1.5rem 1rem; }
form, article { border: 1px solid GrayText; border-radius: 8px; padding: 1rem; margin-block: 1rem; }
form { display: grid; gap: 0.5rem; }
label { font-weight: 600; }
input, textarea, button { font: inherit; padding: 0.5rem; border: 1px solid GrayText; border-radius: 4px; }
button { justify-self: start; padding-inline: 1rem; cursor: pointer; }
:focus-visible { outline: 3px solid Highlight; outline-offset: 2px; }
h3 { margin: 0; }
.body { white-space: pre-wrap; overflow-wrap: anywhere; }
.problem { margin: 0; font-weight: 600; border-inline-start: 4px solid; padding-inline-start: 0.75rem; }
`;
