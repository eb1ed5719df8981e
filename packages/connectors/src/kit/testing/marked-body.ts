/** A text no provider writes; it must never leave the connector. */
export const mark = "MARKED-PROVIDER-TEXT-7f3a";

/** An error body with the mark in every place where SDKs look for a message. */
export const markedBody = JSON.stringify({
  error: { message: mark, code: mark, type: mark, param: mark, doc_url: mark },
  errors: [{ message: mark, long_message: mark, code: mark, meta: { param: mark } }],
  message: mark,
  code: mark,
});

/** Answers that a provider never gives: by name, content type and body. */
export const wrongAnswers: readonly [string, string, string][] = [
  ["HTML", "text/html", `<html><body>${mark}</body></html>`],
  ["an empty JSON object", "application/json", "{}"],
  ["a JSON list", "application/json", "[]"],
  ["JSON null", "application/json", "null"],
  ["JSON of another kind", "application/json", `{"object":"${mark}","data":"${mark}","id":7}`],
  ["broken JSON", "application/json", '{"object":'],
  ["nothing", "application/json", ""],
];
