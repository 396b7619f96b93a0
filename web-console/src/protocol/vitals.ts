import type { ParticipantId } from "./generated/ParticipantId";
import type { Push } from "./generated/Push";
import type { Quality } from "./generated/Quality";
import type { SlotQuality } from "./generated/SlotQuality";

/**
 * Figures that change several times a second on up to 50 tiles. They are
 * drawn straight into the page by subscribers and never pass through React.
 */
export class Vitals {
  private speaking: ReadonlySet<ParticipantId> = new Set();
  private loudest: ParticipantId | null = null;
  private readonly quality = new Map<ParticipantId, Quality>();
  private pictures: ReadonlyMap<ParticipantId, SlotQuality> = new Map();
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

  /** How the picture of the participant comes through to this page. */
  pictureOf(participant: ParticipantId): SlotQuality | undefined {
    return this.pictures.get(participant);
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
    } else if (push.type === "slotQuality") {
      // All slots that show somebody are told each time.
      this.pictures = new Map(push.slots.map((slot) => [slot.participant, slot]));
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
    this.pictures = new Map();
    this.tell();
  }

  /** The page is looked at again: what rested for that reason comes back, and the next word says what really does rest. */
  lookAgain(): void {
    this.pictures = new Map();
    this.tell();
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}

export type Bars = 0 | 1 | 2 | 3 | 4;

/** Connection quality in bars: 4 good, 1 hardly usable, 0 unknown. The score is a MOS, which for a faultless line is 4.4. */
export function bars(quality: Quality | undefined): Bars {
  if (quality === undefined || quality.score < 1) return 0;
  // ITU-T G.107 annex B: satisfied above 4.0, some users dissatisfied from 3.6 on, many below 3.1.
  if (quality.score >= 4) return 4;
  if (quality.score >= 3.6) return 3;
  return quality.score >= 3.1 ? 2 : 1;
}
