/** What happens to the way between this page and the media server. */
export type PathInput =
  /** The connection's own state. */
  | { type: "peer"; state: RTCPeerConnectionState }
  /** The device is in another network now, or back in one. */
  | { type: "network" }
  /** The line to signaling, without which nothing can be negotiated. */
  | { type: "lineLost" }
  | { type: "lineBack"; resumed: boolean }
  /** The server has no media of this client any more. */
  | { type: "mediaLost" }
  /** The offer was answered. */
  | { type: "answered" }
  /** It was not, for now. */
  | { type: "unanswered" }
  /** The browser could not make one. */
  | { type: "stuck" }
  /** It was refused for good. */
  | { type: "refused" }
  /** The moment of `deadlineMs` has come. */
  | { type: "timeout" };

/** `restart`: new ICE credentials on the same connection; `rebuild`: a new connection. Each is one negotiation. */
export type PathStep = "restart" | "rebuild";

/** An answer through which nothing comes within this time was in vain. */
const CONNECT_TIMEOUT_MS = 8_000;
const RECONNECT_TIMEOUT_MS = 4_000;
const RETRY_FIRST_MS = 400;
const RETRY_MOST_MS = 4_000;
/** `online` and a change of the connection come together; one restart is enough for both. */
const SAME_CHANGE_MS = 500;

/**
 * Decides when the path is negotiated anew. Pure: time is an argument. Every
 * step that `handle` returns has to be carried out and reported as `answered`,
 * `unanswered` or `refused`.
 *
 * It does not wait for `failed`, which browsers say after half a minute: by
 * `disconnected` nothing has come for seconds, and an ICE restart leaves the
 * old path in use until a new one works (RFC 8839 §4.4.1).
 */
export class Path {
  private line: boolean;
  private connected = false;
  /** Whether this connection has ever been connected. */
  private settled = false;
  private negotiating: { step: PathStep; sinceMs: number } | null = null;
  /** Wanted while another negotiation ran or the line was down. */
  private owed: PathStep | null = null;
  private failures = 0;
  private deadline: { atMs: number; step: PathStep } | null = null;

  constructor(line: boolean) {
    this.line = line;
  }

  get deadlineMs(): number | null {
    return this.deadline?.atMs ?? null;
  }

  /** The first negotiation. */
  begin(nowMs: number): PathStep | null {
    return this.want("rebuild", nowMs);
  }

  handle(input: PathInput, nowMs: number): PathStep | null {
    switch (input.type) {
      case "peer":
        return this.peer(input.state, nowMs);
      case "network":
        if (this.negotiating !== null && nowMs - this.negotiating.sinceMs < SAME_CHANGE_MS) return null;
        return this.want("restart", nowMs);
      case "lineLost":
        this.line = false;
        return null;
      case "lineBack":
        return this.lineBack(input.resumed, nowMs);
      case "mediaLost":
        // Said before the answer, it is about the connection that the new one replaces.
        return this.negotiating?.step === "rebuild" ? null : this.want("rebuild", nowMs);
      case "answered":
        return this.answered(nowMs);
      case "unanswered":
        return this.unanswered(nowMs);
      case "stuck":
        // A connection that cannot be offered again is replaced at once; one that never could be, later.
        if (this.negotiating?.step === "rebuild") return this.unanswered(nowMs);
        this.negotiating = null;
        return this.want("rebuild", nowMs);
      case "refused":
        this.negotiating = this.owed = this.deadline = null;
        return null;
      case "timeout": {
        if (this.deadline === null || nowMs < this.deadline.atMs) return null;
        const { step } = this.deadline;
        this.deadline = null;
        return this.want(step, nowMs);
      }
      default:
        return input satisfies never;
    }
  }

  private peer(state: RTCPeerConnectionState, nowMs: number): PathStep | null {
    switch (state) {
      case "connected":
        this.connected = this.settled = true;
        this.failures = 0;
        this.deadline = null;
        return null;
      case "disconnected":
      case "failed":
        this.connected = false;
        // The negotiation that is under way is the mending of it.
        if (this.negotiating !== null) return null;
        return this.want(this.settled ? "restart" : "rebuild", nowMs);
      case "new":
      case "connecting":
      case "closed":
        return null;
      default:
        return state satisfies never;
    }
  }

  private lineBack(resumed: boolean, nowMs: number): PathStep | null {
    this.line = true;
    // What went out over the old line is reported by now: this one began on the new.
    if (this.negotiating !== null) return null;
    // A new client at the server: what it had negotiated went with the old one.
    if (!resumed) return this.want("rebuild", nowMs);
    if (this.owed !== null) return this.want(this.owed, nowMs);
    return this.connected ? null : this.want(this.settled ? "restart" : "rebuild", nowMs);
  }

  private answered(nowMs: number): PathStep | null {
    const step = this.negotiating?.step ?? "restart";
    this.negotiating = null;
    if (this.owed !== null) return this.want(this.owed, nowMs);
    // A restart that brings nothing is followed by everything anew.
    const wait = step === "restart" ? RECONNECT_TIMEOUT_MS : CONNECT_TIMEOUT_MS;
    this.deadline = this.connected ? null : { atMs: nowMs + wait, step: "rebuild" };
    return null;
  }

  private unanswered(nowMs: number): PathStep | null {
    const lost = this.negotiating?.step ?? "rebuild";
    this.negotiating = null;
    const step = this.owed ?? lost;
    if (!this.line) {
      // The next welcome pays it.
      this.owed = step;
      return null;
    }
    if (this.owed !== null) return this.want(step, nowMs);
    const wait = Math.min(RETRY_FIRST_MS * 2 ** this.failures, RETRY_MOST_MS);
    this.failures += 1;
    this.deadline = { atMs: nowMs + wait, step: "rebuild" };
    return null;
  }

  private want(step: PathStep, nowMs: number): PathStep | null {
    if (this.negotiating !== null || !this.line) {
      // A rebuild includes a restart.
      if (this.owed !== "rebuild") this.owed = step;
      return null;
    }
    this.owed = this.deadline = null;
    this.negotiating = { step, sinceMs: nowMs };
    if (step === "rebuild") this.connected = this.settled = false;
    return step;
  }
}
