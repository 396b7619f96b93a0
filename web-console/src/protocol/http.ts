import { RefusedError, UnansweredError } from "./errors";
import type { Enrolment } from "./generated/Enrolment";
import type { IncidentFile } from "./generated/IncidentFile";
import type { IncidentId } from "./generated/IncidentId";
import type { Login } from "./generated/Login";
import type { LoginLink } from "./generated/LoginLink";
import type { Me } from "./generated/Me";
import type { RecoveryCodes } from "./generated/RecoveryCodes";
import type { Refusal } from "./generated/Refusal";
import type { SecondFactorState } from "./generated/SecondFactorState";
import type { Webhooks } from "./generated/Webhooks";

const TIMEOUT_MS = 8_000;
/** A file takes its time on a narrow line; the server waits as long. */
const UPLOAD_TIMEOUT_MS = 300_000;

async function call(path: string, init: RequestInit, timeoutMs = TIMEOUT_MS): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, {
      ...init,
      credentials: "same-origin",
      cache: "no-store",
      signal: AbortSignal.timeout(timeoutMs),
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

async function post(path: string, body: unknown): Promise<Response> {
  return call(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
}

export async function loginByLink(token: string): Promise<Me> {
  return (await (await post("/api/login/link", { token })).json()) as Me;
}

export async function secondFactor(): Promise<SecondFactorState> {
  const response = await call("/api/second-factor", { method: "GET" });
  return (await response.json()) as SecondFactorState;
}

/** `code`: of the present second factor, where there is one. */
export async function beginEnrolment(code: string): Promise<Enrolment> {
  return (await (await post("/api/second-factor/begin", { code })).json()) as Enrolment;
}

/** Gives the recovery codes, which are told once. */
export async function confirmEnrolment(code: string): Promise<string[]> {
  const answer = (await (await post("/api/second-factor/confirm", { code })).json()) as RecoveryCodes;
  return answer.codes;
}

export async function removeSecondFactor(code: string): Promise<void> {
  await post("/api/second-factor/remove", { code });
}

/** Of somebody who lost phone and recovery codes; by administrators. */
export async function resetSecondFactor(account: string): Promise<void> {
  await post("/api/second-factor/reset", { account });
}

export async function loginLink(account: string): Promise<LoginLink> {
  return (await (await post("/api/links", { account })).json()) as LoginLink;
}

/** Adds a photo, voice note or document to an incident. The same file again changes nothing. */
export async function addFile(incident: IncidentId, file: File): Promise<IncidentFile> {
  const name = encodeURIComponent(file.name.slice(0, 120));
  const response = await call(
    `/api/incidents/${incident}/files?name=${name}`,
    { method: "POST", headers: { "content-type": file.type === "" ? "application/octet-stream" : file.type }, body: file },
    UPLOAD_TIMEOUT_MS,
  );
  return (await response.json()) as IncidentFile;
}

/** How messages to other systems stand; for administrators. */
export async function webhooks(): Promise<Webhooks> {
  const response = await call("/api/webhooks", { method: "GET" });
  return (await response.json()) as Webhooks;
}

/** Sends once more what was given up. */
export async function deliverAgain(webhook: string, entry: number): Promise<void> {
  await call(`/api/webhooks/${webhook}/dead/${entry}`, { method: "POST" });
}

/** The same for all that were given up. */
export async function deliverAllAgain(webhook: string): Promise<void> {
  await call(`/api/webhooks/${webhook}/dead`, { method: "POST" });
}

/** The server's key for Web Push; refused where it has none. */
export async function pushKey(): Promise<string> {
  const response = await call("/api/push/key", { method: "GET" });
  return ((await response.json()) as { key: string }).key;
}

export async function keepSubscription(subscription: PushSubscriptionJSON): Promise<void> {
  await send("POST", subscription);
}

export async function forgetSubscription(endpoint: string): Promise<void> {
  await send("DELETE", { endpoint });
}

async function send(method: "POST" | "DELETE", body: unknown): Promise<void> {
  await call("/api/push/subscription", {
    method,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}
