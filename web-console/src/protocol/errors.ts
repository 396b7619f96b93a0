import type { Refusal } from "./generated/Refusal";

/** The server understood and did not do it. */
export class RefusedError extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(`${refusal.code}: ${refusal.message}`);
    this.name = "RefusedError";
    this.refusal = refusal;
  }
}

/** No answer: the connection is gone or the server silent. The request may have been carried out. */
export class UnansweredError extends Error {
  readonly why: "lost" | "timeout";

  constructor(cause: "lost" | "timeout") {
    super(cause === "lost" ? "the connection was lost" : "no answer in time");
    this.name = "UnansweredError";
    this.why = cause;
  }
}

/** The catalogue key of the text for a failed request. */
export function failureKey(error: unknown): `refusal.${Refusal["code"]}` | `failure.${"lost" | "timeout" | "unknown"}` {
  if (error instanceof RefusedError) return `refusal.${error.refusal.code}`;
  if (error instanceof UnansweredError) return `failure.${error.why}`;
  return "failure.unknown";
}
