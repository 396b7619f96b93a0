import { useCallback, useEffect, useRef, useState } from "react";

import type { Fix } from "./store";

export type FixFailure = "refused" | "unavailable" | "timeout" | "insecure";
type FixState = { locating: boolean; failure: FixFailure | null };

/** Long enough for a cold receiver under the open sky. */
const TIMEOUT_MS = 20_000;

/** Takes the device's position: at once where that is permitted already, else when asked to. */
export function useFix(wanted: boolean, onFix: (fix: Fix) => void): FixState & { locate: () => void } {
  const [state, setState] = useState<FixState>({ locating: false, failure: null });
  const report = useRef(onFix);
  const gone = useRef(false);
  useEffect(() => {
    report.current = onFix;
  }, [onFix]);
  useEffect(() => {
    gone.current = false;
    return () => {
      gone.current = true;
    };
  }, []);

  const locate = useCallback(() => {
    if (!("geolocation" in navigator)) {
      setState({ locating: false, failure: "insecure" });
      return;
    }
    setState({ locating: true, failure: null });
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        if (gone.current) return;
        setState({ locating: false, failure: null });
        const place = { longitude: coords.longitude, latitude: coords.latitude };
        report.current({ place, accuracyMetres: Math.max(1, Math.round(coords.accuracy)) });
      },
      (error) => {
        if (!gone.current) setState({ locating: false, failure: failureOf(error) });
      },
      { enableHighAccuracy: true, timeout: TIMEOUT_MS, maximumAge: 10_000 },
    );
  }, []);

  useEffect(() => {
    if (!wanted || !("permissions" in navigator)) return;
    navigator.permissions.query({ name: "geolocation" }).then(
      (permission) => {
        if (permission.state === "granted" && !gone.current) locate();
      },
      () => undefined, // Browsers that cannot say wait for the button.
    );
  }, [wanted, locate]);

  return { ...state, locate };
}

function failureOf(error: GeolocationPositionError): FixFailure {
  if (error.code === error.PERMISSION_DENIED) return "refused";
  return error.code === error.TIMEOUT ? "timeout" : "unavailable";
}
