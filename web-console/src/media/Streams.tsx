import "./media.css";

import { SoundFilled } from "@ant-design/icons";
import { memo, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";

import { callMediaStore } from "./call";
import { pickedStore } from "./capture";

/** A picture without sound; the sound of a call comes through `CallSound`. */
export const Picture = memo(function Picture({ stream, mirrored = false }: { stream: MediaStream | null; mirrored?: boolean }) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const element = video.current;
    if (element === null || element.srcObject === stream) return;
    element.srcObject = stream;
    delete element.dataset["upright"];
    // Muted pictures may always play; a rejection means that another stream came meanwhile.
    if (stream !== null) element.play().catch(() => undefined);
  }, [stream]);
  return (
    <video
      ref={video}
      className="picture"
      data-mirrored={mirrored}
      muted
      playsInline
      autoPlay
      aria-hidden
      onResize={(event) => {
        const { videoWidth, videoHeight, dataset } = event.currentTarget;
        // The first frame of a stream has come. A phone held upright keeps its whole picture; a wide one may fill its tile.
        dataset["upright"] = String(videoWidth < videoHeight * 1.2);
      }}
    />
  );
});

/** Plays the sound slots, out of sight; says so when the browser holds the sound back. */
export function CallSound() {
  const { t } = useTranslation();
  const streams = useStore(callMediaStore, (media) => media.audioSlots);
  const sink = useStore(pickedStore, (picked) => picked.speaker);
  const box = useRef<HTMLDivElement>(null);
  const [blocked, setBlocked] = useState(false);

  useEffect(() => {
    const players = [...(box.current?.querySelectorAll("audio") ?? [])];
    for (const [index, player] of players.entries()) {
      const stream = streams[index] ?? null;
      if (player.srcObject !== stream) player.srcObject = stream;
    }
    if (streams.length > 0) playAll(players, setBlocked);
  }, [streams]);

  useEffect(() => {
    for (const player of box.current?.querySelectorAll("audio") ?? []) {
      // A loudspeaker that was unplugged: the browser's default is better than silence.
      if (sink !== null && "setSinkId" in player) player.setSinkId(sink).catch(() => undefined);
    }
  }, [sink, streams]);

  return (
    <>
      <div ref={box} hidden>
        {streams.map((stream, index) => (
          <audio key={stream.id} autoPlay data-testid={`audio-slot-${index}`} />
        ))}
      </div>
      {blocked && (
        <button
          type="button"
          className="sound-blocked"
          data-testid="sound-blocked"
          onClick={() => playAll([...(box.current?.querySelectorAll("audio") ?? [])], setBlocked)}
        >
          <SoundFilled aria-hidden />
          <span>{t("media.soundBlocked")}</span>
          <small>{t("media.soundBlockedHint")}</small>
        </button>
      )}
    </>
  );
}

function playAll(players: readonly HTMLAudioElement[], setBlocked: (blocked: boolean) => void): void {
  Promise.all(players.map((player) => player.play())).then(
    () => setBlocked(false),
    (error: unknown) => {
      if (error instanceof DOMException && error.name === "NotAllowedError") setBlocked(true);
    },
  );
}
