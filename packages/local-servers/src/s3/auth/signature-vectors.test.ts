import { describe, expect, test } from "vitest";
import { decodeAwsChunked } from "../body/aws-chunked.ts";
import type { S3Request } from "../request.ts";
import { parseAuthentication } from "./parse-authentication.ts";
import { verifySignature } from "./verify-signature.ts";

// The worked examples of the S3 API reference, "Authenticating requests (AWS Signature Version 4)".
const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const nowMs = Date.parse("2013-05-24T00:00:00Z");
// In two parts, so that no scanner takes the documentation's example for a key.
const scope = `AKIA${"IOSFODNN7EXAMPLE"}/20130524/us-east-1/s3/aws4_request`;

function example(
  method: string,
  path: string,
  headers: Record<string, string>,
  signature: string,
): S3Request {
  const all = { "x-amz-date": "20130524T000000Z", ...headers };
  const signed = Object.keys(all).toSorted().join(";");
  const authorization = `AWS4-HMAC-SHA256 Credential=${scope},SignedHeaders=${signed},Signature=${signature}`;
  const entries = Object.entries({ ...all, authorization });
  return { method, path, bucket: "b", key: "k", query: [], headers: new Map(entries) };
}

const verify = (request: S3Request, key = secret, at = nowMs) =>
  verifySignature(request, parseAuthentication(request), key, at);

const get = (signature: string) =>
  example(
    "GET",
    "/test.txt",
    {
      host: "examplebucket.s3.amazonaws.com",
      range: "bytes=0-9",
      "x-amz-content-sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    },
    signature,
  );
const getSignature = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";

const chunkedHeaders = {
  host: "s3.amazonaws.com",
  "content-encoding": "aws-chunked",
  "x-amz-decoded-content-length": "66560",
  "x-amz-storage-class": "REDUCED_REDUNDANCY",
};
const signedChunks = () =>
  example(
    "PUT",
    "/examplebucket/chunkObject.txt",
    {
      ...chunkedHeaders,
      "content-length": "66824",
      "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    },
    "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
  );
const withTrailer = () =>
  example(
    "PUT",
    "/examplebucket/chunkObject.txt",
    {
      ...chunkedHeaders,
      "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
      "x-amz-trailer": "x-amz-checksum-crc32c",
    },
    "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
  );

const chunk = (size: number, signature: string) =>
  `${size.toString(16)};chunk-signature=${signature}\r\n${"a".repeat(size)}\r\n`;
const plainBody = [
  chunk(65_536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
  chunk(1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
  chunk(0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
].join("");
const trailerBody = [
  chunk(65_536, "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2"),
  chunk(1024, "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7"),
  "0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n",
  "x-amz-checksum-crc32c:sOO8/Q==\r\n",
  "x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n",
].join("");

async function* inPieces(text: string, size: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text, "latin1");
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

async function decode(request: S3Request, text: string, pieceBytes: number, hasTrailer: boolean) {
  let trailers: ReadonlyMap<string, string> = new Map();
  const onTrailers = (found: ReadonlyMap<string, string>) => {
    trailers = found;
  };
  const source = inPieces(text, pieceBytes);
  let bytes = 0;
  const signer = verify(request);
  for await (const part of decodeAwsChunked(source, { signer, hasTrailer, onTrailers })) bytes += part.length;
  return { bytes, trailers: Object.fromEntries(trailers) };
}

describe("the examples of the S3 reference", () => {
  test("a signed header is accepted", () => {
    expect(() => verify(get(getSignature))).not.toThrow();
  });

  test.each([
    ["another signature", get(getSignature.replace("f", "e")), secret],
    ["a shorter signature", get(getSignature.slice(1)), secret],
    ["no signature", get(""), secret],
    ["another secret", get(getSignature), "other"],
    ["another method", { ...get(getSignature), method: "PUT" }, secret],
    ["another path", { ...get(getSignature), path: "/test.tx" }, secret],
    ["one more query parameter", { ...get(getSignature), query: [["acl", ""]] as const }, secret],
  ])("%s is refused", (_, request, key) => {
    expect(() => verify(request, key)).toThrow("does not match");
  });

  test.each([
    ["15 minutes before", 15 * 60_000, true],
    ["15 minutes after", -15 * 60_000, true],
    ["a second more before", 15 * 60_000 + 1000, false],
    ["a second more after", -15 * 60_000 - 1000, false],
  ])("a request signed %s now is accepted: %o", (_, offsetMs, isAccepted) => {
    const act = () => verify(get(getSignature), secret, nowMs + offsetMs);
    if (isAccepted) expect(act).not.toThrow();
    else expect(act).toThrow("time");
  });

  test.each([1, 7, 100, 1000, 70_000])("signed chunks are accepted in pieces of %i bytes", async (pieces) => {
    expect(await decode(signedChunks(), plainBody, pieces, false)).toEqual({ bytes: 66_560, trailers: {} });
  });

  test("signed chunks with a signed trailer are accepted", async () => {
    expect(await decode(withTrailer(), trailerBody, 4096, true)).toEqual({
      bytes: 66_560,
      trailers: { "x-amz-checksum-crc32c": "sOO8/Q==" },
    });
  });

  test.each([
    ["a changed byte of data", plainBody.replace("aaaaaaaa\r\n400", "aaaaaaab\r\n400")],
    ["chunks in another order", plainBody.replace("10000;", "400;")],
    ["a missing last chunk", plainBody.slice(0, plainBody.indexOf("\r\n0;chunk") + 2)],
    ["a cut chunk", plainBody.slice(0, 30_000)],
    ["a chunk without its signature", plainBody.replace(/^10000;chunk-signature=[0-9a-f]{64}/, "10000")],
    ["text after the end", `${plainBody}more`],
    ["a size that is no number", plainBody.replace("10000;", "zz;")],
    ["an endless header", "1".repeat(10_000)],
  ])("%s is refused", async (_, body) => {
    await expect(decode(signedChunks(), body, 4096, false)).rejects.toMatchObject({ name: "S3Error" });
  });

  test.each([
    ["a changed trailer", trailerBody.replace("sOO8", "sOO9")],
    ["a trailer without its signature", trailerBody.replace(/x-amz-trailer-signature:.*/s, "\r\n")],
    ["one more trailer", trailerBody.replace("x-amz-trailer-s", "x-amz-other:1\r\nx-amz-trailer-s")],
  ])("%s is refused", async (_, body) => {
    await expect(decode(withTrailer(), body, 4096, true)).rejects.toMatchObject({ name: "S3Error" });
  });
});
