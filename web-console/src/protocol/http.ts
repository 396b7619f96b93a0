import { RefusedError, UnansweredError } from "./errors";
import type { Login } from "./generated/Login";
import type { Me } from "./generated/Me";
import type { Refusal } from "./generated/Refusal";

const TIMEOUT_MS = 8_000;

async function call(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, {
      ...init,
      credentials: "same-origin",
      cache: "no-store",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    throw new UnansweredError(error instanceof DOMException && error.name === "TimeoutError" ? "timeout" : "lost");
  }
  if (response.ok) return response;
  const refusal = await readRefusal(response);
  // A gateway's error page is no word of our server.
  throw refusal === null ? new UnansweredError("lost") : new RefusedError(refusal);
}

async function readRefusal(response: Response): Promise<Refusal | null> {
  try {
    const body: unknown = await response.json();
    if (typeof body === "object" && body !== null && "code" in body) return body as Refusal;
    return null;
  } catch {
    return null;
  }
}

export async function login(credentials: Login): Promise<Me> {
  const response = await call("/api/login", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(credentials),
  });
  return (await response.json()) as Me;
}

export async function logout(): Promise<void> {
  await call("/api/logout", { method: "POST" });
}

export async function whoAmI(): Promise<Me> {
  const response = await call("/api/me", { method: "GET" });
  return (await response.json()) as Me;
}
