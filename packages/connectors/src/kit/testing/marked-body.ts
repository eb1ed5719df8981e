/** A text no provider writes; it must never leave the connector. */
export const mark = "MARKED-PROVIDER-TEXT-7f3a";

/** An error body with the mark in every place where SDKs look for a message. */
export const markedBody = JSON.stringify({
  error: { message: mark, code: mark, type: mark, param: mark, doc_url: mark },
  errors: [{ message: mark, long_message: mark, code: mark, meta: { param: mark } }],
  message: mark,
  code: mark,
});
