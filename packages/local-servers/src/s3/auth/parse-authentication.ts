import { queryValue, type S3Request } from "../request.ts";
import { S3Error } from "../s3-error.ts";

/** What a request claims: who signed it, when, over which headers. None of these claims is verified yet. */
export type Authentication = {
  readonly accessKeyId: string;
  readonly sessionToken: string | undefined;
  /** `YYYYMMDD/region/service/aws4_request`. */
  readonly scope: string;
  readonly region: string;
  /** `YYYYMMDDTHHMMSSZ`. */
  readonly timestamp: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** Seconds a presigned URL lives; `undefined` for a signed header. */
  readonly expiresSeconds: number | undefined;
  /** The declared hash of the body, or a text that replaces it, such as `UNSIGNED-PAYLOAD`. */
  readonly payload: string;
};

const algorithm = "AWS4-HMAC-SHA256";
const presignSecondsMax = 604_800;

/**
 * Reads the `Authorization` header or the query of a presigned URL.
 * @throws S3Error `Unauthorized` if there is neither; another code if it cannot be read or leaves headers unsigned
 */
export function parseAuthentication(request: S3Request): Authentication {
  const header = request.headers.get("authorization");
  const isPresigned = request.query.some(
    ([name]) => name === "X-Amz-Signature" || name === "X-Amz-Algorithm",
  );
  if (header !== undefined && isPresigned) throw invalid("Only one way to sign is allowed.");
  if (header !== undefined) return fromHeader(request, header);
  if (isPresigned) return fromQuery(request);
  throw new S3Error("Unauthorized", "The request is not signed.");
}

function fromHeader(request: S3Request, header: string): Authentication {
  const parts = /^AWS4-HMAC-SHA256\s+(.*)$/.exec(header)?.[1];
  if (parts === undefined) throw invalid(`Only ${algorithm} is supported.`);
  const fields = new Map(
    parts.split(",").map((part) => {
      const equals = part.indexOf("=");
      return [part.slice(0, equals).trim(), part.slice(equals + 1).trim()] as const;
    }),
  );
  const payload = request.headers.get("x-amz-content-sha256");
  if (payload === undefined) throw new S3Error("InvalidRequest", "x-amz-content-sha256 is missing.");
  return {
    ...readCredential(fields.get("Credential"), request.headers.get("x-amz-date")),
    sessionToken: request.headers.get("x-amz-security-token"),
    signedHeaders: readSignedHeaders(request, fields.get("SignedHeaders")),
    signature: fields.get("Signature") ?? "",
    expiresSeconds: undefined,
    payload,
  };
}

function fromQuery(request: S3Request): Authentication {
  const names = request.query.map(([name]) => name).filter((name) => name.startsWith("X-Amz-"));
  if (new Set(names).size !== names.length) throw invalid("A signing parameter is given twice.");
  if (queryValue(request, "X-Amz-Algorithm") !== algorithm) throw invalid(`Only ${algorithm} is supported.`);
  const expires = queryValue(request, "X-Amz-Expires") ?? "";
  const expiresSeconds = Number(expires);
  if (!/^\d{1,6}$/.test(expires) || expiresSeconds < 1 || expiresSeconds > presignSecondsMax) {
    throw invalid("X-Amz-Expires must be 1 to 604800 seconds.");
  }
  return {
    ...readCredential(queryValue(request, "X-Amz-Credential"), queryValue(request, "X-Amz-Date")),
    sessionToken: queryValue(request, "X-Amz-Security-Token"),
    signedHeaders: readSignedHeaders(request, queryValue(request, "X-Amz-SignedHeaders")),
    signature: queryValue(request, "X-Amz-Signature") ?? "",
    expiresSeconds,
    payload:
      queryValue(request, "X-Amz-Content-Sha256") ??
      request.headers.get("x-amz-content-sha256") ??
      "UNSIGNED-PAYLOAD",
  };
}

function readCredential(credential = "", timestamp = "") {
  const parts = credential.split("/");
  const [date = "", region = "", service = "", ending = ""] = parts.slice(-4);
  const accessKeyId = parts.slice(0, -4).join("/");
  if (accessKeyId === "" || service !== "s3" || ending !== "aws4_request") {
    throw invalid("The credential must be <key id>/<date>/<region>/s3/aws4_request.");
  }
  if (!/^\d{8}T\d{6}Z$/.test(timestamp)) throw invalid("X-Amz-Date must be given as YYYYMMDDTHHMMSSZ.");
  if (!timestamp.startsWith(`${date}T`)) throw invalid("The credential's date is not that of X-Amz-Date.");
  return { accessKeyId, scope: `${date}/${region}/${service}/${ending}`, region, timestamp };
}

// Anyone on the way could add a header that is not signed, so every x-amz-… header must be signed.
function readSignedHeaders(request: S3Request, text = ""): string[] {
  const signed = text.split(";");
  if (!signed.includes("host")) throw new S3Error("SignatureDoesNotMatch", "The host header must be signed.");
  for (const name of request.headers.keys()) {
    if (name.startsWith("x-amz-") && !signed.includes(name)) {
      throw new S3Error(
        "AccessDenied",
        `There were headers present in the request which were not signed: ${name}`,
      );
    }
  }
  return signed;
}

const invalid = (message: string) => new S3Error("InvalidArgument", message);
