import { createServer } from "node:http";
import { answerBytesMax, userAgent } from "@keyloan/contract";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createSend } from "./send.ts";

/** Answers the requests in turn; a number is a status, the rest is what happens to the connection. */
let answers: (number | "cut" | "silent" | "large")[] = [];
let asked = 0;
let nameless = 0;
let url = "";
const server = createServer((request, response) => {
  request.resume();
  asked += 1;
  if (request.headers["user-agent"] !== userAgent) nameless += 1;
  const answer = answers.shift() ?? 200;
  if (answer === "cut") request.socket.destroy();
  else if (answer === "large") response.end(Buffer.alloc(answerBytesMax + 1));
  else if (answer !== "silent") response.writeHead(answer, { location: "/elsewhere" }).end("words");
});
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  url = typeof address === "object" ? `http://127.0.0.1:${address?.port}/` : "";
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  asked = 0;
});

const never = new AbortController().signal;
const send = (given: typeof answers, attemptsMax?: number, signal = never) => {
  answers = [...given];
  const timeoutMs = given.includes("silent") ? 300 : 20_000;
  const options = { signal, timeoutMs, ...(attemptsMax === undefined ? {} : { attemptsMax }) };
  return createSend("acme", fetch, options)(url, { method: "PUT", body: Buffer.from("x") });
};

test.each([
  [[503, 200], 200, 2],
  [["cut", 429, 200], 200, 3],
  [["silent", 200], 200, 2],
  [[500, 502, 504, 200], 504, 3],
  [[403, 200], 403, 1],
  [[404, 200], 404, 1],
  [[307, 200], 307, 1],
] as const)(
  "of answers %j the one that counts is %i, after %i attempts of three",
  async (given, status, times) => {
    expect(await send([...given], 3)).toMatchObject({ status });
    expect(asked).toBe(times);
  },
);

test("whoever says nothing about attempts makes one", async () => {
  expect(await send([503, 200])).toMatchObject({ status: 503 });
  expect(asked).toBe(1);
});

test.each([
  ["cut", "network"],
  ["silent", "timeout"],
  ["large", "invalid_response"],
] as const)("an answer that is %s is an error", async (answer, code) => {
  await expect(send([answer])).rejects.toMatchObject({ name: "ProviderError", provider: "acme", code });
});

test("an answer that is too large is not asked for again", async () => {
  await expect(send(["large", 200], 3)).rejects.toMatchObject({ code: "invalid_response" });
  expect(asked).toBe(1);
});

test("the signal ends a call, and the attempts", async () => {
  const ending = new AbortController();
  const sending = send(["silent", 200], 3, ending.signal);
  await expect.poll(() => asked, { interval: 2 }).toBe(1);
  ending.abort(new Error("enough"));
  await expect(sending).rejects.toMatchObject({ code: "timeout" });
  expect(asked).toBe(1);
});

test("every call says who asks", () => {
  expect(nameless).toBe(0);
});
