import { useCallback, useEffect, useRef, useState } from "react";

/** What a voice note may last; a forgotten one ends by itself. */
export const MAX_NOTE_MS = 180_000;

/** Opus in WebM; Safari has MP4. */
const TYPES = ["audio/webm;codecs=opus", "audio/mp4"] as const;

export type Recorder = {
  readonly state: "idle" | "asking" | "recording";
  /** When it began, on this device's clock. */
  readonly since: number | null;
  readonly failed: boolean;
  readonly start: () => void;
  readonly stop: () => void;
};

/** Whether this browser records at all. */
export const CAN_RECORD = typeof MediaRecorder !== "undefined";

/** Records a voice note with the device's microphone. */
export function useRecorder(onNote: (note: File) => void): Recorder {
  const [state, setState] = useState<Recorder["state"]>("idle");
  const [since, setSince] = useState<number | null>(null);
  const [failed, setFailed] = useState(false);
  const running = useRef<MediaRecorder | null>(null);
  const note = useRef(onNote);
  useEffect(() => {
    note.current = onNote;
  });
  const gone = useRef(false);

  const stop = useCallback(() => {
    if (running.current?.state === "recording") running.current.stop();
  }, []);

  const start = useCallback(() => {
    if (running.current !== null) return;
    setState("asking");
    setFailed(false);
    record(
      () => gone.current,
      (recorder) => {
        running.current = recorder;
        setSince(Date.now());
        setState("recording");
      },
    )
      .then((file) => {
        if (file !== null) note.current(file);
      })
      .catch(() => setFailed(true))
      .finally(() => {
        running.current = null;
        setSince(null);
        setState("idle");
      });
  }, []);

  // Whoever leaves the page does not go on speaking.
  useEffect(() => {
    gone.current = false;
    return () => {
      gone.current = true;
      if (running.current?.state === "recording") running.current.stop();
    };
  }, []);

  return { state, since, failed, start, stop };
}

/** The note, once it is stopped; `null` if nothing was said or nobody is there any more. */
async function record(gone: () => boolean, onStart: (recorder: MediaRecorder) => void): Promise<File | null> {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  try {
    if (gone()) return null;
    const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
    const recorder = new MediaRecorder(stream, { audioBitsPerSecond: 24_000, ...(mimeType !== undefined && { mimeType }) });
    const parts: Blob[] = [];
    const stopped = new Promise<void>((resolve, reject) => {
      recorder.addEventListener("dataavailable", ({ data }) => parts.push(data));
      recorder.addEventListener("stop", () => resolve());
      recorder.addEventListener("error", () => reject(new Error("the recorder failed")));
    });
    recorder.start();
    onStart(recorder);
    const limit = setTimeout(() => recorder.state === "recording" && recorder.stop(), MAX_NOTE_MS);
    await stopped.finally(() => clearTimeout(limit));
    const type = recorder.mimeType.split(";")[0] ?? "audio/webm";
    const size = parts.reduce((sum, part) => sum + part.size, 0);
    if (size === 0 || gone()) return null;
    return new File(parts, `${stamp(new Date())}.${type === "audio/mp4" ? "m4a" : "weba"}`, { type });
  } finally {
    for (const track of stream.getTracks()) track.stop();
  }
}

/** `20261124-030500`, the device's time: tells notes apart when they are saved. */
function stamp(at: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${at.getFullYear()}${two(at.getMonth() + 1)}${two(at.getDate())}`;
  return `${day}-${two(at.getHours())}${two(at.getMinutes())}${two(at.getSeconds())}`;
}
