import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export type ReceivedNotice = {
  readonly method: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly body: Readonly<Record<string, unknown>>;
};

export type Receiver = {
  readonly url: string;
  /** Every request that was read, whatever it was answered. */
  readonly received: ReceivedNotice[];
  /** What is answered from now on: a status, a redirect to its own other path, or nothing at all. */
  readonly answer: (how: number | "redirect" | "silence") => void;
  /** What is answered to GET from now on; before, as anything else. */
  readonly giveBack: (text: string) => void;
  readonly close: () => Promise<void>;
};

/** A receiver of notices on a free port. */
export async function startReceiver(): Promise<Receiver> {
  const received: ReceivedNotice[] = [];
  let how: number | "redirect" | "silence" = 204;
  let givenBack: string | undefined;
  const server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8");
    request.on("data", (part: string) => {
      text += part;
    });
    request.on("end", () => {
      const { method = "" } = request;
      if (method === "GET" && givenBack !== undefined) {
        response.end(givenBack);
        return;
      }
      received.push({ method, headers: request.headers, text, body: text === "" ? {} : JSON.parse(text) });
      if (how === "silence") return;
      if (how === "redirect") response.writeHead(307, { location: "/elsewhere" }).end();
      else response.writeHead(how).end("a receiver's own words");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks?for=keyloan`,
    received,
    answer: (next) => {
      how = next;
    },
    giveBack: (text) => {
      givenBack = text;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** The signature a receiver computes itself from what it got ("Standard Webhooks"). */
export function signatureOf({ headers, text }: ReceivedNotice, key: Buffer): string {
  const content = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${text}`;
  return `v1,${createHmac("sha256", key).update(content).digest("base64")}`;
}
