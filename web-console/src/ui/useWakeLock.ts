import { useEffect } from "react";

/** Keeps the screen on while `active`; the browser takes the lock away whenever the page is hidden. */
export function useWakeLock(active: boolean): void {
  useEffect(() => {
    const { wakeLock } = navigator as { wakeLock?: WakeLock };
    if (!active || wakeLock === undefined) return;
    let held: WakeLockSentinel | null = null;
    let over = false;
    const take = () => {
      if (document.visibilityState !== "visible") return;
      wakeLock.request("screen").then(
        (sentinel) => {
          if (over) void sentinel.release();
          else held = sentinel;
        },
        () => undefined, // Refused on low battery: the call goes on without.
      );
    };
    take();
    document.addEventListener("visibilitychange", take);
    return () => {
      over = true;
      document.removeEventListener("visibilitychange", take);
      void held?.release();
    };
  }, [active]);
}
