import { randomUUID } from "node:crypto";
import { type Context, Hono } from "hono";
import type { Deps } from "../app.ts";
import { findNote, saveAttachment } from "../database/notes.ts";
import { failureReason } from "../failure.ts";
import { readToken } from "../tokens.ts";

export const attachmentBytesMax = 10 * 1024 * 1024;
const fileNameLengthMax = 200;
const mediaTypePattern = /^[\w!#$&^.+-]{1,64}\/[\w!#$&^.+-]{1,64}(?:;[\x20-\x7e]{1,100})?$/;

export function attachmentRoutes(deps: Pick<Deps, "db" | "storage" | "secrets" | "log">): Hono {
  const { db, storage, secrets, log } = deps;
  const app = new Hono();

  app.put("/notes/:id/attachment", async (context) => {
    const note = await findNote(db, context.req.param("id"));
    if (note === undefined) return context.notFound();
    if ((await readToken(secrets.jwtSecret, "edit-note", bearerToken(context))) !== note.id) {
      return refuse(context, 401, "not_yours", "Send the edit token of this note as a bearer token.");
    }
    const upload = readUpload(context);
    if (upload instanceof Response) return upload;

    // A new name for each upload: a reader of the old file, or a crash half way, never sees a mixture.
    const objectKey = `notes/${note.id}/${randomUUID()}`;
    await storage.put(objectKey, upload);
    const { fileName, contentType, sizeBytes } = upload;
    await saveAttachment(db, { noteId: note.id, objectKey, fileName, contentType, sizeBytes });
    if (note.attachment !== null) {
      await storage.remove(note.attachment.objectKey).catch((error: unknown) => {
        log(`the replaced file of a note stays behind: storage ${failureReason(error)}`);
      });
    }
    return context.json({ attachment: { fileName, contentType, sizeBytes } });
  });

  app.get("/notes/:id/attachment", async (context) => {
    const attachment = (await findNote(db, context.req.param("id")))?.attachment;
    if (!attachment) return context.notFound();
    const stored = await storage.get(attachment.objectKey);
    if (stored === undefined) return context.notFound();
    return context.body(stored.body, 200, {
      "content-type": attachment.contentType,
      "content-length": String(stored.sizeBytes),
      "content-disposition": `attachment; filename*=UTF-8''${encodeFileName(attachment.fileName)}`,
      "cache-control": "private, no-cache",
    });
  });
  return app;
}

function readUpload(context: Context) {
  const body = context.req.raw.body;
  const length = context.req.header("content-length");
  const contentType = context.req.header("content-type") ?? "application/octet-stream";
  const fileName = context.req.query("name") ?? "attachment";
  if (length === undefined || !/^\d{1,15}$/.test(length)) {
    return refuse(context, 411, "length_required", "Say the size of the file with a Content-Length header.");
  }
  const sizeBytes = Number(length);
  if (sizeBytes > attachmentBytesMax) {
    return refuse(context, 413, "too_large", `A file has at most ${attachmentBytesMax} bytes.`);
  }
  if (sizeBytes === 0 || body === null) return refuse(context, 422, "empty", "The file is empty.");
  if (!mediaTypePattern.test(contentType)) {
    return refuse(context, 415, "unsupported_type", "Give the file a content type such as image/png.");
  }
  if (!isFileName(fileName)) {
    return refuse(context, 422, "invalid_name", "Give the file a plain name without slashes.");
  }
  return { body, sizeBytes, contentType, fileName };
}

function isFileName(name: string): boolean {
  return (
    name.length > 0 &&
    name.length <= fileNameLengthMax &&
    name.isWellFormed() &&
    !/[/\\\p{Cc}]/u.test(name) &&
    name !== "." &&
    name !== ".."
  );
}

/** RFC 8187 value characters; encodeURIComponent leaves four that are not among them. */
function encodeFileName(name: string): string {
  return encodeURIComponent(name).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function bearerToken(context: Context): string {
  return /^Bearer ([\w.-]+)$/i.exec(context.req.header("authorization") ?? "")?.[1] ?? "";
}

function refuse(
  context: Context,
  status: 401 | 411 | 413 | 415 | 422,
  code: string,
  message: string,
): Response {
  return context.json({ error: { code, message } }, status);
}
