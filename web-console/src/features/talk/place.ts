import { useEffect } from "react";

import { ask, linkStore, onClientEvent } from "../../protocol/client";
import type { Place } from "../../protocol/generated/Place";

type Fix = { place: Place; atMs: number };

/** A fix that is older says nothing of where the device is. */
const FRESH_MS = 5 * 60_000;
/** The server forgets a position after ten minutes. */
const REPEAT_MS = 60_000;
/** A device that moves has a new fix every second. */
const TELL_MS = 10_000;

let fix: Fix | null = null;

/** Where the device is, as far as the user allows it to be known. */
export function placeNow(): Place | null {
  return fix !== null && Date.now() - fix.atMs < FRESH_MS ? fix.place : null;
}

function tell(): void {
  const place = placeNow();
  if (place === null || linkStore.getState().phase !== "online") return;
  void ask({ type: "here", place }).catch(() => undefined); // said again within the minute
}

/** Tells the server where the device is, whatever page is shown: groups of an area follow. */
export function useTellPlace(): void {
  useEffect(() => {
    if (!("geolocation" in navigator)) return;
    let told = -TELL_MS;
    const take = ({ coords, timestamp }: GeolocationPosition) => {
      fix = { place: { longitude: coords.longitude, latitude: coords.latitude }, atMs: Math.min(timestamp, Date.now()) };
      if (Date.now() - told < TELL_MS) return;
      told = Date.now();
      tell();
    };
    // Without a position only groups of an area are missing.
    const watch = navigator.geolocation.watchPosition(take, () => undefined, { enableHighAccuracy: true, maximumAge: 10_000 });
    // Whoever stands still may have no new fix of himself.
    const repeat = setInterval(() => {
      told = -TELL_MS;
      navigator.geolocation.getCurrentPosition(take, tell, { enableHighAccuracy: true, maximumAge: REPEAT_MS, timeout: 20_000 });
    }, REPEAT_MS);
    const stop = onClientEvent((event) => {
      if (event.type === "welcomed") tell();
    });
    tell();
    return () => {
      navigator.geolocation.clearWatch(watch);
      clearInterval(repeat);
      stop();
    };
  }, []);
}
