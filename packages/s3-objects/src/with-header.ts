/** A middleware step for the SDK that sets a header of a request; with `undefined` it sets none. */
export function withHeader(name: string, value: string | undefined) {
  return <Sent extends { readonly request: unknown }, Result>(next: (sent: Sent) => Result) =>
    (sent: Sent): Result => {
      const { request } = sent;
      if (value !== undefined && typeof request === "object" && request !== null) {
        if ("headers" in request && typeof request.headers === "object")
          Object.assign(request.headers ?? {}, { [name]: value });
      }
      return next(sent);
    };
}
