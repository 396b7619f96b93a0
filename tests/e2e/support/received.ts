// What a console page receives, as webrtc-stats tells it.
import type { Page } from "playwright-core";

export type Received = {
  atMs: number;
  /** Video, over all slots. */
  bytes: number;
  framesReceived: number;
  framesDecoded: number;
  /** Of the tallest picture that comes at present. */
  frameHeight: number;
  freezes: number;
  frozenSeconds: number;
  /** By the stream's id: samples that were made up for missing ones (without those of silence), of how many, how loud. */
  sounds: Record<string, { madeUp: number; samples: number; energy: number; bytes: number; packets: number }>;
  /** "udp" or "tcp" of the pair in use, and the port that the server sees. */
  protocol: string;
  port: number;
};

export function received(page: Page): Promise<Received> {
  return page.evaluate(async () => {
    const { keptConnections } = window as unknown as { keptConnections: RTCPeerConnection[] };
    const sum = {
      atMs: performance.now(),
      bytes: 0,
      framesReceived: 0,
      framesDecoded: 0,
      frameHeight: 0,
      freezes: 0,
      frozenSeconds: 0,
      sounds: {} as Received["sounds"],
      protocol: "",
      port: 0,
    };
    for (const connection of keptConnections) {
      if (connection.connectionState === "closed") continue;
      const stats = await connection.getStats();
      for (const stat of stats.values()) {
        if (stat.type === "inbound-rtp" && stat.kind === "video") {
          sum.bytes += stat.bytesReceived ?? 0;
          sum.framesReceived += stat.framesReceived ?? 0;
          sum.framesDecoded += stat.framesDecoded ?? 0;
          if ((stat.framesPerSecond ?? 0) > 0) sum.frameHeight = Math.max(sum.frameHeight, stat.frameHeight ?? 0);
          sum.freezes += stat.freezeCount ?? 0;
          sum.frozenSeconds += stat.totalFreezesDuration ?? 0;
        } else if (stat.type === "inbound-rtp" && stat.kind === "audio") {
          sum.sounds[stat.id] = {
            madeUp: (stat.concealedSamples ?? 0) - (stat.silentConcealedSamples ?? 0),
            samples: stat.totalSamplesReceived ?? 0,
            energy: stat.totalAudioEnergy ?? 0,
            bytes: stat.bytesReceived ?? 0,
            packets: stat.packetsReceived ?? 0,
          };
        } else if (stat.type === "transport" && stat.selectedCandidatePairId !== undefined) {
          const pair = stats.get(stat.selectedCandidatePairId);
          sum.protocol = stats.get(pair?.remoteCandidateId)?.protocol ?? "";
          sum.port = stats.get(pair?.localCandidateId)?.port ?? 0;
        }
      }
    }
    return sum;
  });
}

/** How much of the loudest sound between two looks was made up, 0 to 1: who pauses sends nothing, which looks like loss. */
export function madeUp(before: Received, after: Received): number {
  return loudest(before, after).share;
}

/** The loudest sound between two looks. */
export function loudest(before: Received, after: Received): { share: number; energy: number; bytesEach: number } {
  const changes = Object.entries(after.sounds).map(([id, now]) => {
    const then = before.sounds[id] ?? { madeUp: 0, samples: 0, energy: 0, bytes: 0, packets: 0 };
    const share = (now.madeUp - then.madeUp) / (now.samples - then.samples);
    const bytesEach = (now.bytes - then.bytes) / (now.packets - then.packets);
    return { share, energy: now.energy - then.energy, bytesEach };
  });
  const first = changes.sort((a, b) => b.energy - a.energy)[0];
  if (first === undefined || first.energy === 0) throw new Error("nothing was heard");
  return first;
}

/**
 * What the page's microphone is sent with: the codec, the most that its encoder may take (bit/s), and what of its
 * payload has left. Statistics name Opus also where it goes out in RED.
 */
export function voice(page: Page): Promise<{ codec: string; maxBitrate: number; bytes: number; packets: number }> {
  return page.evaluate(async () => {
    const { keptConnections } = window as unknown as { keptConnections: RTCPeerConnection[] };
    const sent = { codec: "", maxBitrate: 0, bytes: 0, packets: 0 };
    for (const connection of keptConnections) {
      if (connection.connectionState === "closed") continue;
      const sender = connection.getSenders().find(({ track }) => track?.kind === "audio");
      const parameters = sender?.getParameters();
      sent.codec = parameters?.codecs[0]?.mimeType ?? "";
      sent.maxBitrate = parameters?.encodings[0]?.maxBitrate ?? 0;
      for (const stat of (await connection.getStats()).values()) {
        if (stat.type !== "outbound-rtp" || stat.kind !== "audio") continue;
        sent.bytes = stat.bytesSent ?? 0;
        sent.packets = stat.packetsSent ?? 0;
      }
    }
    return sent;
  });
}

/** Looks every 100 ms in the page, and gives the longest time without a new frame and all heights in their order. */
export async function watch(page: Page): Promise<() => Promise<{ longestGapMs: number; heights: number[] }>> {
  await page.evaluate(() => {
    const { keptConnections } = window as unknown as { keptConnections: RTCPeerConnection[] };
    const seen = { frames: -1, at: performance.now(), longestGapMs: 0, heights: [] as number[], timer: 0 };
    seen.timer = window.setInterval(async () => {
      let frames = 0;
      let height = 0;
      for (const connection of keptConnections) {
        if (connection.connectionState === "closed") continue;
        for (const stat of (await connection.getStats()).values()) {
          if (stat.type !== "inbound-rtp" || stat.kind !== "video") continue;
          frames += stat.framesReceived ?? 0;
          if ((stat.framesPerSecond ?? 0) > 0) height = Math.max(height, stat.frameHeight ?? 0);
        }
      }
      const now = performance.now();
      seen.longestGapMs = Math.max(seen.longestGapMs, now - seen.at);
      if (frames !== seen.frames) {
        seen.frames = frames;
        seen.at = now;
      }
      if (height > 0 && seen.heights.at(-1) !== height) seen.heights.push(height);
    }, 100);
    Object.assign(window, { watchedFrames: seen });
  });
  return () =>
    page.evaluate(() => {
      const { watchedFrames } = window as unknown as {
        watchedFrames: { longestGapMs: number; heights: number[]; timer: number };
      };
      clearInterval(watchedFrames.timer);
      const { longestGapMs, heights } = watchedFrames;
      return { longestGapMs, heights };
    });
}
