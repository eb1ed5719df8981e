export type ApiAnswer = { readonly status: number; readonly body: unknown };

/** One call to a broker as the admin, unless another token is given: for what a client would not send or show. */
export async function callApi(
  broker: { readonly url: string; readonly adminToken: string },
  method: string,
  path: string,
  body?: unknown,
  token: string = broker.adminToken,
): Promise<ApiAnswer> {
  const response = await fetch(broker.url + path, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
}

/** As {@link callApi}. @throws Error when the answer has another status */
export async function expectApi<T>(status: number, ...call: Parameters<typeof callApi>): Promise<T> {
  const answer = await callApi(...call);
  if (answer.status !== status) {
    throw new Error(
      `${call[1]} ${call[2]} answered ${answer.status}, not ${status}: ${JSON.stringify(answer.body)}`,
    );
  }
  // Holds as far as the broker keeps its own contract, which its own tests prove.
  return answer.body as T;
}
