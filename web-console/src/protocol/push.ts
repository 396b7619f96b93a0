import { RefusedError } from "./errors";
import * as http from "./http";

/** Whether this browser is told of rings while the page is closed. */
export type PushState = "unable" | "off" | "on" | "denied";

const WORKER = "/push.js";

function able(): boolean {
  return "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
}

/** As it is now; `unable` also where the server has no Web Push. */
export async function pushState(): Promise<PushState> {
  if (!able()) return "unable";
  if (Notification.permission === "denied") return "denied";
  try {
    await http.pushKey();
  } catch (error) {
    if (error instanceof RefusedError) return "unable";
    throw error;
  }
  const registration = await navigator.serviceWorker.getRegistration(WORKER);
  const subscription = await registration?.pushManager.getSubscription();
  return subscription == null ? "off" : "on";
}

/** Asks the user, then the browser's push service, then tells the server. */
export async function turnPushOn(): Promise<PushState> {
  if ((await Notification.requestPermission()) !== "granted") return "denied";
  const key = await http.pushKey();
  await navigator.serviceWorker.register(WORKER);
  const registration = await navigator.serviceWorker.ready;
  const subscription = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  await http.keepSubscription(subscription.toJSON());
  return "on";
}

export async function turnPushOff(): Promise<PushState> {
  if (!able()) return "unable";
  const registration = await navigator.serviceWorker.getRegistration(WORKER);
  const subscription = await registration?.pushManager.getSubscription();
  if (subscription != null) {
    await http.forgetSubscription(subscription.endpoint);
    await subscription.unsubscribe();
  }
  return "off";
}
