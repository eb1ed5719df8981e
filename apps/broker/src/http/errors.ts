import {
  BrokerError,
  type ErrorCode,
  type ErrorEnvelope,
  errorStatuses,
  ProviderError,
} from "@keyloan/contract";
import { EnvFormatError } from "@keyloan/env-generator";
import type { ErrorHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { describeError } from "../observe/logger.ts";
import { sealedWrong } from "../sealed-wrong.ts";
import { storeRetrySeconds, storeTrouble } from "../store-trouble.ts";
import type { BrokerContext, BrokerEnv } from "./context.ts";

/** The only place where a thrown thing becomes an answer. */
export const handleError: ErrorHandler<BrokerEnv> = (error, context) => {
  const known = toBrokerError(error);
  if (errorStatuses[known.code] >= 500 && context.var.isQuiet !== true) {
    const { deps, requestId } = context.var;
    deps.logger.error(
      { requestId, code: known.code, ...describeError(known.cause ?? error) },
      "request failed",
    );
  }
  return errorResponse(context, known);
};

export function errorResponse(context: BrokerContext, error: BrokerError): Response {
  if (error.retryAfterSeconds !== undefined) context.header("Retry-After", String(error.retryAfterSeconds));
  if (errorStatuses[error.code] === 401) context.header("WWW-Authenticate", 'Bearer realm="keyloan"');
  const { clientRequestId } = context.var;
  const body: ErrorEnvelope = {
    error: {
      code: error.code,
      message: error.message,
      ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
      docsUrl: `/docs#error-${error.code}`,
      ...(error.details === undefined ? {} : { details: error.details }),
      requestId: context.var.requestId,
      ...(clientRequestId === undefined ? {} : { clientRequestId }),
    },
  };
  // The table holds only statuses that carry a body.
  return context.json(body, errorStatuses[error.code] as ContentfulStatusCode);
}

/** What a thrown thing is answered with. */
export function toBrokerError(error: unknown): BrokerError {
  if (error instanceof BrokerError) return error;
  if (error instanceof ProviderError) {
    return new BrokerError("provider_failed", `${error.provider} ${error.message}`, {
      remedy: error.remedy,
      details: {
        provider: error.provider,
        code: error.code,
        status: error.status,
        requestId: error.requestId,
      },
      ...(error.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: error.retryAfterSeconds }),
      cause: error,
    });
  }
  if (error instanceof EnvFormatError) {
    return new BrokerError("invalid_input", error.message, {
      remedy: error.remedy,
      details: { variable: error.variable, reason: error.code },
    });
  }
  const trouble = storeTrouble(error);
  if (trouble !== undefined) {
    return new BrokerError("unavailable", `the store cannot be used right now: ${trouble.reason}`, {
      remedy: trouble.remedy,
      retryAfterSeconds: storeRetrySeconds,
      cause: error,
    });
  }
  const sealed = sealedWrong(error);
  if (sealed !== undefined) return sealed;
  if (error instanceof HTTPException) {
    return new BrokerError(codeOfHttpException(error.status), "the request cannot be read", {
      remedy: "Send the body as JSON with the header `content-type: application/json`.",
    });
  }
  return new BrokerError("internal", "something went wrong on our side", {
    remedy: "Try again. If it still fails, give the operator the request id.",
    cause: error,
  });
}

function codeOfHttpException(status: number): ErrorCode {
  if (status === 413) return "payload_too_large";
  if (status === 415) return "unsupported_media_type";
  return status < 500 ? "malformed_request" : "internal";
}
