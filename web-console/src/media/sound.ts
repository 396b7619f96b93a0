import { createStore } from "zustand/vanilla";

/** Whether the browser lets the page sound; it wants a touch of the user first. */
export const soundStore = createStore<{ unlocked: boolean }>(() => ({ unlocked: false }));

let context: AudioContext | null = null;

/** One context for the page: browsers allow few. */
export function audioContext(): AudioContext {
  if (context === null) {
    context = new AudioContext();
    context.onstatechange = note;
    note();
  }
  return context;
}

function note(): void {
  soundStore.setState({ unlocked: context?.state === "running" });
}

/** Called on a touch or key of the user. */
export function unlockSound(): void {
  const audio = audioContext();
  if (audio.state === "suspended") void audio.resume().then(note, note);
}

/** Any first touch or key unlocks the sound of the page. */
export function unlockOnGesture(): void {
  // Where the browser allows sound without a touch (a room terminal set up so), it runs at once.
  unlockSound();
  for (const event of ["pointerdown", "keydown"] as const) {
    window.addEventListener(event, unlockSound, { capture: true, passive: true });
  }
}

/**
 * A ring like that of a desk telephone: 440 + 480 Hz, 1 s on, 1.6 s off, with
 * a soft edge so that it does not click. Returns what stops it.
 */
export function ringTone(): () => void {
  const audio = audioContext();
  const gain = audio.createGain();
  gain.gain.value = 0;
  gain.connect(audio.destination);
  const tones = [440, 480, 880].map((hertz, index) => {
    const tone = audio.createOscillator();
    const part = audio.createGain();
    tone.frequency.value = hertz;
    part.gain.value = index === 2 ? 0.08 : 0.22;
    tone.connect(part).connect(gain);
    tone.start();
    return tone;
  });
  const burst = () => {
    const at = audio.currentTime + 0.02;
    gain.gain.cancelScheduledValues(at);
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(1, at + 0.03);
    gain.gain.setValueAtTime(1, at + 1);
    gain.gain.linearRampToValueAtTime(0, at + 1.06);
  };
  burst();
  const timer = setInterval(burst, 2_600);
  return () => {
    clearInterval(timer);
    for (const tone of tones) tone.stop();
    gain.disconnect();
  };
}

/** Two short notes on a speaker, to hear whether it works; ends by itself. */
export async function testTone(sinkId: string | null): Promise<void> {
  const audio = audioContext();
  await audio.resume();
  const out = audio.createMediaStreamDestination();
  const gain = audio.createGain();
  gain.connect(out);
  gain.gain.value = 0.3;
  const start = audio.currentTime + 0.1;
  for (const [index, hertz] of [523.25, 659.25, 783.99].entries()) {
    const tone = audio.createOscillator();
    tone.frequency.value = hertz;
    tone.connect(gain);
    tone.start(start + index * 0.35);
    tone.stop(start + index * 0.35 + 0.3);
  }
  const player = new Audio();
  player.srcObject = out.stream;
  if (sinkId !== null && "setSinkId" in player) await player.setSinkId(sinkId);
  await player.play();
  await new Promise((resolve) => setTimeout(resolve, 1_400));
  player.pause();
  player.srcObject = null;
}

/** Follows the loudness of a stream; `draw` gets 0 to 1, about ten times a second. Returns what stops it. */
export function meter(stream: MediaStream, draw: (level: number) => void): () => void {
  const audio = audioContext();
  const source = audio.createMediaStreamSource(stream);
  const analyser = audio.createAnalyser();
  analyser.fftSize = 1024;
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    let energy = 0;
    for (const sample of samples) energy += sample * sample;
    const decibels = 10 * Math.log10(energy / samples.length + 1e-9);
    // −60 dB is silence in a room, −10 dB a loud voice.
    draw(Math.min(1, Math.max(0, (decibels + 60) / 50)));
  }, 100);
  return () => {
    clearInterval(timer);
    source.disconnect();
    draw(0);
  };
}
