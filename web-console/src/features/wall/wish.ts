import type { MediaWish } from "../../protocol/generated/MediaWish";
import type { ParticipantId } from "../../protocol/generated/ParticipantId";
import type { Tile } from "../../protocol/generated/Tile";
import type { Box } from "./grid";

/** What the wall looks like now. */
export type WallLook = {
  /** On the page, in order of importance. */
  shown: readonly ParticipantId[];
  /** In CSS pixels. */
  boxes: ReadonlyMap<ParticipantId, Box>;
  pinned: ReadonlySet<ParticipantId>;
  spotlight: ParticipantId | null;
  /** Who has the word. */
  speaker: ParticipantId | null;
  /** Device pixels for each CSS pixel. */
  pixelRatio: number;
  /** Nobody looks: the slots are kept, but nothing shall come. */
  hidden: boolean;
};

const ASPECT = 16 / 9;
/** Heights are told in steps, so that a border moved by a pixel is no new wish. */
const STEP_PX = 8;

/** What to ask of the server: the prominent first, each with the height that its picture has on the page. */
export function tilesOf(look: WallLook): Tile[] {
  const rank = (one: ParticipantId) => {
    if (one === look.spotlight) return 0;
    if (look.pinned.has(one)) return 1;
    return one === look.speaker ? 2 : 3;
  };
  return [...look.shown]
    .sort((a, b) => rank(a) - rank(b))
    .map((participant) => ({
      participant,
      height: look.hidden ? 0 : heightOf(look.boxes.get(participant), look.pixelRatio),
      prominent: rank(participant) < 3,
    }));
}

function heightOf(box: Box | undefined, pixelRatio: number): number {
  if (box === undefined) return 0;
  // A picture within a box of another shape leaves bars above and below.
  const height = Math.min(box.height, box.width / ASPECT) * pixelRatio;
  return Math.ceil(height / STEP_PX) * STEP_PX;
}

/** Interjections do not take the word from a speaker within this time. */
const HOLD_MS = 2_000;

/** Who has the word: the loudest, and in a pause whoever had it last, so that the picture does not change at every breath. */
export class SpeakerHold {
  private speaker: ParticipantId | null = null;
  private sinceMs = Number.NEGATIVE_INFINITY;

  follow(loudest: ParticipantId | null, nowMs: number): ParticipantId | null {
    if (loudest !== null && loudest !== this.speaker && nowMs - this.sinceMs >= HOLD_MS) {
      this.speaker = loudest;
      this.sinceMs = nowMs;
    }
    return this.speaker;
  }
}

/** Joins, turned pages and dragged borders come in bursts; the server hears of them so often at most. */
const PACE_MS = 100;

/** Says a wish at once, and what it becomes within the next moment as one more; what was said already is not repeated. */
export class WishPace {
  private readonly say: (wish: MediaWish) => void;
  private said: string | null = null;
  private next: MediaWish | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(say: (wish: MediaWish) => void) {
    this.say = say;
  }

  want(wish: MediaWish): void {
    this.next = wish;
    if (this.timer === undefined) this.flush();
  }

  /** The server has forgotten it (a new line, new media): the next one is said in any case. */
  forget(): void {
    this.said = null;
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.next = null;
  }

  private flush(): void {
    this.timer = undefined;
    const wish = this.next;
    this.next = null;
    const text = JSON.stringify(wish);
    if (wish === null || text === this.said) return;
    this.said = text;
    this.timer = setTimeout(() => this.flush(), PACE_MS);
    this.say(wish);
  }
}
