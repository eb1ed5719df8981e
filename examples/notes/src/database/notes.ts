import { desc, eq } from "drizzle-orm";
import type { Database } from "./open-database.ts";
import { attachments, notes } from "./schema.ts";

export type Note = typeof notes.$inferSelect;
export type Attachment = typeof attachments.$inferSelect;
export type NoteWithAttachment = Note & { readonly attachment: Attachment | null };

const listMax = 100;

export async function insertNote(db: Database, note: Note): Promise<void> {
  await db.insert(notes).values(note);
}

/** The newest hundred, newest first. */
export async function listNotes(db: Database): Promise<NoteWithAttachment[]> {
  const rows = await db
    .select()
    .from(notes)
    .leftJoin(attachments, eq(attachments.noteId, notes.id))
    .orderBy(desc(notes.createdAt), desc(notes.id))
    .limit(listMax);
  return rows.map((row) => ({ ...row.notes, attachment: row.attachments }));
}

export async function findNote(db: Database, id: string): Promise<NoteWithAttachment | undefined> {
  const [row] = await db
    .select()
    .from(notes)
    .leftJoin(attachments, eq(attachments.noteId, notes.id))
    .where(eq(notes.id, id));
  return row && { ...row.notes, attachment: row.attachments };
}

/** Sets or replaces the note's one attachment. */
export async function saveAttachment(db: Database, attachment: Attachment): Promise<void> {
  const { noteId: _, ...values } = attachment;
  await db
    .insert(attachments)
    .values(attachment)
    .onConflictDoUpdate({ target: attachments.noteId, set: values });
}
