import { useEffect, useState } from "react";
import { useStore } from "zustand";

import { callMediaStore } from "../../media/call";
import { ask, linkStore, vitals } from "../../protocol/client";
import { deviceStore } from "../../protocol/device";
import type { ConferenceId } from "../../protocol/generated/ConferenceId";
import { SpeakerHold, tilesOf, type WallLook, WishPace } from "./wish";

/** A glance at another window is not worth the keyframes of coming back. */
const HIDDEN_AFTER_MS = 5_000;

/** Tells the server what the page wants to see; again on a new line or new media. */
export function useWish(conference: ConferenceId, look: Pick<WallLook, "shown" | "boxes" | "pinned" | "spotlight">): void {
  const online = useStore(linkStore, (link) => link.phase === "online");
  const connected = useStore(callMediaStore, (media) => media.phase === "connected");
  const hidden = useHidden();
  const pixelRatio = usePixelRatio();
  const { shown, boxes, pinned, spotlight } = look;
  const pace = usePace(conference);
  const [hold] = useState(() => new SpeakerHold());

  useEffect(() => {
    if (online && connected) pace.forget();
  }, [pace, online, connected]);

  useEffect(() => {
    if (!hidden) vitals.lookAgain();
  }, [hidden]);

  useEffect(() => {
    // Before the wall is laid out there is nothing to say about it.
    if (!online || !connected || boxes.size === 0) return;
    const want = () => {
      const loudest = vitals.loudestSpeaker();
      // The own voice, and one on another page, take the word from nobody here.
      const speaker = hold.follow(loudest !== null && shown.includes(loudest) ? loudest : null, performance.now());
      pace.want({ tiles: tilesOf({ shown, boxes, pinned, spotlight, speaker, pixelRatio, hidden }) });
    };
    want();
    return vitals.subscribe(want);
  }, [pace, hold, online, connected, shown, boxes, pinned, spotlight, pixelRatio, hidden]);
}

function usePace(conference: ConferenceId): WishPace {
  const [pace] = useState(
    () =>
      new WishPace((wish) => {
        // Asked anew with the next change; until then the server shows what it did.
        ask({ type: "show", conference, wish }).catch(() => undefined);
      }),
  );
  useEffect(() => () => pace.stop(), [pace]);
  return pace;
}

/** The page has been out of sight for a while. A room's terminal always shows. */
function useHidden(): boolean {
  const shows = useStore(deviceStore, ({ device }) => device === "terminal");
  const [hidden, setHidden] = useState(false);
  useEffect(() => {
    if (shows) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = () => {
      clearTimeout(timer);
      if (document.visibilityState === "visible") setHidden(false);
      else timer = setTimeout(() => setHidden(true), HIDDEN_AFTER_MS);
    };
    look();
    document.addEventListener("visibilitychange", look);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, [shows]);
  return hidden && !shows;
}

/** Changes with the zoom and with the screen that the window is on. */
function usePixelRatio(): number {
  const [ratio, setRatio] = useState(window.devicePixelRatio);
  useEffect(() => {
    const query = matchMedia(`(resolution: ${ratio}dppx)`);
    const changed = () => setRatio(window.devicePixelRatio);
    query.addEventListener("change", changed);
    return () => query.removeEventListener("change", changed);
  }, [ratio]);
  return ratio;
}
