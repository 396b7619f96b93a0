import type { ParticipantId } from "./generated/ParticipantId";
import type { Push } from "./generated/Push";
import type { Quality } from "./generated/Quality";

/**
 * Figures that change several times a second on up to 50 tiles. They are
 * drawn straight into the page by subscribers and never pass through React.
 */
export class Vitals {
  private speaking: ReadonlySet<ParticipantId> = new Set();
  private loudest: ParticipantId | null = null;
  private readonly quality = new Map<ParticipantId, Quality>();
  private readonly listeners = new Set<() => void>();

  isSpeaking(participant: ParticipantId): boolean {
    return this.speaking.has(participant);
  }

  /** Who speaks loudest now. */
  loudestSpeaker(): ParticipantId | null {
    return this.loudest;
  }

  qualityOf(participant: ParticipantId): Quality | undefined {
    return this.quality.get(participant);
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  apply(push: Push): void {
    if (push.type === "speaking") {
      this.speaking = new Set(push.participants);
      this.loudest = push.participants[0] ?? null;
    } else if (push.type === "quality") {
      for (const quality of push.quality) this.quality.set(quality.participant, quality);
    } else {
      return;
    }
    this.tell();
  }

  /** Another call: nobody of the last one speaks any more. */
  clear(): void {
    this.speaking = new Set();
    this.loudest = null;
    this.quality.clear();
    this.tell();
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}

/** Connection quality in bars: 4 good, 1 hardly usable, 0 unknown. */
export function bars(quality: Quality | undefined): 0 | 1 | 2 | 3 | 4 {
  if (quality === undefined) return 0;
  const loss = Math.max(quality.uplinkLoss, quality.downlinkLoss);
  const rtt = quality.rttMs ?? 0;
  if (loss > 0.15 || rtt > 800) return 1;
  if (loss > 0.05 || rtt > 400) return 2;
  if (loss > 0.02 || rtt > 200) return 3;
  return 4;
}
