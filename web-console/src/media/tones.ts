import { audioContext } from "./sound";

type Note = { hertz: number; atMs: number; forMs: number };

/** Short notes with soft edges, so that they do not click. Does nothing while the browser holds the sound back. */
function play(notes: readonly Note[], loudness: number): void {
  const audio = audioContext();
  if (audio.state !== "running") return;
  const now = audio.currentTime + 0.01;
  for (const { hertz, atMs, forMs } of notes) {
    const [from, until] = [now + atMs / 1000, now + (atMs + forMs) / 1000];
    const tone = audio.createOscillator();
    const gain = audio.createGain();
    tone.frequency.value = hertz;
    gain.gain.setValueAtTime(0, from);
    gain.gain.linearRampToValueAtTime(loudness, from + 0.008);
    gain.gain.setValueAtTime(loudness, until - 0.012);
    gain.gain.linearRampToValueAtTime(0, until);
    tone.connect(gain).connect(audio.destination);
    tone.start(from);
    tone.stop(until);
  }
}

function vibrate(pattern: number | number[]): void {
  // Absent in some browsers; refused before the first touch.
  if ("vibrate" in navigator) navigator.vibrate(pattern);
}

/** Speak now. */
export function permitTone(): void {
  play(
    [
      { hertz: 910, atMs: 0, forMs: 45 },
      { hertz: 1_210, atMs: 55, forMs: 70 },
    ],
    0.22,
  );
  vibrate(60);
}

/** Another one speaks; this one waits. */
export function queuedTone(): void {
  play([{ hertz: 620, atMs: 0, forMs: 90 }], 0.16);
  vibrate(30);
}

/** Not heard: denied, or taken away. */
export function deniedTone(): void {
  play(
    [
      { hertz: 240, atMs: 0, forMs: 180 },
      { hertz: 200, atMs: 200, forMs: 240 },
    ],
    0.3,
  );
  vibrate([120, 80, 120]);
}

/** The talk limit has come. */
export function hurryTone(): void {
  play(
    [0, 160, 320].map((atMs) => ({ hertz: 880, atMs, forMs: 70 })),
    0.2,
  );
  vibrate([60, 60, 60]);
}
