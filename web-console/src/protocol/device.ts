import { createStore } from "zustand/vanilla";

import type { Device } from "./generated/Device";
import type { Role } from "./generated/Role";

const AUTO_ANSWER_KEY = "liandong.autoAnswer";
const NARROW_PX = 640;

export type DeviceState = {
  /** Which face of the application this is; decided once per page. */
  device: Device;
  /** Orders from above may be answered by the device itself. */
  autoAnswer: boolean;
};

/** What this page is, as said in `Hello`. */
export const deviceStore = createStore<DeviceState>(() => ({ device: "console", autoAnswer: false }));

/** The face for a role; `?face=` decides for itself, a narrow screen is a phone. */
export function chooseDevice(role: Role, wanted: string | null, widthPx: number): Device {
  if (wanted === "console" || wanted === "terminal" || wanted === "phone") return wanted;
  if (role === "field" || widthPx < NARROW_PX) return "phone";
  return role === "community" ? "terminal" : "console";
}

export function settleDevice(role: Role): void {
  const wanted = new URLSearchParams(location.search).get("face");
  const device = chooseDevice(role, wanted, window.innerWidth);
  const stored = localStorage.getItem(AUTO_ANSWER_KEY);
  deviceStore.setState({ device, autoAnswer: stored === null ? device === "terminal" : stored === "true" });
}

export function allowAutoAnswer(allowed: boolean): void {
  localStorage.setItem(AUTO_ANSWER_KEY, String(allowed));
  deviceStore.setState({ autoAnswer: allowed });
}
