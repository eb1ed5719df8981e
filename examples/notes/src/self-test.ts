import { createHash, randomBytes } from "node:crypto";

const callTimeoutMs = 30_000;
const fileBytes = 300_000;

type Answer = { readonly status: number; readonly json: unknown };

/** Uses a running app as a visitor would, step by step; the first step that fails ends the run. */
async function selfTest(baseUrl: string): Promise<void> {
  const call = (path: string, init: RequestInit = {}) =>
    fetch(new URL(path, baseUrl), { ...init, signal: AbortSignal.timeout(callTimeoutMs) });
  const callJson = async (path: string, init: RequestInit = {}): Promise<Answer> => {
    const response = await call(path, init);
    return { status: response.status, json: await response.json() };
  };

  await step("every service answers", async () => {
    const { json } = await callJson("/health");
    const services = Object.entries(record(field(json, "services")));
    const failing = services.filter(([, service]) => field(service, "ok") !== true);
    const reasons = failing.map(([name, service]) => `${name} ${String(field(service, "reason"))}`);
    must(services.length === 4 && failing.length === 0, reasons.join("; ") || "a service is not reported");
    return services.map(([name, service]) => `${name}: ${String(field(service, "detail"))}`).join("; ");
  });

  const title = `Self-test ${randomBytes(6).toString("hex")}`;
  let id = "";
  let editToken = "";
  await step("a note is stored", async () => {
    const { status, json } = await callJson("/notes", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ title, body: "Written by the self-test." }),
    });
    must(status === 201, `answered ${status}`);
    id = text(field(field(json, "note"), "id"));
    editToken = text(field(json, "editToken"));
    const read = await callJson(`/notes/${id}`);
    must(field(field(read.json, "note"), "title") === title, "the note read back is another");
    return id;
  });

  const file = randomBytes(fileBytes);
  const attachment = `/notes/${id}/attachment`;
  const upload = (token: string) =>
    call(`${attachment}?name=self-test.bin`, {
      method: "PUT",
      headers: { "content-type": "application/x-self-test", authorization: `Bearer ${token}` },
      body: file,
    });
  await step("a file is refused without the note's edit token", async () => {
    const { status } = await upload("not.a.token");
    must(status === 401, `answered ${status}`);
    return "answered 401";
  });
  await step("a file is uploaded", async () => {
    const { status } = await upload(editToken);
    must(status === 200, `answered ${status}`);
    return `${fileBytes} bytes`;
  });
  await step("the file comes back byte for byte", async () => {
    const response = await call(attachment);
    must(response.status === 200, `answered ${response.status}`);
    must(response.headers.get("content-type") === "application/x-self-test", "the content type is another");
    const received = Buffer.from(await response.arrayBuffer());
    must(received.equals(file), `${received.length} other bytes came back`);
    return `sha256 ${createHash("sha256").update(received).digest("hex").slice(0, 16)}…`;
  });

  await step("the price is readable and its offer is signed", async () => {
    const { status, json } = await callJson("/price");
    must(status === 200, `answered ${status}`);
    const price = field(json, "price");
    const offer = await callJson(`/checkout/${text(field(json, "checkoutToken"))}`);
    must(offer.status === 200, `the offer answered ${offer.status}`);
    must(
      JSON.stringify(field(offer.json, "price")) === JSON.stringify(price),
      "the offer names another price",
    );
    return `${String(field(price, "unitAmount"))} ${String(field(price, "currency"))}`;
  });

  await step("the page shows the note", async () => {
    const response = await call("/");
    must(response.status === 200 && (await response.text()).includes(title), `answered ${response.status}`);
    return title;
  });
}

async function step(title: string, run: () => Promise<string>): Promise<void> {
  try {
    console.log(`ok    ${title} (${await run()})`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : "unknown";
    console.log(`FAIL  ${title}: ${reason}`);
    throw error;
  }
}

function must(condition: boolean, reason: string): void {
  if (!condition) throw new Error(reason);
}

function record(value: unknown): object {
  return typeof value === "object" && value !== null ? value : {};
}

function field(value: unknown, name: string): unknown {
  return Reflect.get(record(value), name);
}

function text(value: unknown): string {
  if (typeof value !== "string") throw new Error("the answer has an unexpected shape");
  return value;
}

const [baseUrl] = process.argv.slice(2);
if (baseUrl === undefined || !URL.canParse(baseUrl)) {
  console.error("usage: node src/self-test.ts <baseUrl>, for instance http://127.0.0.1:3000");
  process.exitCode = 2;
} else {
  await selfTest(baseUrl).catch(() => {
    process.exitCode = 1;
  });
}
