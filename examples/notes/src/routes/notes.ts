import { randomUUID } from "node:crypto";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { csrf } from "hono/csrf";
import type { Deps } from "../app.ts";
import { findNote, insertNote, listNotes, type NoteWithAttachment } from "../database/notes.ts";
import { signToken } from "../tokens.ts";
import { renderPage } from "../views/page.ts";

const titleLengthMax = 120;
const bodyLengthMax = 10_000;
const requestBytesMax = 64 * 1024;
const editTokenTtlSeconds = 24 * 60 * 60;

export function noteRoutes(deps: Pick<Deps, "db" | "secrets" | "now">): Hono {
  const { db, secrets, now } = deps;
  const app = new Hono();

  app.get("/", async (context) => context.html(renderPage(await listNotes(db))));

  app.get("/notes", async (context) => context.json({ notes: (await listNotes(db)).map(presentNote) }));

  app.get("/notes/:id", async (context) => {
    const note = await findNote(db, context.req.param("id"));
    return note === undefined ? context.notFound() : context.json({ note: presentNote(note) });
  });

  const tooLarge = bodyLimit({
    maxSize: requestBytesMax,
    onError: (context) =>
      context.json({ error: { code: "too_large", message: "The note is too large." } }, 413),
  });
  app.post("/notes", csrf(), tooLarge, async (context) => {
    const isForm =
      context.req.header("content-type")?.startsWith("application/x-www-form-urlencoded") ?? false;
    const input = readInput(isForm ? await context.req.parseBody() : await readJson(context));
    if (typeof input === "string") {
      if (isForm) return context.html(renderPage(await listNotes(db), input), 422);
      return context.json({ error: { code: "invalid_input", message: input } }, 422);
    }
    const note = { id: randomUUID(), ...input, createdAt: now() };
    await insertNote(db, note);
    if (isForm) return context.redirect("/", 303);
    const editToken = await signToken({
      secret: secrets.jwtSecret,
      purpose: "edit-note",
      subject: note.id,
      ttlSeconds: editTokenTtlSeconds,
      nowMs: now(),
    });
    const answer = { note: presentNote({ ...note, attachment: null }), editToken };
    return context.json(answer, 201, { location: `/notes/${note.id}`, "cache-control": "no-store" });
  });
  return app;
}

/** A note as the API shows it: where the file is, not how it is stored. */
export function presentNote({ attachment, createdAt, ...note }: NoteWithAttachment) {
  const file = attachment && {
    fileName: attachment.fileName,
    contentType: attachment.contentType,
    sizeBytes: attachment.sizeBytes,
    url: `/notes/${note.id}/attachment`,
  };
  return { ...note, createdAt: new Date(createdAt).toISOString(), attachment: file };
}

async function readJson(context: Context): Promise<unknown> {
  try {
    return await context.req.json();
  } catch {
    return undefined;
  }
}

/** The title and body of a new note, or a sentence that says what is wrong with them. */
function readInput(value: unknown): { title: string; body: string } | string {
  if (typeof value !== "object" || value === null) return "Send a JSON object with a title and a body.";
  const title: unknown = "title" in value ? value.title : undefined;
  const body: unknown = "body" in value ? value.body : "";
  if (typeof title !== "string" || title.trim() === "") return "Give the note a title.";
  if (title.length > titleLengthMax) return `Shorten the title to ${titleLengthMax} characters.`;
  if (typeof body !== "string") return "The body of a note is text.";
  if (body.length > bodyLengthMax) return `Shorten the body to ${bodyLengthMax} characters.`;
  return { title: title.trim(), body };
}
