import { request } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestGateway, type TestGateway } from "./testing/test-gateway.ts";

let gateway: TestGateway;
const intercepted: string[] = [];

beforeAll(async () => {
  gateway = await startTestGateway({
    intercept: (_, path) => {
      intercepted.push(path);
      return undefined;
    },
    other: {
      matches: (path) => path.startsWith("/manage/"),
      serve: (message, response) => {
        let text = "";
        message.on("data", (part) => {
          text += part;
        });
        message.on("end", () => response.end(`${message.method} ${message.url} ${text}`));
      },
    },
  });
});
afterAll(() => gateway.dispose());

test("what is not S3 is served by its own listener, past signatures and interceptions", async () => {
  const answer = await fetch(`${gateway.url}/manage/x?y=1`, { method: "POST", body: "body" });
  expect([answer.status, await answer.text()]).toEqual([200, "POST /manage/x?y=1 body"]);
  expect(intercepted).toEqual([]);
});

test("a client there that waits for 100 Continue is told to go on", async () => {
  const answer = new Promise<string>((resolve, reject) => {
    const asked = request(`${gateway.url}/manage/x`, { method: "PUT", headers: { expect: "100-continue" } });
    asked.on("continue", () => asked.end("late"));
    asked.on("response", (response) => response.setEncoding("utf8").on("data", resolve));
    asked.on("error", reject);
    asked.flushHeaders();
  });
  expect(await answer).toBe("PUT /manage/x late");
});

test.each(["/manage", "/main/manage/x", "//manage/x", "/%6danage/x"])("%s stays S3", async (path) => {
  expect((await fetch(`${gateway.url}${path}`)).status).toBe(401);
});
