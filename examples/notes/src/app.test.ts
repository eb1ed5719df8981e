import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createApp, type Deps } from "./app.ts";
import { openDatabase } from "./database/open-database.ts";
import { attachmentBytesMax } from "./routes/attachments.ts";
import { createStorage } from "./services/storage.ts";
import { serveObjects } from "./testing/servers.ts";
import { environment } from "./testing/values.ts";
import { signToken } from "./tokens.ts";

const secrets = { jwtSecret: environment.JWT_SECRET, checkoutTokenSecret: environment.CHECKOUT_TOKEN_SECRET };
const price = { id: "price_demo", currency: "eur", unitAmount: 1900, liveMode: false };

let folder: string;
let database: Awaited<ReturnType<typeof openDatabase>>;
let objects: Awaited<ReturnType<typeof serveObjects>>;
let app: ReturnType<typeof createApp>;
let lines: string[];
let nowMs: number;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "notes-"));
  database = await openDatabase({ url: `file:${join(folder, "notes.db")}` });
  objects = await serveObjects();
});
afterAll(() => {
  objects.close();
  database.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  objects.objects.clear();
  objects.requests.length = 0;
  objects.state.refuse = false;
  lines = [];
  nowMs = Date.now();
  app = createTestApp();
});

function createTestApp(changes: Partial<Deps> = {}) {
  const storage = createStorage({
    endpoint: objects.url,
    region: "auto",
    bucket: "apps",
    prefix: "builds/one/",
    accessKeyId: "access",
    secretAccessKey: "secret-access",
    sessionToken: "session",
  });
  return createApp({
    secrets,
    db: database.db,
    storage,
    readPrice: async () => price,
    checks: { database: async () => "fine" },
    now: () => nowMs,
    log: (line) => lines.push(line),
    ...changes,
  });
}

const postNote = (body: string, type = "application/json", headers: Record<string, string> = {}) =>
  app.request("/notes", { method: "POST", headers: { "content-type": type, ...headers }, body });

// JSON.parse gives `any`: an assertion that names a wrong field fails by itself.
const read = async (answer: Response) => JSON.parse(await answer.text());

async function createNote(): Promise<{ id: string; editToken: string }> {
  const { note, editToken } = await read(await postNote(`{"title":"A note"}`));
  return { id: note.id, editToken };
}

function upload(note: { id: string; editToken: string }, body: string, options: Record<string, string> = {}) {
  const { name = "a.txt", ...headers } = options;
  return app.request(`/notes/${note.id}/attachment?name=${encodeURIComponent(name)}`, {
    method: "PUT",
    headers: {
      "content-type": "text/plain",
      "content-length": String(Buffer.byteLength(body)),
      authorization: `Bearer ${note.editToken}`,
      ...headers,
    },
    body,
  });
}

test("opening the same database again changes nothing and keeps the notes", async () => {
  const { id } = await createNote();
  const again = await openDatabase({ url: `file:${join(folder, "notes.db")}` });
  again.close();
  expect((await app.request(`/notes/${id}`)).status).toBe(200);
});

test("a note is stored, listed first and read back", async () => {
  nowMs += 1_000_000;
  const created = await postNote(JSON.stringify({ title: "  Kettle ", body: "boil\nit" }));
  expect(created.status).toBe(201);
  const { note } = await read(created);
  expect(note).toMatchObject({ title: "Kettle", body: "boil\nit", attachment: null });
  expect(created.headers.get("location")).toBe(`/notes/${note.id}`);
  expect((await read(await app.request("/notes"))).notes[0]).toEqual(note);
  expect((await read(await app.request(`/notes/${note.id}`))).note).toEqual(note);
});

test.each([
  { what: "no JSON", body: "{" },
  { what: "no object", body: "null" },
  { what: "no title", body: `{"body":"x"}` },
  { what: "a blank title", body: `{"title":"  "}` },
  { what: "a long title", body: JSON.stringify({ title: "x".repeat(121) }) },
  { what: "a body that is no text", body: `{"title":"x","body":1}` },
  { what: "a long body", body: JSON.stringify({ title: "x", body: "x".repeat(10_001) }) },
])("a note with $what is refused with 422", async ({ body }) => {
  const answer = await postNote(body);
  expect(answer.status).toBe(422);
  expect((await read(answer)).error.code).toBe("invalid_input");
});

test("a request larger than any note is refused before it is read", async () => {
  expect((await postNote(JSON.stringify({ title: "x", body: "x".repeat(70_000) }))).status).toBe(413);
});

test("the form of the page stores a note and goes back to the page", async () => {
  const headers = { origin: "http://localhost" };
  const answer = await postNote("title=From+the+form&body=", "application/x-www-form-urlencoded", headers);
  expect([answer.status, answer.headers.get("location")]).toEqual([303, "/"]);
  expect(await (await app.request("/")).text()).toContain("From the form");
});

test("a form of another site is refused", async () => {
  const headers = { origin: "https://elsewhere.example" };
  expect((await postNote("title=x", "application/x-www-form-urlencoded", headers)).status).toBe(403);
});

test("a wrong form shows the page again with the problem named", async () => {
  const headers = { origin: "http://localhost" };
  const answer = await postNote("title=", "application/x-www-form-urlencoded", headers);
  expect(answer.status).toBe(422);
  expect(await answer.text()).toMatch(
    /role="alert">Give the note a title\.[\s\S]*aria-describedby="problem"/,
  );
});

test("markup in a note is shown as text", async () => {
  await postNote(JSON.stringify({ title: "<script>x</script>", body: "<b>&" }));
  const answer = await app.request("/");
  const page = await answer.text();
  expect(page).toContain("&lt;script&gt;x&lt;/script&gt;");
  expect(page).not.toContain("<script>");
  expect(answer.headers.get("content-security-policy")).toContain("default-src 'none'");
});

test("a file is kept under the prefix with the session token and comes back with its type and name", async () => {
  const note = await createNote();
  const put = await upload(note, "hällo", {
    name: "für 'dich'.txt",
    "content-type": "text/plain; charset=utf-8",
  });
  expect(put.status).toBe(200);
  const [sent] = objects.requests;
  expect(sent?.path).toMatch(new RegExp(`^/apps/builds/one/notes/${note.id}/[0-9a-f-]{36}$`));
  expect(sent?.headers).toMatchObject({ "content-length": "6", "x-amz-security-token": "session" });
  expect([...objects.objects.values()].map(String)).toEqual(["hällo"]);

  const got = await app.request(`/notes/${note.id}/attachment`);
  expect(await got.text()).toBe("hällo");
  expect(Object.fromEntries(got.headers)).toMatchObject({
    "content-type": "text/plain; charset=utf-8",
    "content-length": "6",
    "content-disposition": "attachment; filename*=UTF-8''f%C3%BCr%20%27dich%27.txt",
    "x-content-type-options": "nosniff",
  });
});

test("a second file replaces the first and leaves no object behind", async () => {
  const note = await createNote();
  await upload(note, "first");
  await upload(note, "second");
  expect([...objects.objects.values()].map(String)).toEqual(["second"]);
  expect(await (await app.request(`/notes/${note.id}/attachment`)).text()).toBe("second");
});

test.each([
  { what: "no length", options: { "content-length": "" }, status: 411 },
  { what: "too many bytes", options: { "content-length": String(attachmentBytesMax + 1) }, status: 413 },
  { what: "no bytes", options: { "content-length": "0" }, status: 422 },
  { what: "a malformed type", options: { "content-type": "nonsense" }, status: 415 },
  { what: "a name with a path", options: { name: "../a" }, status: 422 },
  { what: "a name with a line break", options: { name: "a\r\nb" }, status: 422 },
  { what: "no name left", options: { name: ".." }, status: 422 },
])("a file with $what is refused with $status and nothing is stored", async ({ options, status }) => {
  const note = await createNote();
  expect((await upload(note, "bytes", options)).status).toBe(status);
  expect(objects.requests).toEqual([]);
});

test("only an unexpired edit token of the same note and purpose may attach a file", async () => {
  const [mine, other] = [await createNote(), await createNote()];
  const sign = (changes: object) =>
    signToken({
      secret: secrets.jwtSecret,
      purpose: "edit-note",
      subject: mine.id,
      ttlSeconds: 60,
      nowMs,
      ...changes,
    });
  const refused = [
    "",
    "garbage",
    other.editToken,
    await sign({ nowMs: nowMs - 61_000 }),
    await sign({ purpose: "checkout" }),
    await sign({ secret: secrets.checkoutTokenSecret }),
  ];
  const statuses = await Promise.all(
    refused.map(async (editToken) => (await upload({ ...mine, editToken }, "x")).status),
  );
  expect(statuses).toEqual(refused.map(() => 401));
  expect((await upload({ ...mine, editToken: await sign({}) }, "x")).status).toBe(200);
});

test("a storage that refuses is a 502 without its words, and the note keeps its state", async () => {
  const note = await createNote();
  objects.state.refuse = true;
  const answer = await upload(note, "bytes");
  expect(answer.status).toBe(502);
  expect((await read(answer)).error.code).toBe("service_failed");
  expect(lines).toEqual(["PUT /notes/:id/attachment failed: a service answered 403"]);
  expect((await read(await app.request(`/notes/${note.id}`))).note.attachment).toBeNull();
});

test("what does not exist is a 404", async () => {
  const note = await createNote();
  const paths = ["/nothing", "/notes/none", "/notes/none/attachment", `/notes/${note.id}/attachment`];
  const statuses = await Promise.all(paths.map(async (path) => (await app.request(path)).status));
  expect(statuses).toEqual([404, 404, 404, 404]);
});

test("an offer keeps the price it was made with, and a forged one is refused", async () => {
  const { checkoutToken } = await read(await app.request("/price"));
  const offer = await app.request(`/checkout/${checkoutToken}`);
  expect(await read(offer)).toEqual({ price });
  const [head, , signature] = String(checkoutToken).split(".");
  const claims = Buffer.from(`{"aud":"checkout","sub":"{}"}`).toString("base64url");
  expect((await app.request(`/checkout/${head}.${claims}.${signature}`)).status).toBe(401);
});

test("health is 503 and names the part as soon as one service fails", async () => {
  app = createTestApp({
    checks: {
      database: async () => "fine",
      payments: () => Promise.reject(Object.assign(new Error("marked"), { statusCode: 401 })),
    },
  });
  const answer = await app.request("/health");
  expect(answer.status).toBe(503);
  expect(await read(answer)).toEqual({
    ok: false,
    services: { database: { ok: true, detail: "fine" }, payments: { ok: false, reason: "answered 401" } },
  });
});
