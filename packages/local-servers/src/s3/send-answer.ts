import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import type { FilePart, S3Answer } from "./operations/context.ts";

/** Sends an answer. It is not an error if the client disconnects before the end. */
export async function sendAnswer(
  message: IncomingMessage,
  response: ServerResponse,
  answer: S3Answer,
  requestId: string,
): Promise<void> {
  const { status, headers = {}, body } = answer;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.setHeader("x-amz-request-id", requestId);
  response.statusCode = status;
  if (body !== undefined && typeof body === "object" && "handle" in body) return sendFile(response, body);
  const hasNoBody = body === undefined || message.method === "HEAD";
  if (!hasNoBody) response.setHeader("content-length", Buffer.byteLength(body));
  else if (message.method !== "HEAD" && status !== 204 && status !== 304)
    response.setHeader("content-length", 0);
  response.end(hasNoBody ? undefined : body);
}

async function sendFile(response: ServerResponse, { handle, start, length }: FilePart): Promise<void> {
  if (length === 0) {
    await handle.close();
    response.end();
    return;
  }
  try {
    await pipeline(handle.createReadStream({ start, end: start + length - 1 }), response);
  } catch (error) {
    if (!response.destroyed) throw error;
  }
}
