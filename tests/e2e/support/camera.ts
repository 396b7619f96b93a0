// Fake camera and microphone files for Chromium: each site its own colour and tone.
import { writeFile } from "node:fs/promises";

export type Rgb = readonly [number, number, number];

const WIDTH = 320;
const HEIGHT = 180;
const FRAMES_PER_SECOND = 10;

/** Raw video (YUV4MPEG2, 4:2:0): the colour all over, and a dark bar that moves along the bottom. */
export async function writeCamera(path: string, [r, g, b]: Rgb): Promise<void> {
  // BT.601, studio range.
  const luma = Math.round(16 + 0.257 * r + 0.504 * g + 0.098 * b);
  const blueDifference = Math.round(128 - 0.148 * r - 0.291 * g + 0.439 * b);
  const redDifference = Math.round(128 + 0.439 * r - 0.368 * g - 0.071 * b);
  const chromaSize = (WIDTH / 2) * (HEIGHT / 2);
  const parts: Buffer[] = [
    Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F${FRAMES_PER_SECOND}:1 Ip A1:1 C420jpeg\n`),
  ];
  for (let frame = 0; frame < 2 * FRAMES_PER_SECOND; frame += 1) {
    const y = Buffer.alloc(WIDTH * HEIGHT, luma);
    const left = Math.round((frame / (2 * FRAMES_PER_SECOND)) * (WIDTH - 40));
    for (let row = HEIGHT - 20; row < HEIGHT; row += 1) y.fill(30, row * WIDTH + left, row * WIDTH + left + 40);
    parts.push(
      Buffer.from("FRAME\n"),
      y,
      Buffer.alloc(chromaSize, blueDifference),
      Buffer.alloc(chromaSize, redDifference),
    );
  }
  await writeFile(path, Buffer.concat(parts));
}

const SAMPLES_PER_SECOND = 48_000;

const SYLLABLES_PER_SECOND = 4;

/**
 * Two seconds that Chromium repeats (16-bit mono WAV): syllables around this pitch, which a noise
 * suppressor takes for speech where it would remove a steady tone. Hertz 0 is silence.
 */
export async function writeMicrophone(path: string, hertz: number): Promise<void> {
  const length = SAMPLES_PER_SECOND * 2;
  const samples = Buffer.alloc(length * 2);
  let phase = 0;
  for (let i = 0; i < length; i += 1) {
    const time = i / SAMPLES_PER_SECOND;
    const syllable = Math.floor(time * SYLLABLES_PER_SECOND);
    const within = time * SYLLABLES_PER_SECOND - syllable;
    const pitch = hertz * [1, 1.3, 0.8, 1.6, 1.1, 0.7, 1.4, 0.9][syllable % 8]!;
    phase += (2 * Math.PI * pitch) / SAMPLES_PER_SECOND;
    const loudness = hertz === 0 ? 0 : 12_000 * Math.sin(Math.PI * within) ** 2;
    const overtones = Math.sin(phase) + 0.5 * Math.sin(2 * phase) + 0.3 * Math.sin(3 * phase);
    samples.writeInt16LE(Math.round((loudness * overtones) / 1.8), i * 2);
  }
  const header = Buffer.alloc(44);
  header.write("RIFF", 0);
  header.writeUInt32LE(36 + samples.length, 4);
  header.write("WAVEfmt ", 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20); // PCM
  header.writeUInt16LE(1, 22); // mono
  header.writeUInt32LE(SAMPLES_PER_SECOND, 24);
  header.writeUInt32LE(SAMPLES_PER_SECOND * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write("data", 36);
  header.writeUInt32LE(samples.length, 40);
  await writeFile(path, Buffer.concat([header, samples]));
}
