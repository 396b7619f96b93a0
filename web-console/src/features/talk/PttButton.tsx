import { AudioFilled, AudioOutlined, HourglassOutlined } from "@ant-design/icons";
import { type PointerEvent, useEffect } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";

import { press, release, talkMediaStore } from "../../media/talk";
import type { TalkGroupId } from "../../protocol/generated/TalkGroupId";
import type { KnownGroup } from "../../protocol/talk";
import { useEar } from "./groups";
import { useServerClock } from "./useServerClock";

/** What the key of a group does and says at this moment. */
export type KeyState = "off" | "connecting" | "ready" | "listenOnly" | "requesting" | "queued" | "holding" | "hurry";

export function useKeyState({ group, standing }: KnownGroup): KeyState {
  const ear = useEar(group.id);
  const pressed = useStore(talkMediaStore, (media) => media.pressed === group.id);
  if (ear === undefined) return "off";
  if (standing.type === "holding") return standing.revoked ? "hurry" : "holding";
  if (standing.type === "queued") return "queued";
  if (!group.speaks) return "listenOnly";
  if (ear.phase !== "connected") return "connecting";
  return pressed ? "requesting" : "ready";
}

type Props = { known: KnownGroup; size: "desk" | "phone" };

/** Held down to speak. */
export function PttButton({ known, size }: Props) {
  const { t } = useTranslation();
  const { group, standing } = known;
  const state = useKeyState(known);
  const usable = state !== "off" && state !== "connecting" && state !== "listenOnly";
  useReleaseOnBlur();
  useReleaseWithKey(group.id, usable);

  function down(event: PointerEvent<HTMLButtonElement>) {
    if (!usable || event.button !== 0) return;
    // The finger may slide off the key while it speaks.
    event.currentTarget.setPointerCapture(event.pointerId);
    void press(group.id);
  }

  return (
    <button
      type="button"
      className="ptt"
      data-size={size}
      data-state={state}
      data-testid={`ptt-${group.id}`}
      disabled={!usable}
      aria-label={t("talk.keyOf", { name: group.plan.name })}
      onPointerDown={down}
      onPointerUp={() => void release()}
      onPointerCancel={() => void release()}
      onContextMenu={(event) => event.preventDefault()}
    >
      {state === "queued" ? <HourglassOutlined aria-hidden /> : state === "holding" || state === "hurry" ? <AudioFilled aria-hidden /> : <AudioOutlined aria-hidden />}
      <span>
        {standing.type === "queued" ? t("talk.key.queuedAt", { position: standing.position }) : t(`talk.key.${state}`)}
        {standing.type === "holding" && <Left untilMs={standing.untilMs} />}
      </span>
    </button>
  );
}

/** Seconds until the talk limit. */
function Left({ untilMs }: { untilMs: number }) {
  const left = Math.max(0, Math.ceil((untilMs - useServerClock(250)) / 1000));
  return <b className="ld-number"> {left}s</b>;
}

/** Whoever turns to another window does not go on speaking unawares. */
function useReleaseOnBlur(): void {
  useEffect(() => {
    const away = () => {
      if (document.hidden) void release();
    };
    const blur = () => void release();
    window.addEventListener("blur", blur);
    document.addEventListener("visibilitychange", away);
    return () => {
      window.removeEventListener("blur", blur);
      document.removeEventListener("visibilitychange", away);
    };
  }, []);
}

/** A key that leaves the page, or can no longer be pressed, hears of no let-go. */
function useReleaseWithKey(group: TalkGroupId, usable: boolean): void {
  useEffect(() => {
    if (!usable) return;
    return () => {
      if (talkMediaStore.getState().pressed === group) void release();
    };
  }, [group, usable]);
}
